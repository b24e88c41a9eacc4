#include "events/webhooks/webhook_payload.hpp"

#include "core/bytes.hpp"
#include "oci/json_fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <stdexcept>
#include <utility>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr Micros second = 1'000'000;
constexpr std::string_view promoted_images = "images";
constexpr std::size_t longest_slack_text = 2'900;  // Slack takes 3,000 characters of a section

json::object resource_of(const Event& event, const WebhookContext& context)
{
    json::object resource{{"digest", event.digest}};
    if (!event.tag.empty()) resource["tag"] = event.tag;
    const auto where = context.registry.empty() ? event.repository : context.registry + "/" + event.repository;
    resource["resource_url"] = where + (event.tag.empty() ? "@" + event.digest : ":" + event.tag);
    return resource;
}

// What a promotion brought, each as a deployment would name it: by tag and by digest.
json::array promoted(const json::array& images, const WebhookContext& context)
{
    json::array resources;
    for (const auto& image : images) {
        if (!image.is_object()) continue;
        Event event;
        event.repository = find_text(image.get_object(), "repository");
        event.digest = find_text(image.get_object(), "digest");
        event.tag = find_text(image.get_object(), "tag");
        auto resource = resource_of(event, context);
        resource["repository"] = event.repository;
        resource["reference"] = std::string{resource["resource_url"].as_string()} + "@" + event.digest;
        resources.push_back(std::move(resource));
    }
    return resources;
}

json::object repository_of(const Event& event, const WebhookContext& context)
{
    const auto slash = event.repository.find('/');
    json::object repository{
        {"name", event.repository.substr(slash + 1)},
        {"namespace", event.repository.substr(0, slash)},
        {"repo_full_name", event.repository},
        {"repo_type", context.is_public ? "public" : "private"},
    };
    if (context.repository_created_at != 0) repository["date_created"] = context.repository_created_at / second;
    return repository;
}

// Harbor's attributes are texts.
json::object attributes_of(const Event& event)
{
    json::object attributes{{"event_id", std::to_string(event.sequence)}};
    if (!event.project.empty()) attributes["project"] = event.project;
    if (event.count > 1) attributes["count"] = std::to_string(event.count);
    boost::system::error_code error;
    const auto details = json::parse(event.details, error);
    if (error || !details.is_object()) return attributes;
    for (const auto& [name, value] : details.as_object()) {
        if (name == promoted_images) continue;  // among the resources
        attributes[name] = value.is_string() ? std::string{value.as_string()} : json::serialize(value);
    }
    return attributes;
}

// As Harbor's receivers know the end of a retention run.
json::object retention_of(const Event& event)
{
    boost::system::error_code error;
    const auto parsed = json::parse(event.details, error);
    if (error || !parsed.is_object()) return {};
    const auto& details = parsed.as_object();
    json::object retention{{"project_name", event.project}};
    constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"total", "total"}, {"retained", "retained"}, {"policy_id", "retention_policy_id"}, {"status", "result"}
    };
    for (const auto& [ours, harbors] : names) {
        if (const auto* value = details.if_contains(ours)) retention[harbors] = *value;
    }
    return retention;
}

json::object data_of(const Event& event, const WebhookType& type, const WebhookContext& context)
{
    json::object data;
    if (!event.digest.empty()) data["resources"] = json::array{resource_of(event, context)};
    const auto details = parse_object(event.details);
    const auto* images = details ? find_array(*details, promoted_images) : nullptr;
    if (images != nullptr) data["resources"] = promoted(*images, context);
    if (!event.repository.empty()) data["repository"] = repository_of(event, context);
    if (type.name == "TAG_RETENTION") data["retention"] = retention_of(event);
    const bool plain = type.cloud.starts_with("harbor.artifact.") && event.count == 1;
    if (!plain) data["custom_attributes"] = attributes_of(event);
    return data;
}

json::object default_form(const Event& event, const WebhookType& type, const WebhookContext& context)
{
    return {
        {"type", type.name},
        {"occur_at", event.at / second},
        {"operator", event.user},
        {"event_data", data_of(event, type, context)},
    };
}

// CloudEvents 1.0.2, section 3: source and id name an event for ever, also when it is delivered again.
json::object
cloud_form(const Event& event, const WebhookType& type, const WebhookPolicy& policy, const WebhookContext& context)
{
    const auto scope =
        policy.project_id == 0 ? std::string{"/system"} : "/projects/" + std::to_string(policy.project_id);
    return {
        {"specversion", "1.0"},
        {"id", std::to_string(event.sequence)},
        {"source", scope + "/webhook/policies/" + std::to_string(policy.id)},
        {"type", type.cloud},
        {"time", rfc3339(event.at)},
        {"datacontenttype", "application/json"},
        {"operator", event.user},
        {"data", data_of(event, type, context)},
    };
}

// Slack's own markup (mrkdwn) knows three special characters.
std::string slack_text(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            default: out += c;
        }
        const bool whole = (static_cast<unsigned char>(c) & 0x80U) == 0;  // no character is cut in two
        if (out.size() >= longest_slack_text && whole) return out + "…";
    }
    return out;
}

json::object slack_section(const std::string& text)
{
    return {{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", text}}}};
}

json::object slack_form(const Event& event, const WebhookType& type, const WebhookContext& context)
{
    const auto data = json::serialize(data_of(event, type, context));
    return {
        {"text", std::string{type.name} + " " + slack_text(event.repository)},  // of the notification
        {"blocks",
         {
             slack_section("*Harbor webhook events*"),
             slack_section("*event_type:* " + std::string{type.name}),
             slack_section("*occur_at:* `" + rfc3339(event.at) + "`"),
             slack_section("*operator:* " + slack_text(event.user)),
             slack_section("*event_data:*"),
             slack_section("```" + slack_text(data) + "```"),
         }},
    };
}

// HMAC-SHA256 in hexadecimal.
std::string code_of(std::string_view secret, std::string_view text)
{
    std::array<std::byte, EVP_MAX_MD_SIZE> code{};
    unsigned length = 0;
    const auto* done = HMAC(
        EVP_sha256(),
        secret.data(),
        static_cast<int>(secret.size()),
        reinterpret_cast<const unsigned char*>(text.data()),
        text.size(),
        reinterpret_cast<unsigned char*>(code.data()),
        &length
    );
    if (done == nullptr) throw std::runtime_error{"HMAC-SHA256 is not available"};
    return to_hex(std::span{code}.first(length));
}

}  // namespace

WebhookPayload webhook_payload(
    const Event& event,
    const WebhookType& type,
    const WebhookPolicy& policy,
    const WebhookTarget& target,
    const WebhookContext& context
)
{
    if (target.type == "slack") return {"application/json", json::serialize(slack_form(event, type, context))};
    if (target.format == "CloudEvents") {
        return {"application/cloudevents+json", json::serialize(cloud_form(event, type, policy, context))};
    }
    return {"application/json", json::serialize(default_form(event, type, context))};
}

std::string webhook_body_signature(std::string_view secret, std::string_view body)
{
    return "sha256=" + code_of(secret, body);
}

std::string webhook_signature(std::string_view secret, std::string_view body, Micros now)
{
    const auto time = std::to_string(now / second);
    std::string signed_text = time + ".";
    signed_text += body;
    return "t=" + time + ",v1=" + code_of(secret, signed_text);
}

}  // namespace entrepot

#include "events/webhooks/webhook_job.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

namespace entrepot {

namespace json = boost::json;

std::string webhook_job_text(const WebhookJob& job)
{
    const auto& event = job.event;
    return json::serialize(json::object{
        {"policy_id", job.policy_id},
        {"target", job.target},
        {"address", job.address},
        {"type", job.type},
        {"event",
         {{"sequence", event.sequence},
          {"type", event.type},
          {"tenant_id", event.tenant_id},
          {"project_id", event.project_id},
          {"project", event.project},
          {"repository", event.repository},
          {"digest", event.digest},
          {"tag", event.tag},
          {"media_type", event.media_type},
          {"size", event.size},
          {"user_id", event.user_id},
          {"user", event.user},
          {"at", event.at},
          {"count", event.count},
          {"details", event.details}}},
    });
}

Result<WebhookJob> parse_webhook_job(std::string_view text)
{
    try {
        const auto value = json::parse(text);
        const auto& object = value.as_object();
        const auto& from = object.at("event").as_object();
        const auto word = [&](const char* name) { return json::value_to<std::string>(from.at(name)); };
        const auto number = [&](const char* name) { return json::value_to<std::int64_t>(from.at(name)); };
        return WebhookJob{
            .policy_id = json::value_to<std::int64_t>(object.at("policy_id")),
            .target = json::value_to<std::size_t>(object.at("target")),
            .address = json::value_to<std::string>(object.at("address")),
            .type = json::value_to<std::string>(object.at("type")),
            .event =
                {.sequence = number("sequence"),
                 .type = word("type"),
                 .tenant_id = number("tenant_id"),
                 .project_id = number("project_id"),
                 .project = word("project"),
                 .repository = word("repository"),
                 .digest = word("digest"),
                 .tag = word("tag"),
                 .media_type = word("media_type"),
                 .size = number("size"),
                 .user_id = number("user_id"),
                 .user = word("user"),
                 .at = number("at"),
                 .count = number("count"),
                 .details = word("details")},
        };
    } catch (const std::exception& thrown) {
        return fail(Errc::corrupt, "a delivery's parameters can't be read", thrown.what());
    }
}

}  // namespace entrepot

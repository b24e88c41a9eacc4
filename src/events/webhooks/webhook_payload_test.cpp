#include "events/webhooks/webhook_payload.hpp"

#include "events/webhooks/webhook_job.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace entrepot {
namespace {

namespace json = boost::json;

Event push()
{
    Event event;
    event.sequence = 42;
    event.type = event_type::artifact_pushed;
    event.tenant_id = 1;
    event.project_id = 7;
    event.project = "shop";
    event.repository = "shop/web/app";
    event.digest = "sha256:aa";
    event.tag = "v1";
    event.user = "ci";
    event.at = 1'760'000'000'123'456;
    event.details = R"({"change":"added","tags":[{"name":"v1"},{"name":"latest","previous":"sha256:bb"}]})";
    return event;
}

WebhookPolicy policy_of(std::int64_t project_id)
{
    WebhookPolicy policy;
    policy.id = 15;
    policy.project_id = project_id;
    return policy;
}

json::object
body_of(const Event& event, const char* type, const char* kind, const char* format, std::int64_t project = 7)
{
    WebhookTarget target;
    target.type = kind;
    target.format = format;
    const WebhookContext context{
        .registry = "hub.example:5000", .is_public = true, .repository_created_at = 1'700'000'000'000'000
    };
    const auto payload = webhook_payload(event, *webhook_type_named(type), policy_of(project), target, context);
    EXPECT_EQ(
        payload.content_type,
        std::string_view{format} == "CloudEvents" ? "application/cloudevents+json" : "application/json"
    );
    return json::parse(payload.body).as_object();
}

std::vector<std::string_view> names(const Event& event)
{
    std::vector<std::string_view> found;
    for (const auto* type : webhook_types_of(event)) found.push_back(type->name);
    return found;
}

TEST(WebhookPayload, harbors_default_form)
{
    const auto expected = json::parse(R"({
        "type": "PUSH_ARTIFACT", "occur_at": 1760000000, "operator": "ci",
        "event_data": {
            "resources": [{"digest": "sha256:aa", "tag": "v1", "resource_url": "hub.example:5000/shop/web/app:v1"}],
            "repository": {"name": "web/app", "namespace": "shop", "repo_full_name": "shop/web/app",
                           "repo_type": "public", "date_created": 1700000000}}})");
    EXPECT_EQ(json::value(body_of(push(), "PUSH_ARTIFACT", "http", "Default")), expected);
    auto untagged = push();
    untagged.tag.clear();
    const auto body = body_of(untagged, "PUSH_ARTIFACT", "http", "Default");
    EXPECT_EQ(
        body.at("event_data").at("resources").at(0),
        json::parse(R"({"digest":"sha256:aa","resource_url":"hub.example:5000/shop/web/app@sha256:aa"})")
    );
}

TEST(WebhookPayload, cloud_events_keep_their_id_and_have_harbors_types)
{
    const auto body = body_of(push(), "PUSH_ARTIFACT", "http", "CloudEvents");
    EXPECT_EQ(body.at("specversion"), "1.0");
    EXPECT_EQ(body.at("id"), "42");
    EXPECT_EQ(body.at("source"), "/projects/7/webhook/policies/15");
    EXPECT_EQ(body.at("type"), "harbor.artifact.pushed");
    EXPECT_EQ(body.at("time"), "2025-10-09T08:53:20Z");
    EXPECT_EQ(body.at("datacontenttype"), "application/json");
    EXPECT_EQ(body.at("operator"), "ci");
    EXPECT_EQ(body.at("data").at("repository").at("repo_full_name"), "shop/web/app");
    EXPECT_EQ(body_of(push(), "TAG_CREATED", "http", "CloudEvents", 0).at("source"), "/system/webhook/policies/15");
}

TEST(WebhookPayload, what_harbor_has_no_form_for_is_in_custom_attributes)
{
    Event event;
    event.sequence = 9;
    event.type = event_type::quota_exceeded;
    event.project = "shop";
    event.details = R"({"Details":"too much","wanted":12})";
    const auto body = body_of(event, "QUOTA_EXCEED", "http", "Default");
    const auto& data = body.at("event_data").as_object();
    EXPECT_FALSE(data.contains("resources"));
    EXPECT_EQ(
        data.at("custom_attributes"),
        json::parse(R"({"event_id":"9","project":"shop","Details":"too much","wanted":"12"})")
    );
}

TEST(WebhookPayload, slack_gets_blocks_that_nobody_can_break_out_of)
{
    auto event = push();
    event.user = "<!channel> & co";
    event.type = event_type::project_updated;
    event.details = R"({"long":")" + std::string(5'000, 'x') + "é" + std::string(5'000, 'y') + R"("})";
    const auto body = body_of(event, "PROJECT_UPDATED", "slack", "Default");
    const auto& blocks = body.at("blocks").as_array();
    ASSERT_EQ(blocks.size(), 6U);
    EXPECT_EQ(blocks[1].at("text").at("text"), "*event_type:* PROJECT_UPDATED");
    EXPECT_EQ(blocks[3].at("text").at("text"), "*operator:* &lt;!channel&gt; &amp; co");
    for (const auto& block : blocks) {
        EXPECT_EQ(block.at("type"), "section");
        EXPECT_LE(block.at("text").at("text").as_string().size(), 3'000U);
    }
}

TEST(WebhookTypes, a_push_is_also_what_it_did_to_its_tags)
{
    using Names = std::vector<std::string_view>;
    auto event = push();
    EXPECT_EQ(names(event), (Names{"PUSH_ARTIFACT", "TAG_CREATED", "TAG_MOVED"}));
    event.details = R"({"tags":[{"name":"v1","previous":"sha256:aa"}]})";
    EXPECT_EQ(names(event), Names{"PUSH_ARTIFACT"}) << "the tag stays where it was";
    event.details = R"({"tags":[],"with":"sha256:cc"})";
    EXPECT_EQ(names(event), Names{}) << "part of another change";
    event.details = "nonsense";
    EXPECT_EQ(names(event), Names{"PUSH_ARTIFACT"});
    event.type = event_type::role_created;
    EXPECT_EQ(names(event), Names{});
    event.type = event_type::tag_deleted;
    EXPECT_EQ(names(event), Names{"TAG_DELETED"});
}

// By `printf '%s' '1760000000.{"a":1}' | openssl dgst -sha256 -hmac 'it is secret'`.
TEST(WebhookSignature, is_an_hmac_of_time_and_body)
{
    EXPECT_EQ(
        webhook_signature("it is secret", R"({"a":1})", 1'760'000'000'999'999),
        "t=1760000000,v1=b28bab72929c2175cd2e1986befdc8a2596ccde5bc70d382800740219eba9f0e"
    );
}

// By `printf '%s' '{"a":1}' | openssl dgst -sha256 -hmac 'it is secret'`.
TEST(WebhookSignature, of_the_body_alone_is_what_flux_compares)
{
    EXPECT_EQ(
        webhook_body_signature("it is secret", R"({"a":1})"),
        "sha256=9ad6eaaa29a38cefa8be97aae0258c36e5eb94184cec228a9a125b604c8d15f1"
    );
}

TEST(WebhookPayload, of_a_promotion_names_what_is_to_be_deployed)
{
    Event event;
    event.type = event_type::promotion_done;
    event.project = "prod";
    event.details =
        R"({"id":3,"to":"prod","images":[{"repository":"prod/app","tag":"1.4","digest":"sha256:aa"},"nonsense"]})";
    const WebhookContext context{.registry = "hub.example"};
    const auto* type = webhook_type_named("PROMOTION_DONE");
    WebhookTarget target;
    target.format = "Default";
    const auto payload = webhook_payload(event, *type, WebhookPolicy{}, target, context);
    const auto data = boost::json::parse(payload.body).at("event_data");
    EXPECT_EQ(
        boost::json::serialize(data.at("resources")),
        R"([{"digest":"sha256:aa","tag":"1.4","resource_url":"hub.example/prod/app:1.4",)"
        R"("repository":"prod/app","reference":"hub.example/prod/app:1.4@sha256:aa"}])"
    );
    EXPECT_EQ(data.at("custom_attributes").at("to").as_string(), "prod");
    EXPECT_FALSE(data.at("custom_attributes").as_object().contains("images"));
}

TEST(WebhookJob, is_read_as_it_was_written)
{
    WebhookJob job{.policy_id = 3, .target = 1, .address = "http://x/", .type = "PUSH_ARTIFACT", .event = push()};
    const auto read = parse_webhook_job(webhook_job_text(job)).value();
    EXPECT_EQ(read.policy_id, 3);
    EXPECT_EQ(read.target, 1U);
    EXPECT_EQ(read.address, "http://x/");
    EXPECT_EQ(read.event.details, job.event.details);
    EXPECT_EQ(read.event.at, job.event.at);
    EXPECT_EQ(webhook_job_text(read), webhook_job_text(job));
    for (const auto* wrong : {"", "[]", "{}", R"({"policy_id":"x"})"}) {
        EXPECT_EQ(parse_webhook_job(wrong).error().code(), Errc::corrupt);
    }
}

}  // namespace
}  // namespace entrepot

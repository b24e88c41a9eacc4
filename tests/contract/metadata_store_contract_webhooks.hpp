#pragma once

#include "tests/contract/metadata_store_contract_events.hpp"

namespace entrepot::contract {

class WebhookContract : public EventContract {
protected:
    WebhookCatalog& hooks() { return store().webhooks(); }
    std::int64_t project_id() { return run(store().projects().find(project("p")))->id; }

    static WebhookPolicy policy(std::int64_t project_id, std::string name)
    {
        WebhookPolicy wanted;
        wanted.project_id = project_id;
        wanted.name = std::move(name);
        wanted.event_types = {"PUSH_ARTIFACT", "DELETE_ARTIFACT"};
        wanted.tags = "v*";
        wanted.targets.push_back(
            {.type = "http",
             .address = "https://ci.example/hook",
             .format = "CloudEvents",
             .auth_header = "sealed 1",
             .secret = "sealed \"2\"",
             .any_certificate = true}
        );
        wanted.targets.push_back(
            {.type = "slack", .address = "https://slack.example/x", .format = "Default", .auth_header = "", .secret = ""
            }
        );
        return wanted;
    }
    WebhookPolicy made(std::int64_t project_id, std::string name)
    {
        auto created = run(hooks().create(policy(project_id, std::move(name)), someone));
        EXPECT_TRUE(created) << created.error().message() << created.error().detail();
        return created.value_or(WebhookPolicy{});
    }
    std::vector<std::string> enabled()
    {
        std::vector<std::string> names;
        for (const auto& one : run(hooks().enabled()).value()) names.push_back(one.name);
        return names;
    }
    WebhookCircuit circuit(std::int64_t id) { return run(hooks().find(id))->targets.at(0).circuit; }
};

TEST_P(WebhookContract, a_policy_is_kept_as_it_was_made_and_changed)
{
    const auto first = made(project_id(), "ci");
    EXPECT_GT(first.id, 0);
    EXPECT_EQ(first.created_at, someone.at);
    auto found = run(hooks().find(first.id)).value();
    EXPECT_EQ(found.name, "ci");
    EXPECT_EQ(found.event_types, (std::vector<std::string>{"PUSH_ARTIFACT", "DELETE_ARTIFACT"}));
    EXPECT_EQ(found.tags, "v*");
    ASSERT_EQ(found.targets.size(), 2U);
    EXPECT_EQ(found.targets[0].secret, "sealed \"2\"");
    EXPECT_TRUE(found.targets[0].any_certificate);
    EXPECT_EQ(found.targets[1].type, "slack");
    EXPECT_FAILS(Errc::conflict, run(hooks().create(policy(project_id(), "ci"), someone)));
    EXPECT_FAILS(Errc::not_found, run(hooks().create(policy(project_id() + 99, "ci"), someone)));
    const auto of_all = made(0, "ci");
    found.name = "other";
    found.enabled = false;
    found.targets.pop_back();
    EXPECT_SUCCEEDS(run(hooks().change(found, {7, 3000})));
    const auto changed = run(hooks().find(first.id)).value();
    EXPECT_EQ(changed.name, "other");
    EXPECT_FALSE(changed.enabled);
    EXPECT_EQ(changed.targets.size(), 1U);
    EXPECT_EQ(changed.created_at, someone.at);
    EXPECT_EQ(changed.updated_at, 3000);
    EXPECT_EQ(run(hooks().list(project_id(), {}))->total, 1);
    EXPECT_EQ(run(hooks().list(0, {}))->items.at(0).id, of_all.id);
    EXPECT_SUCCEEDS(run(hooks().remove(first.id, someone)));
    EXPECT_FAILS(Errc::not_found, run(hooks().find(first.id)));
    EXPECT_FAILS(Errc::not_found, run(hooks().remove(first.id, someone)));
    EXPECT_FAILS(Errc::not_found, run(hooks().change(found, someone)));
}

TEST_P(WebhookContract, changes_of_policies_are_events)
{
    const auto events = recorded([&] {
        auto one = made(project_id(), "ci");
        EXPECT_SUCCEEDS(run(hooks().change(one, someone)));
        EXPECT_SUCCEEDS(run(hooks().remove(one.id, someone)));
    });
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].type, event_type::webhook_created);
    EXPECT_EQ(events[1].type, event_type::webhook_updated);
    EXPECT_EQ(events[2].type, event_type::webhook_deleted);
    for (const auto& event : events) {
        EXPECT_EQ(event.project_id, project_id());
        EXPECT_EQ(event.details.find("sealed"), std::string::npos);
    }
}

TEST_P(WebhookContract, policies_count_while_they_and_notifications_are_on)
{
    auto one = made(project_id(), "one");
    made(0, "all");
    EXPECT_EQ(enabled(), (std::vector<std::string>{"one", "all"}));
    EXPECT_SUCCEEDS(run(store().settings().change({{"notification_enable", "false"}}, someone)));
    EXPECT_EQ(enabled().size(), 0U);
    EXPECT_SUCCEEDS(run(store().settings().change({{"notification_enable", "true"}}, someone)));
    EXPECT_EQ(enabled().size(), 2U);
    one.enabled = false;
    EXPECT_SUCCEEDS(run(hooks().change(one, someone)));
    EXPECT_EQ(enabled(), std::vector<std::string>{"all"});
}

TEST_P(WebhookContract, policies_go_with_their_project)
{
    const auto shop = run(store().projects().create({.name = project("shop")}, someone))->id;
    const auto one = made(shop, "one");
    EXPECT_SUCCEEDS(run(hooks().triggered({{one.id, "PUSH_ARTIFACT", 5}})));
    EXPECT_SUCCEEDS(run(store().projects().remove(shop, someone)));
    EXPECT_FAILS(Errc::not_found, run(hooks().find(one.id)));
}

TEST_P(WebhookContract, the_last_trigger_of_each_type_is_remembered)
{
    const auto one = made(project_id(), "one");
    EXPECT_SUCCEEDS(run(hooks().triggered({{one.id, "PUSH_ARTIFACT", 5}, {one.id, "DELETE_ARTIFACT", 6}})));
    EXPECT_SUCCEEDS(run(hooks().triggered({{one.id, "PUSH_ARTIFACT", 9}, {one.id + 99, "PUSH_ARTIFACT", 1}})));
    const auto last = run(hooks().last_triggers(project_id())).value();
    ASSERT_EQ(last.size(), 2U);
    EXPECT_EQ(last[0].event_type, "DELETE_ARTIFACT");
    EXPECT_EQ(last[1].at, 9);
}

TEST_P(WebhookContract, a_target_is_left_alone_ever_longer_and_tried_by_one)
{
    const auto id = made(project_id(), "one").id;
    const auto fail_at = [&](Micros now) {
        EXPECT_SUCCEEDS(run(hooks().failed(id, 0, {.error = "HTTP 500", .most = 3, .pause = 100, .now = now})));
    };
    fail_at(1);
    fail_at(2);
    EXPECT_EQ(circuit(id).failures, 2);
    EXPECT_EQ(circuit(id).open_until, 0);
    fail_at(3);
    EXPECT_EQ(circuit(id).open_until, 103);
    EXPECT_EQ(circuit(id).last_error, "HTTP 500");
    EXPECT_EQ(run(hooks().open_circuits(102)).value(), 1);
    EXPECT_EQ(run(hooks().open_circuits(103)).value(), 0);
    std::atomic<int> claimed = 0;
    {
        Crowd crowd;
        for (int i = 0; i < 8; ++i) {
            crowd.add([&] { claimed += run(hooks().claim_probe(id, 0, 103, 200)).value_or(false); });
        }
    }
    EXPECT_EQ(claimed, 1);
    fail_at(150);
    EXPECT_EQ(circuit(id).open_until, 350) << "twice as long";
    for (int i = 0; i < 9; ++i) fail_at(1000);
    EXPECT_EQ(circuit(id).open_until, 1000 + 32 * 100);
    EXPECT_SUCCEEDS(run(hooks().succeeded(id, 0)));
    EXPECT_EQ(circuit(id).failures, 0);
    EXPECT_EQ(run(hooks().open_circuits(0)).value(), 0);
}

}  // namespace entrepot::contract

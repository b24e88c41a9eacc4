#pragma once

#include "tests/contract/metadata_store_contract_events.hpp"

namespace entrepot::contract {

class EndpointContract : public EventContract {
protected:
    EndpointCatalog& endpoints() { return store().endpoints(); }

    static RegistryEndpoint endpoint(std::string name)
    {
        RegistryEndpoint wanted;
        wanted.name = std::move(name);
        wanted.description = "over there";
        wanted.type = "docker-registry";
        wanted.url = "https://there.example:5000/mirror";
        wanted.credential_type = "basic";
        wanted.access_key = "robot";
        wanted.access_secret = "sealed \"1\"";
        wanted.insecure = true;
        wanted.ca_certificate = "PEM";
        wanted.certificate_pin = "sha256:00";
        wanted.token_host = "auth.there.example";
        wanted.limits = {.bytes_per_second = 1'000'000'000'000, .requests_at_once = 4};
        return wanted;
    }
    RegistryEndpoint made(std::string name)
    {
        auto created = run(endpoints().create(endpoint(std::move(name)), someone));
        EXPECT_TRUE(created) << created.error().message() << created.error().detail();
        return created.value_or(RegistryEndpoint{});
    }
    ListPage<RegistryEndpoint> listed(ListQuery query = {}) { return run(endpoints().list(std::move(query))).value(); }
    void found(std::int64_t id, Micros at, std::string status, std::string detail = "")
    {
        EXPECT_SUCCEEDS(run(endpoints().note_health(id, {at, std::move(status), std::move(detail)})));
    }
};

TEST_P(EndpointContract, an_endpoint_is_kept_as_it_was_made_and_changed)
{
    const auto first = made("there");
    EXPECT_GT(first.id, 0);
    EXPECT_EQ(first.created_at, someone.at);
    EXPECT_EQ(first.version, 1);
    host().reopen();
    auto found = run(endpoints().find(first.id)).value();
    EXPECT_EQ(found.name, "there");
    EXPECT_EQ(found.description, "over there");
    EXPECT_EQ(found.type, "docker-registry");
    EXPECT_EQ(found.url, "https://there.example:5000/mirror");
    EXPECT_EQ(found.credential_type, "basic");
    EXPECT_EQ(found.access_key, "robot");
    EXPECT_EQ(found.access_secret, "sealed \"1\"");
    EXPECT_TRUE(found.insecure);
    EXPECT_EQ(found.ca_certificate, "PEM");
    EXPECT_EQ(found.certificate_pin, "sha256:00");
    EXPECT_EQ(found.token_host, "auth.there.example");
    EXPECT_EQ(found.limits.bytes_per_second, 1'000'000'000'000);
    EXPECT_EQ(found.limits.requests_at_once, 4);
    EXPECT_EQ(found.status, "unknown");
    EXPECT_FAILS(Errc::conflict, run(endpoints().create(endpoint("there"), someone)));
    made("There");
    found.name = "elsewhere";
    found.url = "http://elsewhere";
    found.insecure = false;
    found.limits = {};
    found.type = "harbor";
    EXPECT_SUCCEEDS(run(endpoints().change(found, {7, 3000})));
    const auto changed = run(endpoints().find(first.id)).value();
    EXPECT_EQ(changed.name, "elsewhere");
    EXPECT_EQ(changed.url, "http://elsewhere");
    EXPECT_FALSE(changed.insecure);
    EXPECT_EQ(changed.limits.requests_at_once, 0);
    EXPECT_EQ(changed.type, "docker-registry") << "what it is doesn't change";
    EXPECT_EQ(changed.created_at, someone.at);
    EXPECT_EQ(changed.updated_at, 3000);
    EXPECT_EQ(changed.version, 2);
    found.name = "There";
    EXPECT_FAILS(Errc::conflict, run(endpoints().change(found, someone)));
    EXPECT_SUCCEEDS(run(endpoints().remove(first.id, someone)));
    EXPECT_FAILS(Errc::not_found, run(endpoints().find(first.id)));
    EXPECT_FAILS(Errc::not_found, run(endpoints().remove(first.id, someone)));
    EXPECT_FAILS(Errc::not_found, run(endpoints().change(found, someone)));
}

TEST_P(EndpointContract, endpoints_are_listed_by_what_they_are)
{
    for (const auto* name : {"c", "a", "b"}) made(name);
    auto page = listed();
    ASSERT_EQ(page.total, 3);
    EXPECT_EQ(page.items.at(0).name, "c") << "in the order in which they came";
    page = listed({.conditions = {}, .order = {{"name", true}}, .offset = 1, .limit = 1});
    EXPECT_EQ(page.total, 3);
    ASSERT_EQ(page.items.size(), 1U);
    EXPECT_EQ(page.items.at(0).name, "b");
    EXPECT_EQ(listed({.conditions = {{"name", ListCondition::Kind::fuzzy, {"a"}}}, .order = {}}).total, 1);
    EXPECT_EQ(listed({.conditions = {{"status", ListCondition::Kind::equal, {"healthy"}}}, .order = {}}).total, 0);
    EXPECT_EQ(listed({.conditions = {{"tenant_id", ListCondition::Kind::any_of, {"0", "9"}}}, .order = {}}).total, 3);
    EXPECT_FAILS(
        Errc::bad_request,
        run(endpoints().list({.conditions = {{"access_secret", ListCondition::Kind::fuzzy, {"s"}}}, .order = {}}))
    );
}

TEST_P(EndpointContract, changes_of_endpoints_are_events_without_their_secrets)
{
    const auto events = recorded([&] {
        auto one = made("there");
        found(one.id, 5, "healthy");
        EXPECT_SUCCEEDS(run(endpoints().change(one, someone)));
        EXPECT_SUCCEEDS(run(endpoints().remove(one.id, someone)));
    });
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].type, event_type::registry_created);
    EXPECT_EQ(events[1].type, event_type::registry_updated);
    EXPECT_EQ(events[2].type, event_type::registry_deleted);
    for (const auto& event : events) EXPECT_EQ(event.details.find("sealed"), std::string::npos);
}

TEST_P(EndpointContract, an_endpoint_of_a_tenant_stays_with_it)
{
    auto wanted = endpoint("theirs");
    wanted.tenant_id = 4711;
    EXPECT_FAILS(Errc::not_found, run(endpoints().create(wanted, someone)));
    NewTenant acme;
    acme.name = "acme";
    const auto tenant = run(store().tenants().create(acme, someone)).value();
    wanted.tenant_id = tenant.id;
    const auto id = run(endpoints().create(wanted, someone)).value().id;
    EXPECT_EQ(run(endpoints().find(id))->tenant_id, tenant.id);
    EXPECT_FAILS(Errc::precondition_failed, run(store().tenants().remove(tenant.id, someone)));
    EXPECT_SUCCEEDS(run(endpoints().remove(id, someone)));
    EXPECT_SUCCEEDS(run(store().tenants().remove(tenant.id, someone)));
}

TEST_P(EndpointContract, health_is_remembered_where_it_changed)
{
    const auto id = made("there").id;
    EXPECT_TRUE(run(endpoints().health(id)).value().empty());
    found(id, 5, "healthy");
    found(id, 9, "healthy");
    auto now = run(endpoints().find(id)).value();
    EXPECT_EQ(now.status, "healthy");
    EXPECT_EQ(now.checked_at, 9);
    EXPECT_EQ(now.version, 1) << "open connections stay good";
    found(id, 12, "unhealthy", "connection refused");
    found(id, 15, "unhealthy", "timed out");
    const auto history = run(endpoints().health(id)).value();
    ASSERT_EQ(history.size(), 3U);
    EXPECT_EQ(history[0].detail, "timed out");
    EXPECT_EQ(history[1].at, 12);
    EXPECT_EQ(history[2].status, "healthy");
    EXPECT_EQ(history[2].at, 5);
    EXPECT_SUCCEEDS(run(endpoints().change(now, someone)));
    EXPECT_EQ(run(endpoints().find(id))->status, "unhealthy");
    for (Micros at = 100; at < 350; ++at) found(id, at, at % 2 == 0 ? "healthy" : "unhealthy");
    const auto newest = run(endpoints().health(id)).value();
    EXPECT_EQ(newest.size(), 200U);
    EXPECT_EQ(newest.front().at, 349);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM registry_health"), 200);
    found(id + 99, 5, "healthy");
    EXPECT_FAILS(Errc::not_found, run(endpoints().health(id + 99)));
    EXPECT_SUCCEEDS(run(endpoints().remove(id, someone)));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM registry_health"), 0);
}

TEST_P(EndpointContract, a_project_may_cache_an_endpoint_which_stays_as_long)
{
    const auto id = made("hub").id;
    EXPECT_FAILS(
        Errc::not_found, run(store().projects().create({.name = project("proxy"), .registry_id = id + 99}, someone))
    );
    const auto proxy = run(store().projects().create(
        {.name = project("proxy"), .registry_id = id, .proxy_settings = R"({"ttl":5})"}, someone
    ));
    ASSERT_TRUE(proxy) << proxy.error().detail();
    EXPECT_EQ(proxy->registry_id, id);
    EXPECT_EQ(run(store().projects().find(project("proxy")))->proxy_settings, R"({"ttl":5})");
    EXPECT_EQ(run(store().projects().find(project("p")))->registry_id, 0);
    ListQuery proxies{.conditions = {{"registry_id", ListCondition::Kind::equal, {std::to_string(id)}}}, .order = {}};
    EXPECT_EQ(run(store().projects().list(proxies, std::nullopt))->total, 1);
    EXPECT_SUCCEEDS(run(store().projects().change(proxy->id, {.is_public = true}, someone)));
    EXPECT_EQ(run(store().projects().find(proxy->id))->proxy_settings, R"({"ttl":5})");
    EXPECT_SUCCEEDS(run(store().projects().change(proxy->id, {.proxy_settings = "{}"}, someone)));
    EXPECT_EQ(run(store().projects().find(proxy->id))->proxy_settings, "{}");
    EXPECT_FAILS(Errc::precondition_failed, run(endpoints().remove(id, someone)));
    EXPECT_SUCCEEDS(run(store().projects().remove(proxy->id, someone)));
    EXPECT_SUCCEEDS(run(endpoints().remove(id, someone)));
}

class ReplicationContract : public EndpointContract {
protected:
    ReplicationCatalog& replications() { return store().replications(); }

    static ReplicationPolicy policy(std::int64_t target_id, std::string name)
    {
        ReplicationPolicy wanted;
        wanted.name = std::move(name);
        wanted.description = "all that is released";
        wanted.target_id = target_id;
        wanted.namespace_there = "mirror";
        wanted.replaced_levels = 1;
        wanted.filters = {{"name", {"shop/**"}}, {"tag", {"v*"}, true}, {"label", {"a \"b\"", "c"}}};
        wanted.trigger = {"event_based", ""};
        wanted.replicates_deletion = true;
        wanted.overrides = false;
        wanted.kilobytes_per_second = 512;
        wanted.by_chunks = true;
        wanted.single_active = true;
        wanted.confirm_all = true;
        wanted.platforms = {"linux/amd64", "linux/arm64/v8"};
        wanted.version_range = ">=1 <2";
        wanted.signed_only = true;
        wanted.with_referrers = false;
        wanted.priority = 2;
        wanted.window = {1320, 360};
        wanted.bytes_per_second = 1'000'000'000'000;
        return wanted;
    }
    std::int64_t made_policy(std::string name)
    {
        if (target_ == 0) target_ = made("there").id;
        auto created = run(replications().create(policy(target_, std::move(name)), someone));
        EXPECT_TRUE(created) << created.error().message() << created.error().detail();
        return created ? created->id : 0;
    }
    static PendingCopy pending(std::int64_t policy_id, std::string reference, Micros since = 50)
    {
        return {
            .policy_id = policy_id,
            .repository = "shop/web",
            .reference = std::move(reference),
            .digest = "sha256:1",
            .bytes = 100,
            .since = since,
        };
    }
    void note(std::vector<PendingCopy> all) { EXPECT_SUCCEEDS(run(replications().note_pending(std::move(all)))); }
    void settle(std::int64_t policy_id, std::string reference, std::string digest, bool removal = false)
    {
        EXPECT_SUCCEEDS(
            run(replications().settle({{policy_id, "shop/web", std::move(reference), std::move(digest), removal}}))
        );
    }
    std::vector<PendingCopy> pending_of(std::int64_t policy_id)
    {
        return run(replications().pending(policy_id, "", "", 1000)).value().pending;
    }
    ReplicationLag lag(std::int64_t policy_id) { return run(replications().lag(policy_id)).value().at(0); }

    std::int64_t target_ = 0;
};

TEST_P(ReplicationContract, a_policy_is_kept_as_it_was_made_and_changed)
{
    const auto id = made_policy("release");
    host().reopen();
    auto found = run(replications().find(id)).value();
    EXPECT_EQ(found.name, "release");
    EXPECT_EQ(found.description, "all that is released");
    EXPECT_EQ(found.source_id, 0);
    EXPECT_EQ(found.target_id, target_);
    EXPECT_EQ(found.namespace_there, "mirror");
    EXPECT_EQ(found.replaced_levels, 1);
    ASSERT_EQ(found.filters.size(), 3U);
    EXPECT_EQ(found.filters[0].type, "name");
    EXPECT_FALSE(found.filters[0].excludes);
    EXPECT_TRUE(found.filters[1].excludes);
    EXPECT_EQ(found.filters[2].values, (std::vector<std::string>{"a \"b\"", "c"}));
    EXPECT_EQ(found.trigger.type, "event_based");
    EXPECT_TRUE(found.replicates_deletion);
    EXPECT_FALSE(found.overrides);
    EXPECT_TRUE(found.enabled);
    EXPECT_EQ(found.kilobytes_per_second, 512);
    EXPECT_TRUE(found.by_chunks);
    EXPECT_TRUE(found.single_active);
    EXPECT_TRUE(found.confirm_all);
    EXPECT_EQ(found.platforms, (std::vector<std::string>{"linux/amd64", "linux/arm64/v8"}));
    EXPECT_EQ(found.version_range, ">=1 <2");
    EXPECT_TRUE(found.signed_only);
    EXPECT_FALSE(found.with_referrers);
    EXPECT_EQ(found.priority, 2);
    EXPECT_EQ(found.window.from, 1320);
    EXPECT_EQ(found.window.until, 360);
    EXPECT_EQ(found.bytes_per_second, 1'000'000'000'000);
    EXPECT_EQ(found.creator_id, someone.user_id);
    EXPECT_EQ(found.created_at, someone.at);
    EXPECT_FAILS(Errc::conflict, run(replications().create(policy(target_, "release"), someone)));
    EXPECT_FAILS(Errc::not_found, run(replications().create(policy(target_ + 99, "other"), someone)));
    made_policy("other");
    found.name = "pulled";
    found.source_id = target_;
    found.target_id = 0;
    found.filters.clear();
    found.platforms.clear();
    found.trigger = {"scheduled", "0 0 2 * * *"};
    EXPECT_SUCCEEDS(run(replications().change(found, {9, 3000})));
    const auto changed = run(replications().find(id)).value();
    EXPECT_EQ(changed.name, "pulled");
    EXPECT_EQ(changed.source_id, target_);
    EXPECT_EQ(changed.target_id, 0);
    EXPECT_TRUE(changed.filters.empty());
    EXPECT_TRUE(changed.platforms.empty());
    EXPECT_EQ(changed.trigger.cron, "0 0 2 * * *");
    EXPECT_EQ(changed.creator_id, someone.user_id);
    EXPECT_EQ(changed.updated_at, 3000);
    found.name = "other";
    EXPECT_FAILS(Errc::conflict, run(replications().change(found, someone)));
    found.name = "third";
    found.source_id = target_ + 99;
    EXPECT_FAILS(Errc::not_found, run(replications().change(found, someone)));
    EXPECT_SUCCEEDS(run(replications().remove(id, someone)));
    EXPECT_FAILS(Errc::not_found, run(replications().find(id)));
    EXPECT_FAILS(Errc::not_found, run(replications().remove(id, someone)));
    EXPECT_FAILS(Errc::not_found, run(replications().change(found, someone)));
}

TEST_P(ReplicationContract, policies_are_listed_the_newest_first)
{
    const auto first = made_policy("a");
    made_policy("b");
    auto pulled = run(replications().find(first)).value();
    pulled.source_id = target_;
    pulled.target_id = 0;
    pulled.enabled = false;
    EXPECT_SUCCEEDS(run(replications().change(pulled, someone)));
    const auto total = [&](const std::string& field, const std::string& value) {
        ListQuery query{.conditions = {{field, ListCondition::Kind::equal, {value}}}, .order = {}};
        return run(replications().list(query)).value().total;
    };
    const auto all = run(replications().list({})).value();
    ASSERT_EQ(all.total, 2);
    EXPECT_EQ(all.items.at(0).name, "b");
    EXPECT_EQ(total("source_id", "0"), 1);
    EXPECT_EQ(total("target_id", std::to_string(target_)), 1);
    EXPECT_EQ(total("enabled", "true"), 1);
    EXPECT_EQ(total("trigger", "event_based"), 2);
}

TEST_P(ReplicationContract, only_enabled_policies_follow_events)
{
    const auto names = [&] {
        std::vector<std::string> found;
        for (const auto& one : run(replications().event_based()).value()) found.push_back(one.name);
        return found;
    };
    const auto id = made_policy("a");
    made_policy("b");
    EXPECT_EQ(names(), (std::vector<std::string>{"a", "b"}));
    auto one = run(replications().find(id)).value();
    one.enabled = false;
    EXPECT_SUCCEEDS(run(replications().change(one, someone)));
    EXPECT_EQ(names(), std::vector<std::string>{"b"});
    one.enabled = true;
    one.trigger.type = "manual";
    EXPECT_SUCCEEDS(run(replications().change(one, someone)));
    EXPECT_EQ(names(), std::vector<std::string>{"b"});
}

TEST_P(ReplicationContract, changes_of_policies_are_events)
{
    made("there");
    target_ = listed().items.at(0).id;
    const auto events = recorded([&] {
        auto one = run(replications().create(policy(target_, "a"), someone)).value();
        EXPECT_SUCCEEDS(run(replications().change(one, someone)));
        note({pending(one.id, "v1")});
        EXPECT_SUCCEEDS(run(replications().remove(one.id, someone)));
    });
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].type, event_type::replication_policy_created);
    EXPECT_EQ(events[1].type, event_type::replication_policy_updated);
    EXPECT_EQ(events[2].type, event_type::replication_policy_deleted);
    expect_details(events[0], R"("name":"a")");
}

TEST_P(ReplicationContract, an_endpoint_stays_while_a_policy_uses_it)
{
    const auto id = made_policy("a");
    EXPECT_FAILS(Errc::precondition_failed, run(endpoints().remove(target_, someone)));
    auto one = run(replications().find(id)).value();
    std::swap(one.source_id, one.target_id);
    EXPECT_SUCCEEDS(run(replications().change(one, someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(endpoints().remove(target_, someone)));
    EXPECT_SUCCEEDS(run(replications().remove(id, someone)));
    EXPECT_SUCCEEDS(run(endpoints().remove(target_, someone)));
}

TEST_P(ReplicationContract, what_is_pending_stays_until_it_is_there)
{
    const auto id = made_policy("a");
    note({pending(id, "v2"), pending(id, "v1"), pending(id + 99, "v1")});
    host().reopen();
    auto all = pending_of(id);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].reference, "v1");
    EXPECT_EQ(all[0].repository, "shop/web");
    EXPECT_EQ(all[0].digest, "sha256:1");
    EXPECT_EQ(all[0].bytes, 100);
    EXPECT_EQ(all[0].since, 50);
    EXPECT_SUCCEEDS(run(replications().note_failure({id, "shop/web", "v1", "sha256:1"}, "timed out")));
    EXPECT_SUCCEEDS(run(replications().note_failure({id, "shop/web", "v1", "sha256:9"}, "of another time")));
    auto moved = pending(id, "v1", 70);
    moved.digest = "sha256:2";
    moved.bytes = 7;
    note({moved});
    all = pending_of(id);
    EXPECT_EQ(all[0].digest, "sha256:2");
    EXPECT_EQ(all[0].bytes, 7);
    EXPECT_EQ(all[0].since, 50) << "it has differed ever since";
    EXPECT_EQ(all[0].failures, 1);
    EXPECT_EQ(all[0].last_error, "timed out");
    settle(id, "v1", "sha256:1");
    EXPECT_EQ(pending_of(id).size(), 2U) << "it was moved meanwhile";
    settle(id, "v1", "sha256:2");
    settle(id, "v2", "");
    EXPECT_TRUE(pending_of(id).empty());
    EXPECT_SUCCEEDS(run(replications().note_failure({id, "shop/web", "v1", ""}, "of what is there")));
}

TEST_P(ReplicationContract, a_copy_that_comes_late_does_not_settle_a_removal)
{
    const auto id = made_policy("a");
    note({pending(id, "v1")});
    auto gone = pending(id, "v1");
    gone.removal = true;
    note({gone});
    settle(id, "v1", "sha256:1");
    ASSERT_EQ(pending_of(id).size(), 1U);
    EXPECT_TRUE(pending_of(id).at(0).removal);
    settle(id, "v1", "", true);
    EXPECT_TRUE(pending_of(id).empty());
    auto unknown = pending(id, "v2");
    unknown.digest = "";
    note({unknown});
    settle(id, "v2", "sha256:5");
    EXPECT_TRUE(pending_of(id).empty()) << "which digest it was about nobody knew";
}

TEST_P(ReplicationContract, what_is_pending_is_read_page_by_page)
{
    const auto id = made_policy("a");
    std::vector<PendingCopy> all;
    for (int i = 0; i < 25; ++i) {
        auto one = pending(id, "v" + std::to_string(i % 5));
        one.repository = "shop/" + std::string(1, static_cast<char>('a' + i / 5));
        all.push_back(one);
    }
    note(all);
    std::vector<std::string> seen;
    std::string repository;
    std::string reference;
    bool more = true;
    while (more) {
        const auto page = run(replications().pending(id, repository, reference, 10)).value();
        for (const auto& one : page.pending) seen.push_back(one.repository + ":" + one.reference);
        repository = page.pending.back().repository;
        reference = page.pending.back().reference;
        more = page.more;
    }
    EXPECT_EQ(seen.size(), 25U);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
}

TEST_P(ReplicationContract, the_lag_is_the_sum_of_what_is_pending)
{
    const auto id = made_policy("a");
    const auto other = made_policy("b");
    EXPECT_EQ(lag(id).artifacts, 0);
    EXPECT_EQ(lag(id).oldest, 0);
    EXPECT_TRUE(run(replications().lag(std::nullopt)).value().empty());
    EXPECT_FAILS(Errc::not_found, run(replications().lag(id + 99)));
    note({pending(id, "v1", 60), pending(id, "v2", 40), pending(other, "v1", 90)});
    EXPECT_SUCCEEDS(run(replications().note_failure({id, "shop/web", "v2", ""}, "refused")));
    EXPECT_EQ(lag(id).artifacts, 2);
    EXPECT_EQ(lag(id).bytes, 200);
    EXPECT_EQ(lag(id).oldest, 40);
    EXPECT_EQ(lag(id).failed, 1);
    const auto all = run(replications().lag(std::nullopt)).value();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[1].policy_id, other);
    EXPECT_SUCCEEDS(run(replications().remove(id, someone)));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM replication_pending"), 1);
}

TEST_P(ReplicationContract, many_instances_note_and_settle_the_same_at_once)
{
    const auto id = made_policy("a");
    {
        Crowd crowd;
        for (int i = 0; i < 8; ++i) {
            crowd.add([&, i] {
                std::vector<PendingCopy> some;
                for (int n = 0; n < 20; ++n) some.push_back(pending(id, "v" + std::to_string((n * 7 + i) % 20)));
                note(some);
                if (i % 2 == 0) return;
                std::vector<ReplicationCatalog::Settled> settled;
                for (int n = 19; n >= 0; --n) settled.push_back({id, "shop/web", "v" + std::to_string(n), ""});
                EXPECT_SUCCEEDS(run(replications().settle(settled)));
            });
        }
    }
    EXPECT_LE(pending_of(id).size(), 20U);
    EXPECT_EQ(lag(id).artifacts, static_cast<std::int64_t>(pending_of(id).size()));
}

}  // namespace entrepot::contract

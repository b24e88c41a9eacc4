#pragma once

#include "tests/contract/metadata_store_contract_races.hpp"
#include "tests/contract/metadata_store_recounts.hpp"

namespace entrepot::contract {

class QuotaContract : public MetadataStoreContract {
protected:
    void limit(std::string_view name, ProjectQuota quota)
    {
        const auto found = run(store().projects().find(project(std::string{name})));
        ASSERT_TRUE(found);
        EXPECT_SUCCEEDS(run(store().projects().set_quota(found->id, quota, someone)));
    }
    std::int64_t bytes_of(std::string_view name)
    {
        return run(store().projects().find(project(std::string{name})))->bytes;
    }
    Result<> push(const std::string& repository_name, const std::string& bytes)
    {
        const auto arrived = run(store().blobs().arrive(arrival(repository(repository_name), bytes)));
        if (!arrived) return std::unexpected{arrived.error()};
        return {};
    }
};

TEST_P(QuotaContract, what_exceeds_a_projects_bytes_is_refused_and_leaves_nothing)
{
    limit("p", {.bytes = 10});
    EXPECT_SUCCEEDS(push("p/a", "123456"));
    EXPECT_FAILS(Errc::quota_exceeded, push("p/b", "12345"));
    EXPECT_FAILS(Errc::blob_unknown, run(store().blobs().load(repository("p/b"), digest_of("12345"))));
    EXPECT_EQ(bytes_of("p"), 6);
    EXPECT_SUCCEEDS(push("p/b", "1234"));
    EXPECT_EQ(bytes_of("p"), 10);
}

TEST_P(QuotaContract, a_blob_counts_once_in_a_project)
{
    limit("p", {.bytes = 6});
    EXPECT_SUCCEEDS(push("p/a", "123456"));
    EXPECT_SUCCEEDS(push("p/b", "123456"));
    EXPECT_SUCCEEDS(run(store().blobs().mount(repository("p/c"), repository("p/a"), digest_of("123456"), someone)));
    EXPECT_EQ(bytes_of("p"), 6);
    EXPECT_SUCCEEDS(run(store().blobs().remove(repository("p/a"), digest_of("123456"), someone)));
    EXPECT_EQ(bytes_of("p"), 6);
    EXPECT_FAILS(Errc::quota_exceeded, push("p/a", "7"));
}

TEST_P(QuotaContract, a_manifest_needs_room_for_itself_and_for_one_artifact)
{
    const Image image{.blobs = {"c"}};
    const auto size = static_cast<std::int64_t>(image.bytes().size());
    EXPECT_SUCCEEDS(push("p/a", "c"));
    limit("p", {.bytes = size});
    EXPECT_FAILS(Errc::quota_exceeded, run(store().manifests().commit(pushed(repository("p/a"), image, {"v"}))));
    limit("p", {.bytes = size + 1, .artifacts = 0});
    EXPECT_FAILS(Errc::quota_exceeded, run(store().manifests().commit(pushed(repository("p/a"), image, {"v"}))));
    limit("p", {.artifacts = 1});
    EXPECT_SUCCEEDS(run(store().manifests().commit(pushed(repository("p/a"), image, {"v"}))));
    EXPECT_SUCCEEDS(run(store().manifests().commit(pushed(repository("p/a"), image, {"w"}))));
    EXPECT_EQ(bytes_of("p"), size + 1);
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), Reference{digest_of(image.bytes())}, someone)));
    EXPECT_EQ(bytes_of("p"), 1);
}

TEST_P(QuotaContract, projects_without_a_limit_share_what_their_tenant_has_left)
{
    NewTenant roomy;
    roomy.name = "t";
    roomy.quota_bytes = 20;
    const auto tenant = run(store().tenants().create(roomy, someone));
    ASSERT_TRUE(tenant);
    const auto made = [&](const char* name, std::int64_t bytes) {
        NewProject wanted{.name = project(name)};
        wanted.tenant_id = tenant->id;
        wanted.quota_bytes = bytes;
        EXPECT_SUCCEEDS(run(store().projects().create(wanted, someone)));
    };
    made("own", 8);
    made("one", no_quota);
    made("two", no_quota);
    EXPECT_SUCCEEDS(push("one/a", "1234567"));
    EXPECT_SUCCEEDS(push("two/a", "abcde"));
    EXPECT_FAILS(Errc::quota_exceeded, push("two/a", "x"));
    EXPECT_SUCCEEDS(push("own/a", "12345678"));
    EXPECT_FAILS(Errc::quota_exceeded, push("own/a", "y"));
}

TEST_P(QuotaContract, an_upload_claims_what_it_will_hold)
{
    limit("p", {.bytes = 100});
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(1, "p/a"), 5)));
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(2, "p/b"), 5)));
    const auto first = run(store().uploads().take(repository("p/a"), upload_id(1), 60, std::nullopt, someone.at));
    ASSERT_TRUE(first);
    EXPECT_FAILS(
        Errc::quota_exceeded, run(store().uploads().take(repository("p/b"), upload_id(2), 50, std::nullopt, someone.at))
    );
    EXPECT_FAILS(Errc::quota_exceeded, push("p/c", std::string(50, 'c')));
    EXPECT_SUCCEEDS(push("p/c", std::string(40, 'c')));

    auto arrived = arrival(repository("p/a"), std::string(60, 'a'));
    arrived.upload = upload_id(1);
    arrived.fence = first->fence;
    EXPECT_SUCCEEDS(run(store().blobs().arrive(arrived)));
    EXPECT_EQ(bytes_of("p"), 100);
    EXPECT_EQ(host().number("SELECT count(*) FROM quota_claims"), 0);
}

TEST_P(QuotaContract, an_upload_that_ends_or_that_nobody_goes_on_with_gives_its_claim_back)
{
    limit("p", {.bytes = 100});
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(1, "p/a"), 5)));
    EXPECT_SUCCEEDS(run(store().uploads().take(repository("p/a"), upload_id(1), 90, std::nullopt, someone.at)));
    EXPECT_FAILS(Errc::quota_exceeded, push("p/c", std::string(50, 'c')));
    EXPECT_SUCCEEDS(run(store().uploads().cancel(repository("p/a"), upload_id(1))));
    EXPECT_SUCCEEDS(push("p/c", std::string(50, 'c')));

    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(2, "p/a"), 5)));
    EXPECT_SUCCEEDS(run(store().uploads().take(repository("p/a"), upload_id(2), 50, std::nullopt, someone.at)));
    EXPECT_FAILS(Errc::quota_exceeded, push("p/d", std::string(50, 'd')));
    auto later = arrival(repository("p/d"), std::string(50, 'd'));
    later.actor.at = someone.at + 2LL * 3600 * 1'000'000;
    EXPECT_SUCCEEDS(run(store().blobs().arrive(later)));
    EXPECT_SUCCEEDS(run(store().quotas().settle(later.actor.at)));
    EXPECT_EQ(host().number("SELECT count(*) FROM quota_claims"), 0);
}

TEST_P(QuotaContract, an_upload_of_unknown_length_is_stopped_where_it_outgrows_the_quota)
{
    limit("p", {.bytes = 100});
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(1, "p/a"), 5)));
    const auto taken = run(store().uploads().take(repository("p/a"), upload_id(1), 0, std::nullopt, someone.at));
    ASSERT_TRUE(taken);
    EXPECT_SUCCEEDS(run(store().uploads().advance(upload_id(1), taken->fence, 100, "h", someone.at)));
    EXPECT_FAILS(
        Errc::quota_exceeded, run(store().uploads().advance(upload_id(1), taken->fence, 101, "h", someone.at))
    );
}

TEST_P(QuotaContract, concurrent_pushes_fill_a_quota_to_the_byte_and_never_beyond)
{
    constexpr int pushers = 8;
    constexpr int each = 20;
    limit("p", {.bytes = 10 * 50});
    std::atomic<int> stored{0};
    std::atomic<int> odd{0};
    Crowd crowd;
    for (int t = 0; t < pushers; ++t) {
        crowd.add([&, t] {
            for (int i = 0; i < each; ++i) {
                const std::string bytes = std::to_string(1'000'000'000 + t * each + i);  // 10 bytes
                const auto done = push("p/r" + std::to_string(t), bytes);
                if (done)
                    ++stored;
                else if (done.error().code() != Errc::quota_exceeded)
                    ++odd;
            }
        });
    }
    crowd.join();
    EXPECT_EQ(odd, 0);
    EXPECT_EQ(stored, 50);
    EXPECT_EQ(bytes_of("p"), 500);
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
}

TEST_P(QuotaContract, settling_changes_where_numbers_stand_and_not_what_they_are)
{
    const Image image{.blobs = {"c"}};
    EXPECT_SUCCEEDS(push("p/a", "c"));
    EXPECT_SUCCEEDS(run(store().manifests().commit(pushed(repository("p/a"), image, {"v"}))));
    const auto before = run(store().projects().find(project("p")));
    EXPECT_SUCCEEDS(run(store().quotas().settle(someone.at)));
    EXPECT_EQ(host().number("SELECT count(*) FROM project_deltas"), 0);
    const auto after = run(store().projects().find(project("p")));
    EXPECT_EQ(after->bytes, before->bytes);
    EXPECT_EQ(after->artifact_count, before->artifact_count);
    EXPECT_EQ(host().number("SELECT bytes FROM projects WHERE name = 'p'"), after->bytes);
    for (const auto& query : recounts()) EXPECT_EQ(host().number(query), 0) << query;
}

TEST_P(QuotaContract, a_recount_finds_and_mends_what_somebody_changed_behind_its_back)
{
    const Image image{.blobs = {"c"}};
    EXPECT_SUCCEEDS(push("p/a", "c"));
    EXPECT_SUCCEEDS(run(store().manifests().commit(pushed(repository("p/a"), image, {"v"}))));
    const auto right = run(store().projects().find(project("p")));
    const auto clean = run(store().quotas().recount(0));
    ASSERT_TRUE(clean);
    EXPECT_EQ(clean->project_id, right->id);
    EXPECT_EQ(clean->bytes, 0);
    host().number(
        "UPDATE projects SET bytes = bytes + 7, artifact_count = artifact_count + 2 WHERE name = 'p' RETURNING id"
    );
    const auto drift = run(store().quotas().recount(0));
    EXPECT_EQ(drift->bytes, 7);
    EXPECT_EQ(drift->artifacts, 2);
    EXPECT_EQ(bytes_of("p"), right->bytes);
    EXPECT_EQ(run(store().quotas().recount(right->id))->project_id, 0);
}

TEST_P(QuotaContract, each_level_is_warned_of_once_until_it_is_reached_anew)
{
    const auto warned = [&] { return host().number("SELECT count(*) FROM events WHERE type = 'quota.warned'"); };
    const auto warn = [&] { return run(store().quotas().warn({50, 90}, someone.at)); };
    limit("p", {.bytes = 100});
    EXPECT_SUCCEEDS(push("p/a", std::string(49, 'a')));
    EXPECT_EQ(warn()->at(0).projects, 0);
    EXPECT_EQ(warned(), 0);

    EXPECT_SUCCEEDS(push("p/a", "b"));
    const auto half = warn();
    EXPECT_EQ(half->at(0).percent, 50);
    EXPECT_EQ(half->at(0).projects, 1);
    EXPECT_EQ(half->at(1).projects, 0);
    EXPECT_EQ(warned(), 1);
    EXPECT_SUCCEEDS(warn());
    EXPECT_EQ(warned(), 1) << "nothing has changed";

    EXPECT_SUCCEEDS(push("p/a", std::string(45, 'c')));
    EXPECT_EQ(warn()->at(1).projects, 1);
    EXPECT_EQ(warned(), 2);
    EXPECT_SUCCEEDS(run(store().blobs().remove(repository("p/a"), digest_of(std::string(45, 'c')), someone)));
    EXPECT_SUCCEEDS(warn());
    EXPECT_EQ(warned(), 2) << "less is no news";
    EXPECT_SUCCEEDS(push("p/a", std::string(45, 'c')));
    EXPECT_SUCCEEDS(warn());
    EXPECT_EQ(warned(), 3);
    limit("p", {.bytes = -1});
    EXPECT_SUCCEEDS(warn());
    EXPECT_EQ(host().number("SELECT count(*) FROM quota_levels"), 0);
}

TEST_P(QuotaContract, a_tenant_is_warned_of_what_all_its_projects_use)
{
    NewTenant roomy;
    roomy.name = "t";
    roomy.quota_bytes = 10;
    const auto tenant = run(store().tenants().create(roomy, someone));
    ASSERT_TRUE(tenant);
    for (const auto* name : {"one", "two"}) {
        NewProject wanted{.name = project(name)};
        wanted.tenant_id = tenant->id;
        EXPECT_SUCCEEDS(run(store().projects().create(wanted, someone)));
    }
    EXPECT_SUCCEEDS(push("one/a", "1234"));
    EXPECT_SUCCEEDS(push("two/a", "56789"));
    EXPECT_EQ(run(store().quotas().warn({90}, someone.at))->at(0).tenants, 1);
    const auto of_tenant = "SELECT tenant_id FROM events WHERE type = 'quota.warned' AND project_id = 0";
    EXPECT_EQ(host().number(of_tenant), tenant->id);
}

TEST_P(QuotaContract, instances_that_warn_at_once_tell_each_level_once)
{
    limit("p", {.bytes = 2});
    EXPECT_SUCCEEDS(push("p/a", "12"));
    Crowd crowd;
    for (int t = 0; t < 4; ++t) {
        crowd.add([&] { EXPECT_SUCCEEDS(run(store().quotas().warn({85}, someone.at))); });
    }
    crowd.join();
    EXPECT_EQ(host().number("SELECT count(*) FROM events WHERE type = 'quota.warned'"), 1);
}

TEST_P(QuotaContract, refusals_become_events_of_their_project)
{
    EXPECT_SUCCEEDS(run(store().quotas().note(
        {{.project = "p", .count = 3, .message = "no room", .last = someone.at}, {.project = "gone", .count = 1}}
    )));
    EXPECT_EQ(host().number("SELECT count(*) FROM events WHERE type = 'quota.exceeded'"), 1);
    EXPECT_EQ(
        host().number("SELECT count(*) FROM events WHERE type = 'quota.exceeded' AND details LIKE '%no room%'"), 1
    );
}

TEST_P(QuotaContract, what_a_project_uses_is_charged_once_referenced_each_time_and_shared_with_other_projects)
{
    const Image first{.blobs = {"cccccccccc"}};
    const Image second{.blobs = {"cccccccccc", "dd"}};
    NewProject wanted{.name = project("q")};
    EXPECT_SUCCEEDS(run(store().projects().create(wanted, someone)));
    for (const auto* bytes : {"cccccccccc", "dd"}) EXPECT_SUCCEEDS(push("p/a", bytes));
    EXPECT_SUCCEEDS(push("q/a", "cccccccccc"));
    EXPECT_SUCCEEDS(run(store().manifests().commit(pushed(repository("p/a"), first, {"v"}))));
    EXPECT_SUCCEEDS(run(store().manifests().commit(pushed(repository("p/a"), second, {"w"}))));
    const auto manifests = static_cast<std::int64_t>(first.bytes().size() + second.bytes().size());

    const auto p = run(store().usage().measure(0, 7, UsageLedger::Which::not_yet));
    const auto q = run(store().usage().measure(*p, 7, UsageLedger::Which::not_yet));
    EXPECT_EQ(run(store().usage().measure(*q, 7, UsageLedger::Which::not_yet)), 0);
    EXPECT_EQ(run(store().usage().measure(0, 7, UsageLedger::Which::not_yet)), 0) << "the day is done";
    EXPECT_EQ(run(store().usage().measure(0, 7, UsageLedger::Which::all)), *p);

    const auto days = run(store().usage().by_day({.project_id = *p, .first_day = 0, .last_day = 9}));
    ASSERT_EQ(days->size(), 1U);
    EXPECT_EQ(days->at(0).day, 7);
    EXPECT_EQ(days->at(0).usage.charged, manifests + 12);
    EXPECT_EQ(days->at(0).usage.referenced, manifests + 10 + 12);
    EXPECT_EQ(days->at(0).usage.stored, manifests + 5 + 2);
    EXPECT_EQ(days->at(0).usage.artifacts, 2);
}

TEST_P(QuotaContract, a_tenants_usage_is_that_of_its_projects_also_of_those_that_are_gone)
{
    NewTenant wanted;
    wanted.name = "t";
    const auto tenant = run(store().tenants().create(wanted, someone));
    ASSERT_TRUE(tenant);
    for (const auto* name : {"one", "two"}) {
        NewProject of_tenant{.name = project(name)};
        of_tenant.tenant_id = tenant->id;
        EXPECT_SUCCEEDS(run(store().projects().create(of_tenant, someone)));
    }
    EXPECT_SUCCEEDS(push("one/a", "1234"));
    EXPECT_SUCCEEDS(push("two/a", "56789"));
    const auto measure = [&](std::int64_t day) {
        for (std::int64_t after = 0;;) {
            after = *run(store().usage().measure(after, day, UsageLedger::Which::not_yet));
            if (after == 0) return;
        }
    };
    measure(1);
    EXPECT_SUCCEEDS(run(store().blobs().remove(repository("one/a"), digest_of("1234"), someone)));
    measure(2);
    const auto one = run(store().projects().find(project("one")));
    EXPECT_SUCCEEDS(run(store().projects().remove(one->id, someone)));
    measure(3);

    const UsageSpan span{.tenant_id = tenant->id, .first_day = 1, .last_day = 3};
    const auto days = run(store().usage().by_day(span));
    ASSERT_EQ(days->size(), 3U);
    EXPECT_EQ(days->at(0).usage.charged, 9);
    EXPECT_EQ(days->at(1).usage.charged, 5);
    EXPECT_EQ(days->at(1).projects, 2);
    EXPECT_EQ(days->at(2).projects, 1);
    ListQuery query;
    query.limit = 1;
    const auto page = run(store().usage().by_project(span, query));
    EXPECT_EQ(page->total, 2);
    ASSERT_EQ(page->items.size(), 1U);
    EXPECT_EQ(page->items[0].project, "two");
    EXPECT_EQ(page->items[0].days, 3);
    EXPECT_EQ(page->items[0].byte_days.charged, 15);
    query.offset = 1;
    EXPECT_EQ(run(store().usage().by_project(span, query))->items.at(0).byte_days.charged, 4);

    EXPECT_SUCCEEDS(run(store().usage().forget_before(3)));
    EXPECT_EQ(run(store().usage().by_day(span))->size(), 1U);
}

}  // namespace entrepot::contract

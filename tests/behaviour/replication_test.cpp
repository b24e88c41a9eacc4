// Executions of policies: what is planned, copied, left alone and given up.
#include "tests/behaviour/replicating.hpp"

namespace entrepot {
namespace {

TEST_F(Replicating, pushes_what_a_policy_names_and_then_nothing_more)
{
    image(here, "shop/web", "one", "1");
    image(here, "shop/web", "two", "2");
    image(here, "shop/team/api", "three", "1");
    image(here, "other/web", "four", "1");
    catalog.policy.filters = {{.type = "name", .values = {"shop/**"}}, {.type = "tag", .values = {"1"}}};
    catalog.policy.namespace_there = "mirror";
    const auto end = plan();
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_EQ(end->kind, JobEnd::Kind::done);
    EXPECT_EQ(ReplicationTally::parse(end->result).copied, 2);
    EXPECT_EQ(queue.jobs.size(), 2U) << "a task for each repository";
    EXPECT_EQ(queue.jobs[0].second.parent_id, 11);
    EXPECT_EQ(queue.jobs[0].second.kind, ReplicationTask::kind);
    EXPECT_EQ(catalog.rows.size(), 2U);
    const auto done = work_off();
    EXPECT_EQ(done.copied, 2);
    EXPECT_TRUE(catalog.rows.empty()) << "what was copied is pending no more";
    EXPECT_TRUE(there.is_whole(name("mirror/web"), tagged("1")));
    EXPECT_TRUE(there.is_whole(name("mirror/api"), tagged("1")));
    EXPECT_FALSE(run(there.look(name("mirror/web"), tagged("2"))));
    EXPECT_TRUE(logged("shop/web:1 → mirror/web:1: copied"));

    ASSERT_TRUE(plan());
    EXPECT_TRUE(queue.jobs.empty()) << "nothing to do";
}

TEST_F(Replicating, pulls_from_another_registry)
{
    image(there, "library/redis", "layer", "7");
    catalog.policy.source_id = 7;
    catalog.policy.target_id = 0;
    catalog.policy.namespace_there = "cache";
    catalog.policy.filters = {{.type = "name", .values = {"library/redis"}}};
    ASSERT_TRUE(plan());
    EXPECT_EQ(there.counts().lists, 1U) << "tags alone: a filter without wildcards names its repositories";
    EXPECT_EQ(work_off().copied, 1);
    EXPECT_TRUE(here.is_whole(name("cache/redis"), tagged("7")));
}

TEST_F(Replicating, a_source_that_lists_nothing_needs_names)
{
    MemorySite hub{{.lists_repositories = false, .tells_states = false}};
    upstreams.lead_to(hub);
    image(hub, "library/redis", "layer", "7");
    catalog.policy.source_id = 7;
    catalog.policy.target_id = 0;
    catalog.policy.filters = {{.type = "name", .values = {"library/**"}}};
    const auto end = plan();
    ASSERT_TRUE(end);
    EXPECT_EQ(end->kind, JobEnd::Kind::failed);
    EXPECT_TRUE(end->result.contains("without wildcards"));
    catalog.policy.filters = {{.type = "name", .values = {"library/{redis,nothing}"}}};
    ASSERT_TRUE(plan());
    EXPECT_EQ(work_off().copied, 1);
}

TEST_F(Replicating, what_is_not_overridden_stays)
{
    image(here, "shop/web", "one", "1");
    const auto old = image(there, "shop/web", "other", "1");
    catalog.policy.overrides = false;
    ASSERT_TRUE(plan());
    EXPECT_TRUE(queue.jobs.empty());
    EXPECT_EQ(run(there.look(name("shop/web"), tagged("1")))->digest, old.digest);
}

TEST_F(Replicating, labels_choose_among_this_registrys_artifacts)
{
    image(here, "shop/web", "one", "1");
    image(here, "shop/web", "two", "2");
    artifacts.labels["2"] = R"([{"id":1,"name":"prod"}])";
    artifacts.labels["1"] = "[]";
    catalog.policy.filters = {{.type = "label", .values = {"prod"}}};
    ASSERT_TRUE(plan());
    ASSERT_EQ(queue.jobs.size(), 1U);
    EXPECT_EQ(ReplicationTask::parse(queue.jobs[0].second.parameters)->references, std::vector<std::string>{"2"});
}

TEST_F(Replicating, a_planner_killed_between_its_jobs_and_its_checkpoint_copies_nothing_twice)
{
    for (int index = 0; index < 200; ++index) image(here, "shop/r" + std::to_string(1000 + index), "layer", "1");
    TestRun killed{11, ReplicationOrder{.policy_id = 3, .user_id = 1}.json()};
    killed.dies_at_save = 2;
    EXPECT_FALSE(plan(killed));
    EXPECT_EQ(queue.jobs.size(), 128U) << "two steps' jobs, one step's checkpoint";
    // Some of them are done meanwhile, others are not.
    for (int done = 0; done < 100; ++done) {
        TestRun task{queue.jobs.front().first, queue.jobs.front().second.parameters};
        ASSERT_TRUE(run(copier.run(task)));
        queue.jobs.pop_front();
    }
    const auto pushes = there.counts().pushes;
    EXPECT_EQ(pushes, 100U);
    ASSERT_TRUE(plan(killed.saved_checkpoint));
    EXPECT_EQ(queue.jobs.size(), 100U) << "what waits is not added again, what is done is not planned again";
    work_off();
    EXPECT_EQ(there.counts().pushes, 200U);
}

// A listing of a hundred thousand repositories, made up page by page.
class EndlessShelf final : public CopySite {
public:
    explicit EndlessShelf(std::size_t count, std::size_t missing_every) : count_{count}, missing_every_{missing_every}
    {
    }
    Task<Listing> repositories(PageRequest page) override
    {
        Listing listing;
        auto index = page.last.empty() ? 0 : std::stoul(page.last.substr(8)) - base + 1;
        for (; index < count_ && std::ssize(listing.names) < page.limit; ++index) listing.names.push_back(named(index));
        if (index < count_) listing.next = listing.names.back();
        co_return listing;
    }
    Task<Listing> tags(RepositoryName, PageRequest) override { co_return Listing{{"1"}, {}}; }
    Task<ManifestHead> look(RepositoryName repository, Reference) override
    {
        const auto index = std::stoul(repository.text().substr(8)) - base;
        if (missing_every_ != 0 && index % missing_every_ == 0) co_return fail(Errc::manifest_unknown, "not there");
        co_return ManifestHead{digest_of(repository.text()), std::string{media::oci_manifest}, 100};
    }
    static std::string named(std::size_t index) { return "project/" + std::to_string(base + index); }

    Task<CopiedManifest> manifest(RepositoryName, Reference) override { co_return fail(Errc::unsupported, "no"); }
    Task<BlobStream> blob(RepositoryName, Digest, std::uint64_t) override { co_return fail(Errc::unsupported, "no"); }
    Task<ReferrerPage> referrers(RepositoryName, Digest, PageRequest) override { co_return ReferrerPage{}; }
    Task<> prepare(RepositoryName) override { co_return Result<>{}; }
    Task<bool> holds(RepositoryName, Digest) override { co_return false; }
    Task<bool> mount(RepositoryName, RepositoryName, Digest) override { co_return false; }
    Task<> put(RepositoryName, Digest, std::string) override { co_return fail(Errc::unsupported, "no"); }
    Task<CopyUpload> begin(RepositoryName, DigestAlgorithm, std::optional<std::uint64_t>) override
    {
        co_return fail(Errc::unsupported, "no");
    }
    Task<CopyUpload> resume(RepositoryName, std::string) override { co_return fail(Errc::unsupported, "no"); }
    Task<CopyUpload> append(RepositoryName, CopyUpload, ByteSource&, std::uint64_t) override
    {
        co_return fail(Errc::unsupported, "no");
    }
    Task<> finish(RepositoryName, CopyUpload, Digest) override { co_return fail(Errc::unsupported, "no"); }
    Task<> cancel(RepositoryName, std::string) override { co_return Result<>{}; }
    Task<> push(RepositoryName, Reference, CopiedManifest) override { co_return fail(Errc::unsupported, "no"); }
    Task<> remove(RepositoryName, Reference) override { co_return fail(Errc::unsupported, "no"); }
    Task<> ping() override { co_return Result<>{}; }
    Micros rests_until() const override { return 0; }

private:
    static constexpr std::size_t base = 1'000'000;
    std::size_t count_;
    std::size_t missing_every_;
};

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// A tenth of them under a sanitizer, which also keeps for a while what was freed.
TEST_F(Replicating, a_hundred_thousand_repositories_are_planned_page_by_page)
{
    constexpr int many = sanitized ? 10'000 : 100'000;
    EndlessShelf source{many, 0};
    EndlessShelf target{many, many / 100};
    upstreams.lead_to(target);
    ReplicationSites vast{
        upstreams,
        [&](const ReplicationPolicy&) { return std::shared_ptr<CopySite>{&source, [](CopySite*) {}}; },
        real_clock,
        random
    };
    ReplicationPlan vast_planner{{catalog, vast, queue, jobs, artifacts, clock}};
    TestRun execution{11, ReplicationOrder{.policy_id = 3, .user_id = 1}.json()};
    rusage before{};
    ::getrusage(RUSAGE_SELF, &before);
    const auto end = run(vast_planner.run(execution));
    rusage after{};
    ::getrusage(RUSAGE_SELF, &after);
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_EQ(ReplicationTally::parse(end->result).copied, 100);
    EXPECT_EQ(ReplicationTally::parse(end->result).skipped, many - 100);
    EXPECT_EQ(queue.jobs.size(), 100U);
    EXPECT_LT(execution.largest, 500U) << "the checkpoint is a place, not a list";
    EXPECT_LT(after.ru_maxrss - before.ru_maxrss, (sanitized ? 200 : 20) * 1024) << "KiB";
}

TEST_F(Replicating, an_execution_gives_way_to_one_under_way_where_only_one_may_be)
{
    image(here, "shop/web", "one", "1");
    catalog.policy.single_active = true;
    Job other;
    other.id = 50;
    other.kind = ReplicationTask::kind;
    other.parent_id = 10;
    jobs.running = {other};
    ASSERT_TRUE(plan());
    EXPECT_TRUE(queue.jobs.empty());
    EXPECT_TRUE(logged("still in progress"));
    jobs.running[0].parent_id = 11;
    ASSERT_TRUE(plan()) << "its own tasks, after a crash";
    EXPECT_EQ(queue.jobs.size(), 1U);
}

TEST_F(Replicating, waits_for_its_window_and_stops_between_chunks_when_it_closes)
{
    image(here, "shop/web", std::string(30'000'000, 'x'), "1");
    ASSERT_TRUE(plan());
    const auto minute = static_cast<std::int32_t>(clock.now() / 60'000'000 % (24 * 60));
    catalog.policy.window = {.from = (minute + 60) % 1440, .until = (minute + 120) % 1440};
    const auto later = plan();
    ASSERT_TRUE(later);
    EXPECT_EQ(later->kind, JobEnd::Kind::later);
    EXPECT_GT(later->wait, 3'500'000'000);
    EXPECT_LE(later->wait, 3'600'000'000);

    catalog.policy.window = {.from = minute, .until = (minute + 1) % 1440};
    TroubledSite link{there};
    upstreams.lead_to(link);
    link.before = [&](const std::string& method) -> std::optional<Error> {
        if (method == "append") clock.advance(std::chrono::minutes{1});
        return std::nullopt;
    };
    TestRun task{queue.jobs[0].first, queue.jobs[0].second.parameters};
    const auto closed = run(copier.run(task));
    ASSERT_TRUE(closed) << closed.error().message();
    EXPECT_EQ(closed->kind, JobEnd::Kind::later);
    EXPECT_FALSE(run(there.look(name("shop/web"), tagged("1"))));
    EXPECT_EQ(link.passed, 8U << 20U) << "the chunk under way, no more";
    catalog.policy.window = {};
    link.before = nullptr;
    TestRun again{queue.jobs[0].first, queue.jobs[0].second.parameters, task.saved_checkpoint};
    ASSERT_EQ(run(copier.run(again))->kind, JobEnd::Kind::done);
    EXPECT_TRUE(again.logged("goes on at 8.0 MiB"));
    EXPECT_TRUE(there.is_whole(name("shop/web"), tagged("1")));
    EXPECT_EQ(there.counts().begun, 1U);
}

TEST_F(Replicating, one_artifact_that_fails_keeps_no_other_from_being_copied)
{
    image(here, "shop/web", "one", "1");
    image(here, "shop/web", "two", "2");
    ASSERT_TRUE(plan());
    TroubledSite link{there};
    upstreams.lead_to(link);
    int pushes = 0;
    link.before = [&](const std::string& method) -> std::optional<Error> {
        if (method != "push" || ++pushes != 1) return std::nullopt;
        return Error{Errc::denied, "the tag is immutable"};
    };
    TestRun task{queue.jobs[0].first, queue.jobs[0].second.parameters};
    const auto end = run(copier.run(task));
    ASSERT_TRUE(end);
    EXPECT_EQ(end->kind, JobEnd::Kind::failed);
    const auto tally = ReplicationTally::parse(end->result);
    EXPECT_EQ(tally.copied, 1);
    EXPECT_EQ(tally.failed, 1);
    EXPECT_EQ(tally.error, "the tag is immutable");
    ASSERT_EQ(catalog.rows.size(), 1U);
    EXPECT_EQ(catalog.rows.begin()->second.failures, 1);
    EXPECT_TRUE(task.logged("failed: the tag is immutable"));
}

TEST_F(Replicating, a_target_that_asks_for_a_rest_is_left_alone)
{
    image(here, "shop/web", "one", "1");
    ASSERT_TRUE(plan());
    TroubledSite link{there};
    upstreams.lead_to(link);
    link.rests = real_clock.now() + 600'000'000;
    link.before = [](const std::string&) -> std::optional<Error> {
        return Error{Errc::too_many_requests, "too many requests"};
    };
    TestRun task{queue.jobs[0].first, queue.jobs[0].second.parameters};
    const auto end = run(copier.run(task));
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_EQ(end->kind, JobEnd::Kind::later);
    EXPECT_GT(end->wait, 590'000'000);
}

TEST_F(Replicating, one_repository_that_fails_keeps_no_other_from_being_planned)
{
    for (const auto* repository : {"shop/a", "shop/b", "shop/c"}) image(here, repository, "one", "1");
    TroubledSite link{there};
    upstreams.lead_to(link);
    int looks = 0;
    link.before = [&](const std::string& method) -> std::optional<Error> {
        if (method != "look" || ++looks != 1) return std::nullopt;
        return Error{Errc::denied, "no access to this one"};
    };
    TestRun execution{11, ReplicationOrder{.policy_id = 3, .user_id = 1}.json()};
    const auto end = plan(execution);
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_EQ(end->kind, JobEnd::Kind::failed);
    const auto tally = ReplicationTally::parse(end->result);
    EXPECT_EQ(tally.copied, 2);
    EXPECT_EQ(tally.failed, 1);
    EXPECT_EQ(tally.skipped, 0);
    EXPECT_EQ(tally.error, "no access to this one");
    EXPECT_TRUE(execution.logged(":1: failed: no access to this one"));
    EXPECT_EQ(queue.jobs.size(), 2U);
}

TEST_F(Replicating, a_stopped_execution_stops_the_tasks_that_it_added_since)
{
    image(here, "shop/web", "one", "1");
    TestRun execution{11, ReplicationOrder{.policy_id = 3, .user_id = 1}.json()};
    execution.after_save = [&] { execution.stops = true; };
    const auto end = plan(execution);
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_EQ(end->kind, JobEnd::Kind::stopped);
    EXPECT_EQ(queue.jobs.size(), 1U);
    EXPECT_EQ(jobs.stopped, std::vector<std::int64_t>{11});
}

TEST_F(Replicating, what_is_pending_for_nothing_is_settled_by_the_next_plan)
{
    const auto equal = image(here, "shop/web", "one", "equal");
    image(there, "shop/web", "one", "equal");
    image(here, "shop/web", "three", "lacking");
    image(here, "shop/web", "four", "unwanted");
    image(there, "shop/web", "of its own", "removed-1");
    const auto removed = image(there, "shop/web", "gone", "removed-2");
    const auto note = [&](const std::string& tag, bool removal, std::string digest) {
        PendingCopy row{.policy_id = 3, .repository = "shop/web", .reference = tag, .removal = removal};
        row.digest = std::move(digest);
        row.failures = 5;
        catalog.rows[{"shop/web", tag}] = row;
    };
    note("equal", false, digest_of("older").text());
    note("gone", false, digest_of("gone").text());
    note("lacking", false, digest_of("older").text());
    note("removed-1", true, digest_of("deleted").text());
    note("removed-2", true, removed.digest.text());
    note("unwanted", false, "");
    catalog.policy.replicates_deletion = true;
    catalog.policy.filters = {{.type = "tag", .values = {"unwanted"}, .excludes = true}};
    const auto end = plan();
    ASSERT_TRUE(end) << end.error().message();
    std::vector<std::string> left;
    for (const auto& [key, row] : catalog.rows) left.push_back(key.second);
    EXPECT_EQ(left, (std::vector<std::string>{"lacking", "removed-2"}));
    EXPECT_TRUE(logged("4 that were noted as pending are no more"));
    EXPECT_EQ(work_off().copied, 1);
    EXPECT_EQ(catalog.rows.size(), 1U) << "what is still to be removed";
    EXPECT_EQ(run(there.look(name("shop/web"), tagged("equal")))->digest, equal.digest);
}

// Its lists go on for ever.
class Treadmill final : public TroubledSite {
public:
    using TroubledSite::TroubledSite;
    bool repositories_too = false;

    Task<Listing> repositories(PageRequest page) override
    {
        CO_TRY(auto listing, co_await TroubledSite::repositories(std::move(page)));
        if (repositories_too) listing.next = "shop";
        co_return listing;
    }
    Task<Listing> tags(RepositoryName repository, PageRequest page) override
    {
        CO_TRY(auto listing, co_await TroubledSite::tags(repository, page));
        if (repository.text() == "shop/endless") listing.next = "0";
        co_return listing;
    }
};

TEST_F(Replicating, a_list_that_does_not_end_is_given_up)
{
    image(there, "shop/endless", "one", "1");
    image(there, "shop/web", "one", "1");
    Treadmill source{there};
    upstreams.lead_to(source);
    catalog.policy.source_id = 7;
    catalog.policy.target_id = 0;
    ReplicationPlan impatient{{catalog, sites, queue, jobs, artifacts, clock, 5}};
    const auto order = ReplicationOrder{.policy_id = 3, .user_id = 1}.json();
    TestRun execution{11, order};
    const auto end = run(impatient.run(execution));
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_EQ(end->kind, JobEnd::Kind::failed);
    EXPECT_EQ(ReplicationTally::parse(end->result).failed, 1);
    EXPECT_TRUE(execution.logged("shop/endless: failed: the source's list of its tags does not end"));
    work_off();
    EXPECT_TRUE(here.is_whole(name("shop/web"), tagged("1")));

    source.repositories_too = true;
    TestRun second{12, order};
    const auto given_up = run(impatient.run(second));
    ASSERT_FALSE(given_up);
    EXPECT_EQ(given_up.error().code(), Errc::unavailable);
    EXPECT_EQ(given_up.error().message(), "the source's list of repositories does not end");
}

// Of two tasks of one tag, the one that began with the older content ends last.
TEST_F(Replicating, the_older_of_two_copies_of_a_tag_does_not_stay)
{
    image(here, "shop/web", "one", "1");
    ASSERT_TRUE(plan());
    TroubledSite link{there};
    upstreams.lead_to(link);
    CopiedManifest newest{digest_of(""), {}, {}};
    bool first = true;
    link.before = [&](const std::string& method) -> std::optional<Error> {
        if (method != "push" || !std::exchange(first, false)) return std::nullopt;
        newest = image(here, "shop/web", "two", "1");
        image(there, "shop/web", "two", "1");
        catalog.rows[{"shop/web", "1"}].digest = newest.digest.text();
        return std::nullopt;
    };
    EXPECT_EQ(work_off().copied, 1);
    EXPECT_FALSE(first);
    EXPECT_EQ(run(there.look(name("shop/web"), tagged("1")))->digest, newest.digest);
    EXPECT_TRUE(logged("begins anew"));
    EXPECT_TRUE(catalog.rows.empty());
}

TEST_F(Replicating, a_task_does_not_follow_its_policy_elsewhere)
{
    image(here, "shop/web", "one", "1");
    ASSERT_TRUE(plan());
    catalog.policy.target_id = 8;
    const auto job = queue.jobs.front().second;
    TestRun task{20, job.parameters};
    const auto end = run(copier.run(task));
    ASSERT_TRUE(end);
    EXPECT_EQ(end->kind, JobEnd::Kind::failed);
    EXPECT_EQ(ReplicationTally::parse(end->result).failed, 1);
    EXPECT_TRUE(task.logged("the policy leads elsewhere now"));
    EXPECT_EQ(there.counts().pushes, 0U);
    EXPECT_TRUE(catalog.rows.empty());
    catalog.policy.target_id = 7;
    EXPECT_EQ(work_off().copied, 1);
}

}  // namespace
}  // namespace entrepot

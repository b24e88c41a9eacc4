// Executions between two registries that tell what ranges of tags point at: what is asked, and that it finds what lists
// find.
#include "tests/behaviour/replicating.hpp"

namespace entrepot {
namespace {

class ReplicatingByDigests : public Replicating {
protected:
    ReplicatingByDigests() { upstreams.lead_to(peer); }

    // What refers to it, signatures say, by digest alone.
    static CopiedManifest
    refer_to(MemorySite& site, const std::string& repository, const CopiedManifest& subject, const std::string& note)
    {
        const std::string empty = "{}";
        const auto bytes =
            R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"a/)" + note +
            R"(","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":")" + digest_of(empty).text() +
            R"(","size":2},"layers":[],"subject":{"mediaType":")" + subject.media_type + R"(","digest":")" +
            subject.digest.text() + R"(","size":)" + std::to_string(subject.bytes.size()) + "}}";
        EXPECT_TRUE(run(site.put(name(repository), digest_of(empty), empty)));
        const CopiedManifest manifest{digest_of(bytes), std::string{media::oci_manifest}, bytes};
        EXPECT_TRUE(run(site.push(name(repository), Reference{manifest.digest}, manifest)));
        return manifest;
    }
    static std::string numbered(const std::string& before, int number)
    {
        return before + std::to_string(100'000 + number);
    }
    // The same at both: `tags` tags in each of so many repositories.
    void fill(int repositories, int tags)
    {
        for (int repository = 0; repository < repositories; ++repository) {
            const auto where = numbered("shop/r", repository);
            std::map<int, CopiedManifest> made;  // by layer
            for (int tag = 0; tag < tags; ++tag) {
                const auto layer = (repository * tags + tag) % 7;
                const auto tag_name = numbered("v", tag);
                if (const auto known = made.find(layer); known != made.end()) {
                    EXPECT_TRUE(run(here.push(name(where), tagged(tag_name), known->second)));
                    EXPECT_TRUE(run(peer.push(name(where), tagged(tag_name), known->second)));
                    continue;
                }
                image(here, where, std::to_string(layer), tag_name);
                made.emplace(layer, image(peer, where, std::to_string(layer), tag_name));
            }
        }
    }
    // "repository:tag" of all that was planned.
    std::set<std::string> planned() const
    {
        std::set<std::string> all;
        for (const auto& [id, job] : queue.jobs) {
            const auto task = ReplicationTask::parse(job.parameters).value();
            EXPECT_FALSE(task.removal);
            for (const auto& reference : task.references) all.insert(task.source_repository + ":" + reference);
        }
        return all;
    }
    static std::uint64_t tellings(const MemorySite& site) { return site.counts().summaries; }

    MemorySite peer;
};

using Names = std::set<std::string>;

TEST_F(ReplicatingByDigests, what_is_the_same_costs_one_question_a_side)
{
    fill(300, 3);
    refer_to(here, "shop/r100001", image(here, "shop/r100001", "0", "signed"), "sig");
    refer_to(peer, "shop/r100001", image(peer, "shop/r100001", "0", "signed"), "sig");
    const auto end = plan();
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_EQ(end->kind, JobEnd::Kind::done);
    EXPECT_EQ(planned(), Names{});
    EXPECT_EQ(ReplicationTally::parse(end->result).skipped, 901);
    for (const auto* site : {&here, &peer}) {
        EXPECT_EQ(site->counts().summaries, 1U);
        EXPECT_EQ(site->counts().states, 0U);
        EXPECT_EQ(site->counts().looks, 0U);
        EXPECT_EQ(site->counts().lists, 0U);
    }
}

TEST_F(ReplicatingByDigests, only_what_differs_is_planned)
{
    fill(40, 5);
    image(here, "shop/r100003", "moved", "v100001");
    image(here, "shop/r100003", "new", "v2");
    image(here, "shop/s", "new repository", "1");
    ASSERT_TRUE(run(here.remove(name("shop/r100005"), tagged("v100000"))));
    image(peer, "shop/r100007", "its own", "its-own");
    ASSERT_TRUE(plan());
    EXPECT_EQ(planned(), (Names{"shop/r100003:v100001", "shop/r100003:v2", "shop/s:1"}));
    EXPECT_EQ(work_off().copied, 3);
    EXPECT_TRUE(peer.is_whole(name("shop/r100003"), tagged("v100001")));
    EXPECT_TRUE(run(peer.look(name("shop/r100005"), tagged("v100000")))) << "as with lists: events take tags away";
    EXPECT_TRUE(run(peer.look(name("shop/r100007"), tagged("its-own"))));
    const auto looks = peer.counts().looks;
    ASSERT_TRUE(plan());
    EXPECT_EQ(planned(), Names{});
    EXPECT_EQ(peer.counts().looks, looks) << "what the target has of its own is not looked at";
}

TEST_F(ReplicatingByDigests, a_new_signature_is_seen_and_one_of_it_too)
{
    fill(10, 2);
    const auto subject = image(here, "shop/r100004", "signed", "v3");
    image(peer, "shop/r100004", "signed", "v3");
    auto last = subject;
    for (const auto* what : {"sbom", "its signature"}) {
        last = refer_to(here, "shop/r100004", last, what);
        ASSERT_TRUE(plan());
        EXPECT_EQ(planned(), Names{"shop/r100004:v3"}) << what;
        EXPECT_EQ(work_off().copied, 1);
        EXPECT_TRUE(run(peer.look(name("shop/r100004"), Reference{last.digest}))) << what;
        ASSERT_TRUE(plan());
        EXPECT_EQ(planned(), Names{}) << what;
    }
    // Beyond the first page of what refers to it.
    for (int number = 0; number < 130; ++number) {
        const auto note = "n" + std::to_string(number);
        refer_to(here, "shop/r100004", subject, note);
        if (number != 77) refer_to(peer, "shop/r100004", subject, note);
    }
    ASSERT_TRUE(plan());
    EXPECT_EQ(planned(), Names{"shop/r100004:v3"});
    EXPECT_EQ(work_off().copied, 1);
    // A policy that leaves them doesn't ask for them.
    refer_to(here, "shop/r100004", subject, "another");
    catalog.policy.with_referrers = false;
    const auto states = here.counts().states;
    ASSERT_TRUE(plan());
    EXPECT_EQ(planned(), Names{});
    EXPECT_EQ(here.counts().states, states);
}

TEST_F(ReplicatingByDigests, of_many_tags_only_the_part_that_differs_is_told)
{
    fill(23, 1'000);
    image(here, "shop/r100012", "moved", "v100500");
    TestRun execution{11, ReplicationOrder{.policy_id = 3, .user_id = 1}.json()};
    const auto end = plan(execution);
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_EQ(planned(), Names{"shop/r100012:v100500"});
    EXPECT_EQ(ReplicationTally::parse(end->result).skipped, 22'999);
    EXPECT_EQ(peer.counts().summaries, 3U + 10U) << "three ranges, and the parts of one of them";
    EXPECT_EQ(peer.counts().states, 1'000U);
    EXPECT_EQ(peer.counts().looks, 1U);
    EXPECT_LT(execution.largest, 500U);
}

TEST_F(ReplicatingByDigests, a_planner_that_was_killed_goes_on_where_it_was)
{
    fill(25, 1'000);
    image(here, "shop/r100001", "moved", "v100001");
    image(here, "shop/r100024", "moved", "v100999");
    TestRun killed{11, ReplicationOrder{.policy_id = 3, .user_id = 1}.json()};
    killed.dies_at_save = 12;  // of ten parts and two ranges
    EXPECT_FALSE(plan(killed));
    EXPECT_EQ(planned(), Names{"shop/r100001:v100001"});
    const auto before = peer.counts().summaries;
    const auto end = plan(killed.saved_checkpoint);
    ASSERT_TRUE(end) << end.error().message();
    EXPECT_LT(peer.counts().summaries - before, before);
    EXPECT_EQ(planned(), (Names{"shop/r100001:v100001", "shop/r100024:v100999"}));
    EXPECT_EQ(queue.jobs.size(), 2U);
    EXPECT_EQ(ReplicationTally::parse(end->result).skipped, 24'998);
}

TEST_F(ReplicatingByDigests, filters_and_the_policys_rules_hold)
{
    fill(5, 2);
    image(here, "shop/r100001", "moved", "v100001");
    image(here, "shop/r100002", "moved", "w1");
    image(here, "other/web", "new", "v1");
    catalog.policy.filters = {{.type = "name", .values = {"shop/**"}}, {.type = "tag", .values = {"w*"}}};
    ASSERT_TRUE(plan());
    EXPECT_EQ(planned(), Names{"shop/r100002:w1"});
    queue.jobs.clear();
    catalog.policy.filters = {};
    catalog.policy.overrides = false;
    ASSERT_TRUE(plan());
    EXPECT_EQ(planned(), (Names{"other/web:v1", "shop/r100002:w1"}));
}

TEST_F(ReplicatingByDigests, names_may_begin_otherwise_there)
{
    for (const auto* repository : {"shop/a", "shop/b/c", "shop/z", "other/x"}) image(here, repository, "l", "1");
    for (const auto* repository : {"copies/shop/a", "copies/shop/b/c", "copies/shop/z", "copies/other/x"}) {
        image(peer, repository, "l", "1");
    }
    catalog.policy.namespace_there = "copies";
    catalog.policy.replaced_levels = 0;
    ASSERT_TRUE(plan());
    EXPECT_EQ(planned(), Names{});
    EXPECT_EQ(tellings(peer), 1U);
    image(peer, "copies/a", "l", "1");
    image(peer, "copies/b/c", "l", "1");
    catalog.policy.replaced_levels = 1;
    catalog.policy.filters = {{.type = "name", .values = {"shop/**"}}};
    ASSERT_TRUE(plan());
    EXPECT_EQ(planned(), Names{"shop/z:1"});
    EXPECT_EQ(tellings(peer), 2U);
    EXPECT_EQ(peer.counts().looks, 1U);
    work_off();
    EXPECT_TRUE(peer.is_whole(name("copies/z"), tagged("1")));
    // Repositories of several projects come together in one: no order is left, so lists are compared.
    catalog.policy.filters = {};
    ASSERT_TRUE(plan());
    EXPECT_TRUE(logged("compared by lists"));
    EXPECT_EQ(planned(), Names{"other/x:1"});
    catalog.policy.replaced_levels = ReplicationPolicy::flatten_all;
    queue.jobs.clear();
    ASSERT_TRUE(plan());
    EXPECT_EQ(planned(), (Names{"other/x:1", "shop/b/c:1"}));
    EXPECT_EQ(tellings(peer), 2U);
}

TEST_F(ReplicatingByDigests, who_is_told_no_states_compares_lists)
{
    image(here, "shop/web", "one", "1");
    for (const auto code : {Errc::unsupported, Errc::denied}) {
        TroubledSite old{peer};
        old.before = [code](const std::string& method) -> std::optional<Error> {
            return method == "tag_summary" ? std::optional{Error{code, "no"}} : std::nullopt;
        };
        for (const bool push : {true, false}) {
            TroubledSite source{push ? static_cast<CopySite&>(here) : old};
            TroubledSite target{push ? static_cast<CopySite&>(old) : peer};
            OneUpstream upstream{target};
            ReplicationSites ends{
                upstream,
                [&](const ReplicationPolicy&) { return std::shared_ptr<CopySite>{&source, [](CopySite*) {}}; },
                real_clock,
                random
            };
            if (!push) old.lead_to(here);
            ReplicationPlan old_planner{{catalog, ends, queue, jobs, artifacts, clock}};
            TestRun execution{11, ReplicationOrder{.policy_id = 3, .user_id = 1}.json()};
            const auto end = run(old_planner.run(execution));
            ASSERT_TRUE(end) << end.error().message();
            EXPECT_EQ(planned(), Names{"shop/web:1"});
            EXPECT_TRUE(execution.logged("compared by lists"));
            queue.jobs.clear();
        }
    }
}

TEST_F(ReplicatingByDigests, what_changes_meanwhile_is_taken_as_it_is_when_looked_at)
{
    fill(5, 2);
    image(here, "shop/r100001", "moved", "v100001");
    TroubledSite changing{peer};
    changing.before = [this](const std::string& method) -> std::optional<Error> {
        if (method == "tag_states") {
            // Another brings it meanwhile, and something goes at the source.
            image(peer, "shop/r100001", "moved", "v100001");
            EXPECT_TRUE(run(here.remove(name("shop/r100002"), tagged("v100000"))));
        } else if (method == "tag_summary") {
            image(here, "shop/r100000", "newer than the range's digest", "v99");
        }
        return std::nullopt;
    };
    upstreams.lead_to(changing);
    ASSERT_TRUE(plan());
    EXPECT_EQ(planned(), Names{"shop/r100000:v99"});
    EXPECT_TRUE(run(peer.look(name("shop/r100002"), tagged("v100000")))) << "nothing is removed";
}

TEST_F(ReplicatingByDigests, a_site_that_tells_them_in_another_order_is_no_endless_loop)
{
    // Says of every range that it ends where it began.
    class Stuck final : public TroubledSite {
    public:
        using TroubledSite::TroubledSite;
        Task<TagSummary> tag_summary(TagRange range) override
        {
            co_return TagSummary{.tags = 1, .more = true, .last = range.after, .digest = digest_of("x")};
        }
    };
    image(here, "shop/web", "one", "1");
    Stuck stuck{here};
    ReplicationSites ends{
        upstreams,
        [&](const ReplicationPolicy&) { return std::shared_ptr<CopySite>{&stuck, [](CopySite*) {}}; },
        real_clock,
        random
    };
    ReplicationPlan stuck_planner{{catalog, ends, queue, jobs, artifacts, clock}};
    TestRun execution{11, ReplicationOrder{.policy_id = 3, .user_id = 1}.json()};
    const auto end = run(stuck_planner.run(execution));
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().code(), Errc::unavailable);
}

}  // namespace
}  // namespace entrepot

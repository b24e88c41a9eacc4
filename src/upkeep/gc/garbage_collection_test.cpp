#include "upkeep/gc/garbage_collection.hpp"

#include "core/run_to_end.hpp"
#include "oci/hasher.hpp"
#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace entrepot {
namespace {

// So much garbage, which goes as it is asked for.
class Heap final : public GarbageCatalog, public BlobRemoval {
public:
    std::int64_t dead = 0;
    std::int64_t trashed = 0;
    std::int64_t links = 0;
    std::int64_t condemned = 0;
    std::int64_t leaving = 0;
    std::int64_t most_at_once = 0;
    Dead asked = Dead::orphaned;
    Micros dead_before = 0;
    Micros links_before = 0;
    Micros condemned_before = 0;
    bool another_removes = false;
    bool removal_fails = false;
    int removers = 0;
    std::vector<std::string> steps;

    Task<std::vector<DeadManifest>> dead_manifests(Dead which, Micros before, std::int64_t limit) override
    {
        asked = which;
        most_at_once = std::max(most_at_once, limit);
        dead_before = before;
        std::vector<DeadManifest> found;
        for (std::int64_t i = 0; i < std::min(dead, limit); ++i) {
            found.push_back({i, RepositoryName::parse(i % 2 == 0 ? "p/a" : "p/b").value()});
        }
        co_return found;
    }
    Task<Removed> remove_manifests(RepositoryName, std::vector<std::int64_t> ids, Dead, Micros, Actor) override
    {
        dead -= std::ssize(ids);
        co_return Removed{ids.size(), 0};
    }
    Task<std::int64_t> expire_trash(Micros, std::int64_t limit) override
    {
        const auto expired = std::min(trashed, limit);
        trashed -= expired;
        links += expired;
        co_return expired;
    }
    Task<std::vector<UnusedLink>> unused_links(Micros before, std::int64_t limit) override
    {
        links_before = before;
        most_at_once = std::max(most_at_once, limit);
        std::vector<UnusedLink> found;
        for (std::int64_t i = 0; i < std::min(links, limit); ++i) {
            found.push_back({.project_id = i % 3, .repository = RepositoryName::parse("p/a").value()});
        }
        co_return found;
    }
    Task<std::uint64_t> sweep_links(std::int64_t, std::vector<UnusedLink> found, Actor) override
    {
        links -= std::ssize(found);
        condemned += std::ssize(found);
        co_return found.size();
    }
    Task<std::vector<StoredBlob>> claim(Micros before, std::int64_t limit) override
    {
        EXPECT_EQ(removers, 1) << "only the remover claims";
        condemned_before = before;
        most_at_once = std::max(most_at_once, limit);
        const auto claimed = std::min(condemned, limit);
        condemned -= claimed;
        leaving += claimed;
        steps.emplace_back("claim");
        co_return std::vector<StoredBlob>(static_cast<std::size_t>(leaving), {digest_of("x"), 7});
    }
    Task<> forget() override
    {
        EXPECT_EQ(removers, 1) << "only the remover forgets";
        leaving = 0;
        steps.emplace_back("forget");
        co_return Result<>{};
    }
    Task<> condemn_unknown(std::vector<StoredBlob>, Actor) override { co_return Result<>{}; }
    Task<GarbageEstimate> estimate(Dead, Micros, Micros) override { co_return GarbageEstimate{3, 4, 50}; }

    Task<std::unique_ptr<BlobRemover>> begin_removal() override
    {
        if (another_removes) co_return fail(Errc::conflict, "blobs are being removed already");
        co_return std::make_unique<Remover>(*this);
    }

private:
    class Remover final : public BlobRemover {
    public:
        explicit Remover(Heap& heap) : heap_{heap} { ++heap_.removers; }
        ~Remover() override { --heap_.removers; }
        Remover(const Remover&) = delete;
        Remover& operator=(const Remover&) = delete;
        Task<Removed> remove(std::vector<Digest> digests) override
        {
            heap_.steps.emplace_back("remove");
            if (heap_.removal_fails) co_return fail(Errc::unavailable, "the disk is away");
            co_return Removed{digests.size(), digests.size() * 7};
        }

    private:
        Heap& heap_;
    };
};

class TestRun final : public JobRun {
public:
    std::string given;
    std::string saved;
    std::vector<std::string> lines;
    int saves = 0;
    int stops_after = 1'000'000;

    std::int64_t id() const noexcept override { return 1; }
    std::int64_t fence() const noexcept override { return 1; }
    std::int32_t attempt() const noexcept override { return 1; }
    std::string_view parameters() const noexcept override { return given; }
    std::string_view checkpoint() const noexcept override { return saved; }
    bool stop_requested() const noexcept override { return saves >= stops_after; }
    Task<> save(std::string checkpoint, std::string progress) override
    {
        EXPECT_EQ(checkpoint, progress);
        saved = std::move(checkpoint);
        ++saves;
        co_return Result<>{};
    }
    void log(std::string line) override { lines.push_back(std::move(line)); }
};

class TheCollection : public testing::Test {
protected:
    JobEnd collect()
    {
        auto ended = run_to_end(collection.run(run));
        EXPECT_TRUE(ended);
        return ended.value_or(JobEnd{.kind = JobEnd::Kind::failed});
    }

    Heap heap;
    FakeClock clock;
    TestRun run;
    GarbageCollection collection{heap, heap, clock, {.lease = 10, .grace = 20, .untagged_after = 30}};
};

TEST_F(TheCollection, removes_manifests_then_links_then_bytes)
{
    heap.dead = 120;
    heap.trashed = 60;
    heap.links = 70;
    heap.condemned = 1000;
    const auto ended = collect();
    EXPECT_EQ(ended.kind, JobEnd::Kind::done);
    const auto count = GarbageCount::parse(ended.result);
    EXPECT_EQ(count.manifests, 120U);
    EXPECT_EQ(count.links, 130U);
    EXPECT_EQ(count.blobs, 1130U);
    EXPECT_EQ(count.freed_bytes, 1130U * 7);
    EXPECT_EQ(heap.dead_before, clock.now() - 30);
    EXPECT_EQ(heap.links_before, clock.now() - 10);
    EXPECT_EQ(heap.condemned_before, clock.now() - 20);
    EXPECT_EQ(heap.removers, 0);
    EXPECT_EQ(heap.steps.front(), "claim");
    EXPECT_EQ(run.saved, ended.result);
    EXPECT_FALSE(run.lines.empty());
}

TEST_F(TheCollection, deletes_untagged_manifests_only_when_it_was_told_to)
{
    collect();
    EXPECT_EQ(heap.asked, GarbageCatalog::Dead::orphaned);
    run.given = R"({"delete_untagged": true})";
    collect();
    EXPECT_EQ(heap.asked, GarbageCatalog::Dead::untagged_too);
}

TEST_F(TheCollection, stops_between_two_steps_and_goes_on_with_its_count)
{
    heap.dead = 500;
    run.stops_after = 3;
    const auto stopped = collect();
    EXPECT_EQ(stopped.kind, JobEnd::Kind::stopped);
    EXPECT_EQ(heap.dead, 350);
    EXPECT_EQ(GarbageCount::parse(stopped.result).manifests, 150U);
    run.stops_after = 1'000'000;
    const auto ended = collect();
    EXPECT_EQ(ended.kind, JobEnd::Kind::done);
    EXPECT_EQ(GarbageCount::parse(ended.result).manifests, 500U);
}

TEST_F(TheCollection, comes_back_later_while_another_one_removes_bytes)
{
    heap.links = 3;
    heap.another_removes = true;
    const auto ended = collect();
    EXPECT_EQ(ended.kind, JobEnd::Kind::later);
    EXPECT_GT(ended.wait, 0);
    EXPECT_EQ(heap.links, 0);
}

TEST_F(TheCollection, a_dry_run_changes_nothing_and_says_what_would_go)
{
    heap.dead = heap.links = heap.condemned = 5;
    run.given = R"({"dry_run": true})";
    const auto ended = collect();
    EXPECT_EQ(ended.kind, JobEnd::Kind::done);
    const auto count = GarbageCount::parse(ended.result);
    EXPECT_EQ(count.manifests, 3U);
    EXPECT_EQ(count.blobs, 4U);
    EXPECT_EQ(count.freed_bytes, 50U);
    EXPECT_EQ(heap.dead + heap.links + heap.condemned, 15);
    EXPECT_TRUE(heap.steps.empty());
}

TEST_F(TheCollection, forgets_nothing_whose_bytes_may_be_there)
{
    heap.condemned = 5;
    heap.removal_fails = true;
    EXPECT_FALSE(run_to_end(collection.run(run)));
    EXPECT_EQ(heap.leaving, 5);
    EXPECT_EQ(heap.steps, (std::vector<std::string>{"claim", "remove"}));
}

TEST_F(TheCollection, ends_the_removal_that_a_killed_process_began_and_begins_none)
{
    heap.condemned = 4;
    heap.leaving = 3;
    EXPECT_TRUE(run_to_end(collection.end_removals()));
    EXPECT_EQ(heap.leaving, 0);
    EXPECT_EQ(heap.condemned, 4);
    heap.another_removes = true;
    EXPECT_TRUE(run_to_end(collection.end_removals())) << "somebody else does";
}

TEST_F(TheCollection, takes_a_tenth_of_its_rate_at_a_time)
{
    heap.dead = heap.links = 5;
    run.given = R"({"rate": 30})";
    collect();
    EXPECT_EQ(heap.most_at_once, 3);
    EXPECT_EQ(heap.dead + heap.links + heap.condemned, 0);
}

TEST(GarbageOptions, are_read_or_refused)
{
    const auto options = GarbageOptions::parse(R"({"delete_untagged": true, "rate": 250, "workers": 4})");
    ASSERT_TRUE(options);
    EXPECT_TRUE(options->delete_untagged);
    EXPECT_FALSE(options->dry_run);
    EXPECT_EQ(options->rate, 250);
    EXPECT_TRUE(GarbageOptions::parse(""));
    for (const char* text : {"[]", "no", R"({"rate": -1})", R"({"rate": "fast"})", R"({"dry_run": 1})"}) {
        EXPECT_FALSE(GarbageOptions::parse(text)) << text;
    }
}

}  // namespace
}  // namespace entrepot

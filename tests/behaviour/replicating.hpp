#pragma once

#include "drivers/memory/memory_site.hpp"
#include "exchange/replication/replication_copy.hpp"
#include "exchange/replication/replication_dispatch.hpp"
#include "exchange/replication/replication_plan.hpp"
#include "exchange/replication_job.hpp"
#include "tests/support/copy_words.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/one_upstream.hpp"
#include "tests/support/troubled_site.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include <sys/resource.h>

// Executions and tasks of replication between sites in memory, with the queue and the catalog of policies in memory.
namespace entrepot {

// Of one layer.
inline CopiedManifest
image(MemorySite& site, const std::string& repository, const std::string& layer, const std::string& tag)
{
    const std::string config = R"({"os":"linux","architecture":"amd64"})";
    const auto entry = [](std::string_view type, const std::string& bytes) {
        return R"({"mediaType":"application/vnd.oci.image.)" + std::string{type} + R"(","digest":")" +
               digest_of(bytes).text() + R"(","size":)" + std::to_string(bytes.size()) + "}";
    };
    const auto bytes = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)" +
                       entry("config.v1+json", config) + R"(,"layers":[)" + entry("layer.v1.tar", layer) + "]}";
    EXPECT_TRUE(run(site.put(name(repository), digest_of(config), config)));
    EXPECT_TRUE(run(site.put(name(repository), digest_of(layer), layer)));
    const CopiedManifest manifest{digest_of(bytes), std::string{media::oci_manifest}, bytes};
    EXPECT_TRUE(run(site.push(name(repository), tagged(tag), manifest)));
    return manifest;
}

class MemoryPolicies final : public ReplicationCatalog {
public:
    ReplicationPolicy policy;
    std::map<std::pair<std::string, std::string>, PendingCopy> rows;
    std::size_t most_at_once = 0;

    Task<ListPage<ReplicationPolicy>> list(ListQuery) override { co_return ListPage<ReplicationPolicy>{}; }
    Task<ReplicationPolicy> find(std::int64_t id) override
    {
        if (id != policy.id) co_return fail(Errc::not_found, "no such policy");
        co_return policy;
    }
    Task<std::vector<ReplicationPolicy>> event_based() override { co_return std::vector{policy}; }
    Task<ReplicationPolicy> create(ReplicationPolicy made, Actor) override { co_return made; }
    Task<ReplicationPolicy> change(ReplicationPolicy made, Actor) override { co_return made; }
    Task<> remove(std::int64_t, Actor) override { co_return Result<>{}; }
    Task<> note_pending(std::vector<PendingCopy> pending) override
    {
        most_at_once = std::max(most_at_once, pending.size());
        for (auto& row : pending) rows[{row.repository, row.reference}] = row;
        co_return Result<>{};
    }
    Task<> settle(std::vector<Settled> settled) override
    {
        for (const auto& done : settled) {
            const auto row = rows.find({done.repository, done.reference});
            if (row == rows.end() || row->second.removal != done.removal) continue;
            const auto& noted = row->second.digest;
            if (done.removal || done.digest.empty() || noted.empty() || noted == done.digest) rows.erase(row);
        }
        co_return Result<>{};
    }
    Task<> note_failure(Settled what, std::string error) override
    {
        const auto row = rows.find({what.repository, what.reference});
        if (row == rows.end()) co_return Result<>{};
        ++row->second.failures;
        row->second.last_error = std::move(error);
        co_return Result<>{};
    }
    Task<PendingPage>
    pending(std::int64_t, std::string after_repository, std::string after_reference, std::int64_t limit) override
    {
        PendingPage page;
        auto row = rows.upper_bound({after_repository, after_reference});
        for (; row != rows.end() && std::ssize(page.pending) < limit; ++row) page.pending.push_back(row->second);
        page.more = row != rows.end();
        co_return page;
    }
    Task<std::vector<ReplicationLag>> lag(std::optional<std::int64_t>) override
    {
        co_return std::vector<ReplicationLag>{};
    }
};

class MemoryQueue final : public JobQueue {
public:
    std::deque<std::pair<std::int64_t, NewJob>> jobs;  // unfinished
    std::int64_t last = 100;

    Task<std::vector<std::int64_t>> add(std::vector<NewJob> added) override
    {
        std::vector<std::int64_t> ids;
        for (auto& job : added) {
            const auto same = std::ranges::find_if(jobs, [&](const auto& one) {
                return !job.unique_key.empty() && one.second.unique_key == job.unique_key;
            });
            if (same == jobs.end()) jobs.emplace_back(++last, std::move(job));
            ids.push_back(same == jobs.end() ? last : same->first);
        }
        co_return ids;
    }
};

// Says what unfinished jobs there are.
class MemoryJobs final : public JobCatalog {
public:
    std::vector<Job> running;

    Task<ListPage<Job>> list(ListQuery query) override
    {
        ListPage<Job> page;
        for (const auto& job : running) {
            if (job.kind == query.conditions[0].values[0] && query.conditions[2].values[0] == "running") {
                page.items.push_back(job);
            }
        }
        co_return page;
    }
    Task<Job> find(std::int64_t) override { co_return fail(Errc::not_found, "none"); }
    Task<std::vector<JobLine>> log(std::int64_t) override { co_return std::vector<JobLine>{}; }
    Task<JobState> stop(std::int64_t, Micros) override { co_return JobState::stopped; }
    std::vector<std::int64_t> stopped;  // whose tasks
    Task<> stop_tasks(std::int64_t parent, Micros) override
    {
        stopped.push_back(parent);
        co_return Result<>{};
    }
    Task<std::int64_t> stop_waiting(std::string, Micros) override { co_return 0; }
    Task<> stop_running(std::string) override { co_return Result<>{}; }
    Task<> retry(std::int64_t) override { co_return Result<>{}; }
    Task<std::vector<JobQueueState>> queues() override { co_return std::vector<JobQueueState>{}; }
    Task<std::vector<JobWorker>> workers(Micros) override { co_return std::vector<JobWorker>{}; }
    Task<> pause(std::string, bool, Micros) override { co_return Result<>{}; }
    Task<bool> is_paused(std::string) override { co_return false; }
    Task<std::int64_t> remove_ended(std::string, Micros, std::int64_t) override { co_return 0; }
    Task<std::vector<std::string>> kinds() override { co_return std::vector<std::string>{}; }
    Task<std::vector<JobTaskCounts>> task_counts(std::vector<std::int64_t>) override
    {
        co_return std::vector<JobTaskCounts>{};
    }
};

class TestRun final : public JobRun {
public:
    TestRun(std::int64_t id, std::string parameters, std::string saved = {})
        : saved_checkpoint{saved}, id_{id}, parameters_{std::move(parameters)}, checkpoint_{std::move(saved)}
    {
    }
    std::int64_t id() const noexcept override { return id_; }
    std::int64_t fence() const noexcept override { return 1; }
    std::int32_t attempt() const noexcept override { return 1; }
    std::string_view parameters() const noexcept override { return parameters_; }
    std::string_view checkpoint() const noexcept override { return checkpoint_; }
    bool stop_requested() const noexcept override { return stops; }
    Task<> save(std::string text, std::string) override
    {
        if (dies_at_save && ++saves == *dies_at_save) co_return fail(Errc::conflict, "killed");
        saved_checkpoint = std::move(text);
        largest = std::max(largest, saved_checkpoint.size());
        if (after_save) after_save();
        co_return Result<>{};
    }
    void log(std::string line) override { lines.push_back(std::move(line)); }
    bool logged(std::string_view what) const
    {
        return std::ranges::any_of(lines, [&](const std::string& line) { return line.contains(what); });
    }

    std::string saved_checkpoint;
    std::size_t largest = 0;
    std::vector<std::string> lines;
    bool stops = false;
    std::optional<int> dies_at_save;
    int saves = 0;
    std::function<void()> after_save;

private:
    std::int64_t id_;
    std::string parameters_;
    std::string checkpoint_;
};

class NoArtifacts final : public ArtifactCatalog {
public:
    std::map<std::string, std::string> labels;  // by reference

    Task<ListPage<ListedArtifact>> of_repository(RepositoryName, ListQuery, ArtifactParts) override
    {
        co_return ListPage<ListedArtifact>{};
    }
    Task<ListPage<ListedArtifact>> of_project(std::int64_t, ListQuery, ArtifactParts, bool) override
    {
        co_return ListPage<ListedArtifact>{};
    }
    Task<ListedArtifact> find(RepositoryName, Reference reference, ArtifactParts) override
    {
        ListedArtifact artifact;
        artifact.labels_json = labels[reference.text()];
        co_return artifact;
    }
    Task<> remove(RepositoryName, Reference, Actor) override { co_return Result<>{}; }
    Task<Digest> copy(RepositoryName, Reference, RepositoryName, Actor) override
    {
        co_return fail(Errc::unsupported, "no");
    }
    Task<ListPage<TagRecord>> tags(RepositoryName, Reference, ListQuery) override { co_return ListPage<TagRecord>{}; }
    Task<> add_tag(RepositoryName, Reference, Tag, Actor) override { co_return Result<>{}; }
    Task<> remove_tag(RepositoryName, Reference, Tag, Actor) override { co_return Result<>{}; }
    Task<ListPage<AccessoryRecord>> accessories(RepositoryName, Reference, ListQuery) override
    {
        co_return ListPage<AccessoryRecord>{};
    }
    Task<> add_label(RepositoryName, Reference, std::int64_t, Actor) override { co_return Result<>{}; }
    Task<> remove_label(RepositoryName, Reference, std::int64_t, Actor) override { co_return Result<>{}; }
};

class Replicating : public testing::Test {
protected:
    Replicating()
    {
        catalog.policy.id = 3;
        catalog.policy.name = "p";
        catalog.policy.target_id = 7;
    }

    Result<JobEnd> plan(TestRun& execution) { return run(planner.run(execution)); }
    Result<JobEnd> plan(const std::string& saved = {})
    {
        TestRun execution{11, ReplicationOrder{.policy_id = 3, .user_id = 1}.json(), saved};
        auto end = plan(execution);
        lines = execution.lines;
        return end;
    }
    // All tasks in the queue, to their ends.
    ReplicationTally work_off()
    {
        ReplicationTally sum;
        while (!queue.jobs.empty()) {
            const auto [id, job] = queue.jobs.front();
            TestRun task{id, job.parameters};
            const auto end = run(copier.run(task));
            EXPECT_TRUE(end) << end.error().message();
            for (const auto& line : task.lines) lines.push_back(line);
            queue.jobs.pop_front();
            if (!end) continue;
            const auto tally = ReplicationTally::parse(end->result);
            sum.copied += tally.copied;
            sum.skipped += tally.skipped;
            sum.failed += tally.failed;
            sum.bytes += tally.bytes;
        }
        return sum;
    }
    bool logged(std::string_view what) const
    {
        return std::ranges::any_of(lines, [&](const std::string& line) { return line.contains(what); });
    }

    FakeClock clock;
    SystemClock real_clock;
    SystemRandom random;
    MemorySite here;
    MemorySite there{{.tells_states = false}};  // so that lists are compared
    MemoryPolicies catalog;
    MemoryQueue queue;
    MemoryJobs jobs;
    NoArtifacts artifacts;
    OneUpstream upstreams{there};
    ReplicationSites sites{
        upstreams,
        [this](const ReplicationPolicy&) { return std::shared_ptr<CopySite>{&here, [](CopySite*) {}}; },
        real_clock,
        random
    };
    ReplicationPlan planner{{catalog, sites, queue, jobs, artifacts, clock}};
    ReplicationCopy copier{{catalog, sites, clock}};
    std::vector<std::string> lines;
};

}  // namespace entrepot

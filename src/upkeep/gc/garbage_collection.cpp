#include "upkeep/gc/garbage_collection.hpp"

#include "core/log.hpp"
#include "core/pause.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

namespace entrepot {
namespace {

// Of one transaction: some milliseconds, so that pushes in between hardly notice.
constexpr std::int64_t rows_at_once = 50;
constexpr std::int64_t blobs_at_once = 500;
// A rate is kept ten times a second.
constexpr std::int64_t steps_a_second = 10;
// Another process removes bytes just now.
constexpr Micros wait_for_other = 30'000'000;

std::int64_t batch_of(std::int64_t most, std::int64_t rate)
{
    return rate == 0 ? most : std::clamp<std::int64_t>(rate / steps_a_second, 1, most);
}

std::vector<Digest> digests_of(std::vector<StoredBlob> blobs)
{
    std::vector<Digest> digests;
    for (auto& blob : blobs) digests.push_back(std::move(blob.digest));
    return digests;
}

}  // namespace

// One run's own: what it was asked, what it has done, and its pace.
struct GarbageCollection::Round {
    JobRun& run;
    GarbageOptions options;
    GarbageCount count;
    const Clock& clock;
    std::chrono::steady_clock::time_point next = clock.steady();

    Dead which() const { return options.delete_untagged ? Dead::untagged_too : Dead::orphaned; }

    // After `steps` of work: writes down how far it is, and waits for its turn. False: somebody wants it to stop.
    Task<bool> pace(std::uint64_t steps)
    {
        const auto state = count.json();
        CO_CHECK(co_await run.save(state, state));
        if (run.stop_requested()) co_return false;
        if (options.rate == 0) co_return true;
        const auto due = std::chrono::microseconds{steps * 1'000'000 / static_cast<std::uint64_t>(options.rate)};
        next = std::max(next, clock.steady() - due) + due;
        co_await pause(next - clock.steady());
        co_return !run.stop_requested();
    }
};

Task<JobEnd> GarbageCollection::run(JobRun& run)
{
    const auto options = GarbageOptions::parse(run.parameters());
    if (!options) co_return JobEnd{.kind = JobEnd::Kind::failed, .result = options.error().message()};
    if (options->dry_run) co_return co_await estimate(run, *options);
    Round round{.run = run, .options = *options, .count = GarbageCount::parse(run.checkpoint()), .clock = clock_};
    for (const auto step :
         {&GarbageCollection::remove_manifests,
          &GarbageCollection::expire_trash,
          &GarbageCollection::sweep_links,
          &GarbageCollection::remove_blobs}) {
        const auto finished = co_await (this->*step)(round);
        if (!finished && finished.error().code() == Errc::conflict) {
            co_return JobEnd{.kind = JobEnd::Kind::later, .result = round.count.json(), .wait = wait_for_other};
        }
        if (!finished) co_return std::unexpected{finished.error()};
        if (!*finished) co_return JobEnd{.kind = JobEnd::Kind::stopped, .result = round.count.json()};
    }
    run.log("done: " + round.count.json());
    co_return JobEnd{.kind = JobEnd::Kind::done, .result = round.count.json()};
}

Task<bool> GarbageCollection::remove_manifests(Round& round)
{
    const auto most = batch_of(rows_at_once, round.options.rate);
    for (;;) {
        const Micros before = clock_.now() - windows_.untagged_after;
        CO_TRY(const auto dead, co_await catalog_.dead_manifests(round.which(), before, most));
        if (dead.empty()) break;
        std::map<std::string, std::vector<std::int64_t>> by_repository;
        for (const auto& manifest : dead) by_repository[manifest.repository.text()].push_back(manifest.id);
        const auto removed_before = round.count.manifests;
        for (auto& [name, ids] : by_repository) {
            CO_TRY(auto repository, RepositoryName::parse(name));
            CO_TRY(
                const auto removed,
                co_await catalog_.remove_manifests(
                    std::move(repository), std::move(ids), round.which(), before, actor()
                )
            );
            round.count.manifests += removed.manifests;
            removed_manifests_.fetch_add(removed.manifests, std::memory_order_relaxed);
        }
        CO_TRY(const bool goes_on, co_await round.pace(dead.size()));
        if (!goes_on) co_return false;
        if (round.count.manifests == removed_before) break;  // others were faster: the next run looks again
    }
    round.run.log(std::to_string(round.count.manifests) + " manifests removed");
    co_return true;
}

Task<bool> GarbageCollection::expire_trash(Round& round)
{
    const auto most = batch_of(rows_at_once, round.options.rate);
    for (;;) {
        CO_TRY(const auto expired, co_await catalog_.expire_trash(clock_.now(), most));
        if (expired == 0) break;
        CO_TRY(const bool goes_on, co_await round.pace(static_cast<std::uint64_t>(expired)));
        if (!goes_on) co_return false;
    }
    co_return true;
}

Task<bool> GarbageCollection::sweep_links(Round& round)
{
    const auto most = batch_of(rows_at_once, round.options.rate);
    for (;;) {
        CO_TRY(auto links, co_await catalog_.unused_links(clock_.now() - windows_.lease, most));
        if (links.empty()) break;
        const auto steps = links.size();
        const auto swept_before = round.count.links;
        std::map<std::int64_t, std::vector<UnusedLink>> by_project;
        for (auto& link : links) by_project[link.project_id].push_back(std::move(link));
        for (auto& [project_id, of_project] : by_project) {
            CO_TRY(const auto swept, co_await catalog_.sweep_links(project_id, std::move(of_project), actor()));
            round.count.links += swept;
        }
        CO_TRY(const bool goes_on, co_await round.pace(steps));
        if (!goes_on) co_return false;
        if (round.count.links == swept_before) break;
    }
    round.run.log(std::to_string(round.count.links) + " blobs let go by their repositories");
    co_return true;
}

Task<bool> GarbageCollection::remove_blobs(Round& round)
{
    CO_TRY(const auto remover, co_await store_.begin_removal());
    const auto most = batch_of(blobs_at_once, round.options.rate);
    for (;;) {
        CO_TRY(const auto steps, co_await remove_batch(*remover, clock_.now() - windows_.grace, most, &round));
        if (steps == 0) break;
        CO_TRY(const bool goes_on, co_await round.pace(steps));
        if (!goes_on) co_return false;
    }
    round.run.log(
        std::to_string(round.count.blobs) + " blobs removed, " + std::to_string(round.count.freed_bytes) +
        " bytes freed"
    );
    co_return true;
}

// Claim, Remove, Forget.
Task<std::uint64_t>
GarbageCollection::remove_batch(BlobRemover& remover, Micros condemned_before, std::int64_t limit, Round* round)
{
    CO_TRY(auto claimed, co_await catalog_.claim(condemned_before, limit));
    if (claimed.empty()) co_return 0;
    const auto steps = claimed.size();
    CO_TRY(const auto removed, co_await remover.remove(digests_of(std::move(claimed))));
    CO_CHECK(co_await catalog_.forget());
    removed_blobs_.fetch_add(removed.blobs, std::memory_order_relaxed);
    freed_bytes_.fetch_add(removed.bytes, std::memory_order_relaxed);
    if (round) {
        round->count.blobs += removed.blobs;
        round->count.freed_bytes += removed.bytes;
    }
    co_return steps;
}

Task<> GarbageCollection::end_removals()
{
    const auto remover = co_await store_.begin_removal();
    if (!remover && remover.error().code() == Errc::conflict) co_return Result<>{};
    if (!remover) co_return std::unexpected{remover.error()};
    CO_TRY(const auto ended, co_await remove_batch(**remover, 0, 0, nullptr));
    if (ended > 0) log::info("ended the removal of blobs that a killed process had begun", {{"count", ended}});
    co_return Result<>{};
}

void GarbageCollection::add_metrics(MetricsText& text) const
{
    text.counter("entrepot_gc_manifests_total", "Manifests that collections removed.", removed_manifests_.load());
    text.counter("entrepot_gc_blobs_total", "Blobs that collections removed.", removed_blobs_.load());
    text.counter("entrepot_gc_freed_bytes_total", "Bytes that collections freed.", freed_bytes_.load());
}

Task<JobEnd> GarbageCollection::estimate(JobRun& run, const GarbageOptions& options)
{
    const Micros now = clock_.now();
    const auto which = options.delete_untagged ? Dead::untagged_too : Dead::orphaned;
    CO_TRY(const auto garbage, co_await catalog_.estimate(which, now - windows_.untagged_after, now - windows_.lease));
    GarbageCount count{.manifests = garbage.manifests, .blobs = garbage.blobs, .freed_bytes = garbage.bytes};
    run.log("would go: " + count.json());
    co_return JobEnd{.kind = JobEnd::Kind::done, .result = count.json()};
}

}  // namespace entrepot

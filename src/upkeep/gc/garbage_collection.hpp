#pragma once

#include "core/clock.hpp"
#include "core/metrics.hpp"
#include "core/task.hpp"
#include "ports/blob_store.hpp"
#include "ports/garbage_catalog.hpp"
#include "ports/job_handler.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// How long things stay that nobody needs: safe at any length, only too short is of no use to who is pushing.
struct GarbageWindows {
    Micros lease = 0;           // a blob that was promised to somebody
    Micros grace = 0;           // a blob that no repository holds any more
    Micros untagged_after = 0;  // a manifest that nothing keeps
};

struct GarbageOptions {
    bool delete_untagged = false;
    bool dry_run = false;
    std::int64_t rate = 0;  // manifests, links or blobs a second; 0: as fast as it goes

    // {"delete_untagged": true, "dry_run": false, "rate": 100}, each optional; empty text is all defaults. bad_request.
    static Result<GarbageOptions> parse(std::string_view json);
};

// What a run has done so far, and in the end.
struct GarbageCount {
    std::uint64_t manifests = 0;
    std::uint64_t links = 0;
    std::uint64_t blobs = 0;
    std::uint64_t freed_bytes = 0;

    std::string json() const;
    static GarbageCount parse(std::string_view json);
};

// Removes what nobody needs any more while everybody works: dead manifests, links that no manifest uses, then bytes
// (docs/decisions/0014-garbage-collection.md). What it has done is in the catalog, so a run that was stopped or killed
// is simply begun again. Runs at once don't harm each other; only one at a time removes bytes.
class GarbageCollection final : public JobHandler {
public:
    GarbageCollection(GarbageCatalog& catalog, BlobRemoval& store, const Clock& clock, GarbageWindows windows)
        : catalog_{catalog}, store_{store}, clock_{clock}, windows_{windows}
    {
    }

    Task<JobEnd> run(JobRun& run) override;

    // Ends the removal that a killed process began, if there is one and nobody else does.
    Task<> end_removals();
    void add_metrics(MetricsText& text) const;

private:
    struct Round;
    using Dead = GarbageCatalog::Dead;

    Task<bool> remove_manifests(Round& round);
    Task<bool> expire_trash(Round& round);
    Task<bool> sweep_links(Round& round);
    Task<bool> remove_blobs(Round& round);
    Task<std::uint64_t> remove_batch(BlobRemover& remover, Micros condemned_before, std::int64_t limit, Round* round);
    Task<JobEnd> estimate(JobRun& run, const GarbageOptions& options);
    Actor actor() const { return {.user_id = 0, .at = clock_.now()}; }

    GarbageCatalog& catalog_;
    BlobRemoval& store_;
    const Clock& clock_;
    GarbageWindows windows_;
    std::atomic<std::uint64_t> removed_manifests_{0};
    std::atomic<std::uint64_t> removed_blobs_{0};
    std::atomic<std::uint64_t> freed_bytes_{0};
};

}  // namespace entrepot

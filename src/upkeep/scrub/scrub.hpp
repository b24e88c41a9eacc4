#pragma once

#include "core/clock.hpp"
#include "core/random.hpp"
#include "core/task.hpp"
#include "ports/garbage_catalog.hpp"
#include "ports/job_handler.hpp"
#include "upkeep/scrub/blob_repair.hpp"
#include "upkeep/scrub/scrub_options.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

namespace entrepot {

// Compares the store with the catalog, both in the order of digests, a page of each at a time; reads all bytes again at
// a pace; reports what is wrong, and repairs what can be (docs/decisions/0017-scrub.md). A run that was stopped or
// killed goes on where it stood.
class Scrub final : public JobHandler {
public:
    static constexpr const char* kind = "scrub";

    struct Needs {
        ScrubCatalog& catalog;
        BlobCatalog& blobs;
        GarbageCatalog& garbage;
        BlobInventory& inventory;
        BlobIngest& ingest;
        BlobReplica* replica = nullptr;
        const Clock& clock;
        Random& random;
    };
    // `usual`: what a run does that was told nothing.
    Scrub(const Needs& needs, ScrubOptions usual)
        : needs_{needs},
          usual_{usual},
          repair_{
              {.catalog = needs.catalog,
               .blobs = needs.blobs,
               .inventory = needs.inventory,
               .ingest = needs.ingest,
               .replica = needs.replica,
               .random = needs.random,
               .verified_bytes = verified_bytes_}
          }
    {
    }

    Task<JobEnd> run(JobRun& run) override;

    // Of this process.
    std::uint64_t verified_bytes() const noexcept { return verified_bytes_; }
    Micros last_ended() const noexcept { return last_ended_; }  // 0: none yet

private:
    // A digest that one of the two lists has, or both.
    struct Pair {
        std::optional<KnownBlob> known{};
        std::optional<ListedBlob> stored{};
        const Digest& digest() const { return known ? known->digest : stored->digest; }
    };
    struct Pairs {
        std::vector<Pair> pairs;
        bool more = false;
    };

    Task<Pairs> next_pairs(ScrubRound& round);
    Task<> walk_blobs(ScrubRound& round);
    Task<> deal_with(ScrubRound& round, Pair pair);
    Task<> orphan(ScrubRound& round, ListedBlob blob);
    Task<bool> adopt(ScrubRound& round, ListedBlob blob);
    Task<> walk_uploads(ScrubRound& round);
    Task<> stray(ScrubRound& round, ListedUpload upload);
    Task<> finish(ScrubRound& round);

    const Needs needs_;
    const ScrubOptions usual_;
    std::atomic<std::uint64_t> verified_bytes_{0};
    std::atomic<Micros> last_ended_{0};
    BlobRepair repair_;
};

}  // namespace entrepot

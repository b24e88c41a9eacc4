#pragma once

#include "app/config.hpp"
#include "core/metrics.hpp"
#include "drivers/filesystem/filesystem_blobs.hpp"
#include "ports/metadata_store.hpp"
#include "upkeep/scrub/scrub.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace entrepot {

// Scrubs, the replica that they fetch from, and what /metrics says of them.
class ScrubParts {
public:
    // Throws std::runtime_error.
    ScrubParts(const Config& config, MetadataStore& store, FilesystemBlobs& blobs, const Clock& clock, Random& random);

    // The handler of the jobs Scrub::kind.
    Scrub& scrub() noexcept { return scrub_; }
    // A chore.
    Task<> count_findings();
    void add_metrics(MetricsText& text) const;

private:
    ScrubCatalog& catalog_;
    std::unique_ptr<BlobReplica> replica_;  // null: none is configured
    Scrub scrub_;
    mutable std::mutex mutex_;
    std::vector<OpenFindings> open_;
};

}  // namespace entrepot

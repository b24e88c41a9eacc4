#pragma once

#include "core/metrics.hpp"
#include "exchange/replication/replication_sites.hpp"
#include "ports/job_handler.hpp"
#include "ports/replication_catalog.hpp"

#include <atomic>
#include <cstdint>

namespace entrepot {

// Runs jobs of the kind "replication.copy", the tasks of executions: copies (or removes at the target) what the task
// names of one repository, several artifacts at once. Its checkpoint says which are done and which uploads are under
// way, so that another run, here or elsewhere, goes on in the middle of a blob. What can't be copied for now is tried
// again by another run; what a site asks to leave alone for a while, after that while.
class ReplicationCopy final : public JobHandler {
public:
    struct Parts {
        ReplicationCatalog& catalog;
        ReplicationSites& sites;
        const Clock& clock;
    };
    explicit ReplicationCopy(const Parts& parts) : parts_{parts} {}

    Task<JobEnd> run(JobRun& run) override;
    void add_metrics(MetricsText& text) const;

    // What all runs in this process have done.
    struct Counters {
        std::atomic<std::uint64_t> copied{0};
        std::atomic<std::uint64_t> skipped{0};
        std::atomic<std::uint64_t> failed{0};
        std::atomic<std::uint64_t> bytes{0};
        std::atomic<std::uint64_t> bytes_again{0};
        std::atomic<std::uint64_t> breaks{0};
    };

private:
    Parts parts_;
    Counters counters_;
};

}  // namespace entrepot

#pragma once

#include "exchange/replication/replication_sites.hpp"
#include "ports/artifact_catalog.hpp"
#include "ports/job_catalog.hpp"
#include "ports/job_handler.hpp"
#include "ports/job_queue.hpp"
#include "ports/replication_catalog.hpp"

namespace entrepot {

// Runs jobs of the kind "replication", the executions of policies: walks through the source page by page, compares each
// wanted tag with the target, and adds tasks "replication.copy" below itself for what differs. What is in memory is a
// page and a batch, whatever the source holds; the place in the list is its checkpoint. What was added before a crash
// and is added again after it is the same job while that is unfinished, and else finds everything there.
// An execution that an event set off adds its one task without a look at anything else.
class ReplicationPlan final : public JobHandler {
public:
    struct Parts {
        ReplicationCatalog& catalog;
        ReplicationSites& sites;
        JobQueue& queue;
        JobCatalog& jobs;
        ArtifactCatalog& artifacts;  // labels of this registry's
        const Clock& clock;
        std::int64_t most_pages = 10'000;  // of one list: a source's that is longer does not end
    };
    explicit ReplicationPlan(const Parts& parts) : parts_{parts} {}

    Task<JobEnd> run(JobRun& run) override;

private:
    Task<bool> another_is_active(const ReplicationPolicy& policy, std::int64_t own);

    Parts parts_;
};

}  // namespace entrepot

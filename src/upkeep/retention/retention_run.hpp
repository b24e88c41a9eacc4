#pragma once

#include "core/clock.hpp"
#include "ports/job_handler.hpp"
#include "ports/retention_catalog.hpp"
#include "ports/schedule_catalog.hpp"
#include "ports/tag_inventory.hpp"

namespace entrepot {

// Runs jobs of the kind "retention": repository by repository, each one's tags in memory at a time. What is removed is
// removed in batches, each a transaction that looks again. A run that is interrupted goes on with the repository it was
// in. Before anything is removed a run looks whether it would leave anything at all, and refuses to go on if not,
// unless policy or order confirm that.
class RetentionRun final : public JobHandler {
public:
    RetentionRun(RetentionCatalog& catalog, TagInventory& inventory, ScheduleCatalog& schedules, const Clock& clock)
        : catalog_{catalog}, inventory_{inventory}, schedules_{schedules}, clock_{clock}
    {
    }

    Task<JobEnd> run(JobRun& run) override;

private:
    Task<JobEnd> end_without_policy(std::int64_t policy_id);

    RetentionCatalog& catalog_;
    TagInventory& inventory_;
    ScheduleCatalog& schedules_;
    const Clock& clock_;
};

}  // namespace entrepot

#pragma once

#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"
#include "ports/retention_policy.hpp"

#include <cstdint>
#include <string>

namespace entrepot {

// What one run of a policy did in one repository; of a dry run, what it would do.
struct RetentionTask {
    std::int64_t id = 0;
    std::int64_t policy_id = 0;
    std::int64_t execution_id = 0;  // the job
    std::string repository{};
    std::int64_t removed = 0;
    std::int64_t retained = 0;
    Micros started_at = 0;
    Micros ended_at = 0;
    std::string report{};  // one line a tag; lists leave it out
};

// Retention policies, at most one a project, and the reports of their runs. The project's metadata names its policy as
// retention_id. Durable when acknowledged; unavailable, storage_full.
class RetentionCatalog {
public:
    virtual ~RetentionCatalog() = default;

    virtual Task<RetentionPolicy> find(std::int64_t id) = 0;  // not_found
    // Answers its id. bad_request when the project has one, not_found without the project.
    virtual Task<std::int64_t> create(RetentionPolicy policy, Actor actor) = 0;
    virtual Task<> change(RetentionPolicy policy, Actor actor) = 0;  // not_found; its project stays
    virtual Task<> remove(std::int64_t id) = 0;                      // not_found

    // Adds to what the same run reported of the repository before: what was removed, and lines. What is retained takes
    // the place of what was; with `anew` everything does. Nothing happens without the policy.
    virtual Task<> report(RetentionTask task, bool anew) = 0;
    virtual Task<ListPage<RetentionTask>> tasks(std::int64_t execution_id, ListQuery query) = 0;
    virtual Task<std::string> task_report(std::int64_t execution_id, std::int64_t id) = 0;  // not_found
    // Those of all but the newest runs of the policy.
    virtual Task<> forget_tasks(std::int64_t policy_id, std::int64_t runs_kept) = 0;
};

}  // namespace entrepot

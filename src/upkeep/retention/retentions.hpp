#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/job_catalog.hpp"
#include "ports/job_queue.hpp"
#include "ports/retention_catalog.hpp"
#include "upkeep/jobs/schedules.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// Retention policies as people manage them, and their runs. Every method checks what the caller may in the policy's
// project; who may not see it is told not_found, as of a policy that is not there. Safe from any loop.
class Retentions {
public:
    struct Needs {
        RetentionCatalog& catalog;
        JobQueue& queue;
        JobCatalog& jobs;
        Schedules& schedules;
        const AccessPolicy& policy;
        const Clock& clock;
    };
    explicit Retentions(const Needs& needs) : needs_{needs} {}

    Task<RetentionPolicy> find(Caller caller, std::int64_t id);
    // bad_request for too many rules, a cron that makes no sense, and rules that keep nothing without confirm_all;
    // conflict for a rule that is there twice.
    Task<std::int64_t> create(Caller caller, RetentionPolicy policy);
    Task<RetentionPolicy> change(Caller caller, RetentionPolicy policy);  // answers what it was
    Task<RetentionPolicy> remove(Caller caller, std::int64_t id);

    struct Run {
        bool dry_run = false;
        bool confirm_all = false;
    };
    // Answers the execution's id: that of the one under way where there is one.
    Task<std::int64_t> run(Caller caller, std::int64_t id, Run run);
    Task<> stop(Caller caller, std::int64_t id, std::int64_t execution_id);
    Task<Job> execution(Caller caller, std::int64_t id, std::int64_t execution_id);
    Task<ListPage<Job>> executions(Caller caller, std::int64_t id, ListQuery query);
    // Of one execution, and how it stands.
    struct Tasks {
        Job execution;
        ListPage<RetentionTask> page;
    };
    Task<Tasks> tasks(Caller caller, std::int64_t id, std::int64_t execution_id, ListQuery query);
    Task<std::string> task_log(Caller caller, std::int64_t id, std::int64_t execution_id, std::int64_t task_id);

private:
    Task<RetentionPolicy> require_policy(Caller caller, std::int64_t id, std::string_view action);
    Result<> require_on(const Caller& caller, std::int64_t project_id, std::string_view action) const;
    Task<Job> require_execution(std::int64_t id, std::int64_t execution_id);
    Task<> set_schedule(RetentionPolicy policy, Actor actor);
    std::int64_t tenant_of(std::int64_t project_id) const;
    Actor actor(const Caller& caller) const { return {caller.identity->user_id, needs_.clock.now()}; }

    Needs needs_;
};

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/endpoint_catalog.hpp"
#include "ports/job_catalog.hpp"
#include "ports/job_queue.hpp"
#include "ports/replication_catalog.hpp"
#include "ports/timetable.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// A run of a policy and how its tasks stand.
struct ReplicationExecution {
    Job job;
    JobTaskCounts tasks;

    bool unfinished() const noexcept { return job.ended_at == 0 || tasks.unfinished > 0; }
};

// Replication policies as people manage them, their executions and their lag. A policy copies whatever it names into
// and out of every project, so that it is the platform's to have. Safe from any loop.
class Replications {
public:
    struct Parts {
        ReplicationCatalog& catalog;
        EndpointCatalog& endpoints;
        JobCatalog& jobs;
        JobQueue& queue;
        Timetable& timetable;
        const AccessPolicy& policy;
        const Clock& clock;
    };
    explicit Replications(const Parts& parts) : parts_{parts} {}

    Task<ListPage<ReplicationPolicy>> list(Caller caller, ListQuery query);
    Task<ReplicationPolicy> find(Caller caller, std::int64_t id);
    // bad_request names what is wrong; conflict: the name; not_found: an endpoint.
    Task<ReplicationPolicy> create(Caller caller, ReplicationPolicy policy);
    struct Changed {
        ReplicationPolicy before;
        ReplicationPolicy after;
    };
    Task<Changed> change(Caller caller, ReplicationPolicy policy);
    // precondition_failed while an execution is unfinished.
    Task<ReplicationPolicy> remove(Caller caller, std::int64_t id);

    // The execution's id; where the policy has a single active one, that of the one under way. precondition_failed for
    // a disabled policy.
    Task<std::int64_t> start(Caller caller, std::int64_t policy_id);
    // What policies name, for those who may read them: at most 100 of `ids`.
    Task<std::vector<RegistryEndpoint>> endpoints(std::vector<std::int64_t> ids);
    // With its tasks. Of one that has ended nothing is changed.
    Task<> stop(Caller caller, std::int64_t execution_id);
    Task<ReplicationExecution> execution(Caller caller, std::int64_t id);
    Task<ListPage<ReplicationExecution>>
    executions(Caller caller, std::optional<std::int64_t> policy_id, ListQuery query);
    Task<ListPage<Job>> tasks(Caller caller, std::int64_t execution_id, ListQuery query);
    Task<std::vector<JobLine>> log(Caller caller, std::int64_t execution_id, std::int64_t task_id);

    Task<ReplicationLag> lag(Caller caller, std::int64_t policy_id);
    Task<std::vector<ReplicationLag>> lag(Caller caller);
    Task<ReplicationCatalog::PendingPage> pending(
        Caller caller,
        std::int64_t policy_id,
        std::string after_repository,
        std::string after_reference,
        std::int64_t limit
    );

private:
    Result<> require_on_policies(const Caller& caller, std::string_view action) const;
    Result<> require_on_runs(const Caller& caller, std::string_view action) const;
    Task<> set_schedule(ReplicationPolicy policy, Actor actor);
    Task<ReplicationPolicy> checked(ReplicationPolicy policy);
    Task<Job> require_execution(std::int64_t id);
    Task<std::optional<std::int64_t>> running(std::int64_t policy_id);
    Actor actor(const Caller& caller) const { return {caller.identity->user_id, parts_.clock.now()}; }

    Parts parts_;
};

}  // namespace entrepot

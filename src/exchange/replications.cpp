#include "exchange/replications.hpp"

#include "access/require.hpp"
#include "exchange/policy_input.hpp"
#include "exchange/replication_job.hpp"

#include <algorithm>

namespace entrepot {
namespace {

ListCondition equals(std::string field, std::string value)
{
    return {.field = std::move(field), .kind = ListCondition::Kind::equal, .values = {std::move(value)}};
}

std::unexpected<Error> no_such_execution()
{
    return fail(Errc::not_found, "there is no such execution");
}

// A policy's runs follow one another, or (with single_active_replication) a second one is not added at all.
std::string unique_key(const ReplicationPolicy& policy)
{
    return policy.single_active ? "policy-" + std::to_string(policy.id) : std::string{};
}

std::vector<ReplicationExecution> with_tasks(std::vector<Job> jobs, const std::vector<JobTaskCounts>& counts)
{
    std::vector<ReplicationExecution> executions;
    for (auto& job : jobs) {
        const auto found = std::ranges::find(counts, job.id, &JobTaskCounts::parent_id);
        auto tasks = found == counts.end() ? JobTaskCounts{.parent_id = job.id} : *found;
        executions.push_back({.job = std::move(job), .tasks = tasks});
    }
    return executions;
}

}  // namespace

Result<> Replications::require_on_policies(const Caller& caller, std::string_view action) const
{
    return require(parts_.policy, caller, need(ObjectKind::platform, "replication-policy", action), the_platform);
}

Result<> Replications::require_on_runs(const Caller& caller, std::string_view action) const
{
    return require(parts_.policy, caller, need(ObjectKind::platform, "replication", action), the_platform);
}

// With the tenant whose turn its jobs take: that of its endpoint.
Task<ReplicationPolicy> Replications::checked(ReplicationPolicy policy)
{
    CO_CHECK(check_replication_policy(policy, parts_.timetable));
    const auto there = policy.source_id != 0 ? policy.source_id : policy.target_id;
    CO_TRY(const auto endpoint, co_await parts_.endpoints.find(there));
    policy.tenant_id = endpoint.tenant_id;
    co_return policy;
}

Task<> Replications::set_schedule(ReplicationPolicy policy, Actor actor)
{
    if (policy.trigger.type != "scheduled" || !policy.enabled) {
        co_return co_await parts_.timetable.drop(ReplicationOrder::kind, policy.id);
    }
    Schedule wanted{
        .kind = ReplicationOrder::kind,
        .subject_id = policy.id,
        .tenant_id = policy.tenant_id,
        .type = "Custom",
        .cron = policy.trigger.cron,
        .parameters = ReplicationOrder{.policy_id = policy.id}.json(),
        .priority = policy.priority,
        .unique_key = unique_key(policy),
        .actor = actor,
    };
    co_return co_await parts_.timetable.put(std::move(wanted));
}

Task<ListPage<ReplicationPolicy>> Replications::list(Caller caller, ListQuery query)
{
    CO_CHECK(require_on_policies(caller, "list"));
    co_return co_await parts_.catalog.list(std::move(query));
}

Task<ReplicationPolicy> Replications::find(Caller caller, std::int64_t id)
{
    CO_CHECK(require_on_policies(caller, "read"));
    co_return co_await parts_.catalog.find(id);
}

Task<ReplicationPolicy> Replications::create(Caller caller, ReplicationPolicy policy)
{
    CO_CHECK(require_on_policies(caller, "create"));
    CO_TRY(auto wanted, co_await checked(std::move(policy)));
    CO_TRY(auto made, co_await parts_.catalog.create(std::move(wanted), actor(caller)));
    CO_CHECK(co_await set_schedule(made, actor(caller)));
    co_return made;
}

Task<Replications::Changed> Replications::change(Caller caller, ReplicationPolicy policy)
{
    CO_CHECK(require_on_policies(caller, "update"));
    CO_TRY(auto before, co_await parts_.catalog.find(policy.id));
    CO_TRY(auto wanted, co_await checked(std::move(policy)));
    CO_TRY(auto after, co_await parts_.catalog.change(std::move(wanted), actor(caller)));
    CO_CHECK(co_await set_schedule(after, actor(caller)));
    co_return Changed{std::move(before), std::move(after)};
}

Task<std::optional<std::int64_t>> Replications::running(std::int64_t policy_id)
{
    ListQuery query;
    query.limit = 1;
    query.conditions.push_back(equals("kind", ReplicationOrder::kind));
    query.conditions.push_back(equals("subject_id", std::to_string(policy_id)));
    query.conditions.push_back(equals("outcome", "running"));
    CO_TRY(const auto page, co_await parts_.jobs.list(std::move(query)));
    if (page.items.empty()) co_return std::nullopt;
    co_return page.items.front().id;
}

Task<ReplicationPolicy> Replications::remove(Caller caller, std::int64_t id)
{
    CO_CHECK(require_on_policies(caller, "delete"));
    CO_TRY(auto policy, co_await parts_.catalog.find(id));
    CO_TRY(const auto under_way, co_await running(id));
    if (under_way) {
        co_return fail(Errc::precondition_failed, "an execution of the policy is under way: stop it first");
    }
    // First, so that no job comes for a policy that is gone.
    CO_CHECK(co_await parts_.timetable.drop(ReplicationOrder::kind, id));
    CO_CHECK(co_await parts_.catalog.remove(id, actor(caller)));
    co_return policy;
}

Task<std::int64_t> Replications::start(Caller caller, std::int64_t policy_id)
{
    CO_CHECK(require_on_runs(caller, "create"));
    CO_TRY(const auto policy, co_await parts_.catalog.find(policy_id));
    if (!policy.enabled) co_return fail(Errc::precondition_failed, "the policy is disabled");
    if (policy.single_active) {
        CO_TRY(const auto under_way, co_await running(policy_id));
        if (under_way) co_return *under_way;
    }
    NewJob job{
        .kind = ReplicationOrder::kind,
        .subject_id = policy_id,
        .tenant_id = policy.tenant_id,
        .priority = policy.priority,
        .parameters = ReplicationOrder{.policy_id = policy_id, .user_id = caller.identity->user_id}.json(),
        .unique_key = unique_key(policy),
        .actor = actor(caller),
    };
    std::vector<NewJob> jobs;
    jobs.push_back(std::move(job));
    CO_TRY(const auto ids, co_await parts_.queue.add(std::move(jobs)));
    co_return ids.front();
}

Task<std::vector<RegistryEndpoint>> Replications::endpoints(std::vector<std::int64_t> ids)
{
    ListQuery query;
    query.limit = std::ssize(ids);
    ListCondition condition{.field = "id", .kind = ListCondition::Kind::any_of, .values = {}};
    for (const auto id : ids) condition.values.push_back(std::to_string(id));
    if (ids.empty()) co_return std::vector<RegistryEndpoint>{};
    query.conditions.push_back(std::move(condition));
    CO_TRY(auto page, co_await parts_.endpoints.list(std::move(query)));
    co_return std::move(page.items);
}

Task<Job> Replications::require_execution(std::int64_t id)
{
    auto job = co_await parts_.jobs.find(id);
    if (!job && job.error().code() == Errc::not_found) co_return no_such_execution();
    if (job && job->kind != ReplicationOrder::kind) co_return no_such_execution();
    co_return job;
}

Task<> Replications::stop(Caller caller, std::int64_t execution_id)
{
    CO_CHECK(require_on_runs(caller, "create"));
    CO_CHECK(co_await require_execution(execution_id));
    const auto now = parts_.clock.now();
    const auto stopped = co_await parts_.jobs.stop(execution_id, now);
    // It has planned all there is.
    if (!stopped && stopped.error().code() != Errc::precondition_failed) co_return std::unexpected{stopped.error()};
    co_return co_await parts_.jobs.stop_tasks(execution_id, now);
}

Task<ReplicationExecution> Replications::execution(Caller caller, std::int64_t id)
{
    CO_CHECK(require_on_runs(caller, "read"));
    CO_TRY(auto job, co_await require_execution(id));
    const std::vector ids{id};
    CO_TRY(const auto counts, co_await parts_.jobs.task_counts(ids));
    std::vector<Job> jobs;
    jobs.push_back(std::move(job));
    co_return std::move(with_tasks(std::move(jobs), counts).front());
}

Task<ListPage<ReplicationExecution>>
Replications::executions(Caller caller, std::optional<std::int64_t> policy_id, ListQuery query)
{
    CO_CHECK(require_on_runs(caller, "list"));
    query.conditions.push_back(equals("kind", ReplicationOrder::kind));
    if (policy_id) query.conditions.push_back(equals("subject_id", std::to_string(*policy_id)));
    CO_TRY(auto page, co_await parts_.jobs.list(std::move(query)));
    std::vector<std::int64_t> ids;
    for (const auto& job : page.items) ids.push_back(job.id);
    CO_TRY(const auto counts, co_await parts_.jobs.task_counts(std::move(ids)));
    co_return ListPage<ReplicationExecution>{with_tasks(std::move(page.items), counts), page.total};
}

Task<ListPage<Job>> Replications::tasks(Caller caller, std::int64_t execution_id, ListQuery query)
{
    CO_CHECK(require_on_runs(caller, "read"));
    CO_CHECK(co_await require_execution(execution_id));
    query.conditions.push_back(equals("parent_id", std::to_string(execution_id)));
    co_return co_await parts_.jobs.list(std::move(query));
}

Task<std::vector<JobLine>> Replications::log(Caller caller, std::int64_t execution_id, std::int64_t task_id)
{
    CO_CHECK(require_on_runs(caller, "read"));
    CO_CHECK(co_await require_execution(execution_id));
    const auto task = co_await parts_.jobs.find(task_id);
    const bool missing = !task && task.error().code() == Errc::not_found;
    if (missing || (task && task->parent_id != execution_id)) {
        co_return fail(Errc::not_found, "the execution has no such task");
    }
    CO_CHECK(task);
    co_return co_await parts_.jobs.log(task_id);
}

Task<ReplicationLag> Replications::lag(Caller caller, std::int64_t policy_id)
{
    CO_CHECK(require_on_policies(caller, "read"));
    CO_TRY(const auto lag, co_await parts_.catalog.lag(policy_id));
    co_return lag.front();
}

Task<std::vector<ReplicationLag>> Replications::lag(Caller caller)
{
    CO_CHECK(require_on_policies(caller, "list"));
    co_return co_await parts_.catalog.lag(std::nullopt);
}

Task<ReplicationCatalog::PendingPage> Replications::pending(
    Caller caller, std::int64_t policy_id, std::string after_repository, std::string after_reference, std::int64_t limit
)
{
    CO_CHECK(require_on_policies(caller, "read"));
    CO_CHECK(co_await parts_.catalog.find(policy_id));
    co_return co_await parts_.catalog.pending(
        policy_id, std::move(after_repository), std::move(after_reference), limit
    );
}

}  // namespace entrepot

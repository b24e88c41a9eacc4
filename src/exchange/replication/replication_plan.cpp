#include "exchange/replication/replication_plan.hpp"

#include "exchange/replication/plan_round.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr std::int64_t looked_at = 50;

ListQuery unfinished(const char* kind, std::int64_t policy_id, const char* state)
{
    ListQuery query;
    query.conditions = {
        {.field = "kind", .values = {kind}},
        {.field = "subject_id", .values = {std::to_string(policy_id)}},
        {.field = "state", .values = {state}},
    };
    query.limit = looked_at;
    return query;
}

JobEnd done_without(const char* why)
{
    ReplicationTally tally;
    tally.error = why;
    return {.kind = JobEnd::Kind::done, .result = tally.json()};
}

}  // namespace

Task<bool> ReplicationPlan::another_is_active(const ReplicationPolicy& policy, std::int64_t own)
{
    for (const auto* state : {"waiting", "delayed", "running"}) {
        CO_TRY(const auto tasks, co_await parts_.jobs.list(unfinished(ReplicationTask::kind, policy.id, state)));
        const auto of_another = [&](const Job& job) { return job.parent_id != own; };
        if (std::ranges::any_of(tasks.items, of_another)) co_return true;
    }
    CO_TRY(const auto plans, co_await parts_.jobs.list(unfinished(ReplicationOrder::kind, policy.id, "running")));
    co_return std::ranges::any_of(plans.items, [&](const Job& job) { return job.id < own; });
}

Task<JobEnd> ReplicationPlan::run(JobRun& run)
{
    const auto order = ReplicationOrder::parse(run.parameters());
    if (!order) co_return JobEnd{.kind = JobEnd::Kind::failed, .result = order.error().message()};
    auto event = ReplicationEvent::parse(run.parameters());
    if (!event) co_return JobEnd{.kind = JobEnd::Kind::failed, .result = event.error().message()};
    auto found = co_await parts_.catalog.find(order->policy_id);
    if (!found && found.error().code() == Errc::not_found) {
        co_return JobEnd{.kind = JobEnd::Kind::failed, .result = "the policy was deleted"};
    }
    CO_TRY(const auto policy, std::move(found));
    if (!policy.enabled) co_return done_without("the policy is not enabled");
    if (policy.single_active && !*event && run.checkpoint().empty()) {
        CO_TRY(const bool active, co_await another_is_active(policy, run.id()));
        if (active) {
            run.log("an earlier execution of the policy is still in progress: nothing was done");
            co_return done_without("an earlier execution is still in progress");
        }
        // From here on its own tasks are no reason to give way.
        CO_CHECK(co_await run.save("{}", {}));
    }
    auto opened = co_await parts_.sites.open(policy);
    if (!opened && (opened.error().code() == Errc::not_found || opened.error().code() == Errc::unprocessable)) {
        co_return JobEnd{.kind = JobEnd::Kind::failed, .result = opened.error().message()};
    }
    CO_TRY(const auto ends, std::move(opened));
    PlanRound round{parts_, run, policy, ends, order->user_id != 0};
    if (*event) co_return co_await round.hand_over(**std::move(event));
    co_return co_await round.walk();
}

}  // namespace entrepot

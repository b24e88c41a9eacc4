#include "upkeep/retention/retentions.hpp"

#include "access/require.hpp"
#include "upkeep/retention/evaluate.hpp"
#include "upkeep/retention/retention_order.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::int64_t most_tags = 1'000'000;
constexpr std::int64_t most_days = 36'500;

bool takes_days(RetentionTemplate keeps)
{
    return keeps == RetentionTemplate::days_since_push || keeps == RetentionTemplate::days_since_pull ||
           keeps == RetentionTemplate::days_since_creation;
}

Result<> check_rule(const RetentionRule& rule)
{
    if (rule.keeps == RetentionTemplate::always) return {};
    if (rule.keeps == RetentionTemplate::versions) {
        if (rule.range) return {};
        return fail(Errc::bad_request, "the template semanticVersions needs a range of versions");
    }
    const auto most = takes_days(rule.keeps) ? most_days : most_tags;
    if (rule.number >= 0 && rule.number <= most) return {};
    return fail(
        Errc::bad_request,
        "the parameter of " + std::string{name_of(rule.keeps)} + " is from 0 to " + std::to_string(most)
    );
}

bool same(const RetentionRule& left, const RetentionRule& right)
{
    const auto range = [](const RetentionRule& rule) { return rule.range ? rule.range->text() : std::string{}; };
    return left.keeps == right.keeps && left.number == right.number && range(left) == range(right) &&
           left.untagged == right.untagged && left.disabled == right.disabled &&
           left.repositories == right.repositories && left.tags == right.tags;
}

Result<> check_rules(const std::vector<RetentionRule>& rules)
{
    if (rules.size() > RetentionPolicy::most_rules) {
        return fail(Errc::bad_request, "only 15 rules are allowed at most");
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
        CHECK(check_rule(rules[i]));
        for (std::size_t j = 0; j < i; ++j) {
            if (!same(rules[i], rules[j])) continue;
            return fail(
                Errc::conflict, "rule " + std::to_string(i + 1) + " is the same as rule " + std::to_string(j + 1)
            );
        }
    }
    return {};
}

Result<> check_policy(const RetentionPolicy& policy)
{
    CHECK(check_rules(policy.rules));
    if (!policy.cron.empty()) CHECK(Schedules::check("Custom", policy.cron));
    if (!keeps_nothing(policy.rules) || policy.confirm_all) return {};
    return fail(
        Errc::bad_request,
        "these rules keep nothing: everything that they are about would go. Say \"confirm_all\": true if that is meant"
    );
}

std::unexpected<Error> no_such_policy()
{
    return fail(Errc::not_found, "there is no such retention policy");
}

}  // namespace

Result<> Retentions::require_on(const Caller& caller, std::int64_t project_id, std::string_view action) const
{
    const auto needed = need(ObjectKind::project, "tag-retention", action);
    return require(needs_.policy, caller, needed, {.kind = ObjectKind::project, .id = project_id, .name = {}});
}

Task<RetentionPolicy> Retentions::require_policy(Caller caller, std::int64_t id, std::string_view action)
{
    CO_TRY(auto policy, co_await needs_.catalog.find(id));
    const auto allowed = require_on(caller, policy.project_id, action);
    if (!allowed && allowed.error().code() == Errc::not_found) co_return no_such_policy();
    CO_CHECK(allowed);
    co_return policy;
}

std::int64_t Retentions::tenant_of(std::int64_t project_id) const
{
    const auto project = needs_.policy.project(project_id);
    return project ? project->tenant_id : 0;
}

Task<> Retentions::set_schedule(RetentionPolicy policy, Actor actor)
{
    if (policy.cron.empty()) co_return co_await needs_.schedules.remove(RetentionOrder::kind, policy.id);
    Schedule wanted{
        .kind = RetentionOrder::kind,
        .subject_id = policy.id,
        .tenant_id = tenant_of(policy.project_id),
        .project_id = policy.project_id,
        .type = "Custom",
        .cron = policy.cron,
        .parameters = RetentionOrder{.policy_id = policy.id}.json(),
        .unique_key = "policy-" + std::to_string(policy.id),
        .actor = actor,
    };
    const auto set = co_await needs_.schedules.set(std::move(wanted));
    CO_CHECK(set);
    co_return Result<>{};
}

Task<RetentionPolicy> Retentions::find(Caller caller, std::int64_t id)
{
    return require_policy(std::move(caller), id, "read");
}

Task<std::int64_t> Retentions::create(Caller caller, RetentionPolicy policy)
{
    CO_CHECK(require_on(caller, policy.project_id, "create"));
    CO_CHECK(check_policy(policy));
    CO_TRY(policy.id, co_await needs_.catalog.create(policy, actor(caller)));
    const auto id = policy.id;
    CO_CHECK(co_await set_schedule(std::move(policy), actor(caller)));
    co_return id;
}

Task<RetentionPolicy> Retentions::change(Caller caller, RetentionPolicy policy)
{
    CO_TRY(auto before, co_await require_policy(caller, policy.id, "update"));
    CO_CHECK(check_policy(policy));
    policy.project_id = before.project_id;
    CO_CHECK(co_await needs_.catalog.change(policy, actor(caller)));
    CO_CHECK(co_await set_schedule(std::move(policy), actor(caller)));
    co_return before;
}

Task<RetentionPolicy> Retentions::remove(Caller caller, std::int64_t id)
{
    CO_TRY(auto before, co_await require_policy(std::move(caller), id, "delete"));
    // First, so that no job comes for a policy that is gone.
    CO_CHECK(co_await needs_.schedules.remove(RetentionOrder::kind, id));
    CO_CHECK(co_await needs_.catalog.remove(id));
    co_return before;
}

Task<std::int64_t> Retentions::run(Caller caller, std::int64_t id, Run run)
{
    CO_TRY(const auto policy, co_await require_policy(caller, id, "update"));
    const RetentionOrder order{
        .policy_id = id,
        .user_id = caller.identity->user_id,
        .dry_run = run.dry_run,
        .confirm_all = run.confirm_all,
    };
    NewJob job{
        .kind = RetentionOrder::kind,
        .subject_id = id,
        .tenant_id = tenant_of(policy.project_id),
        .project_id = policy.project_id,
        .parameters = order.json(),
        .unique_key = (run.dry_run ? "dry-" : "policy-") + std::to_string(id),
        .actor = actor(caller),
    };
    std::vector<NewJob> jobs;
    jobs.push_back(std::move(job));
    CO_TRY(const auto ids, co_await needs_.queue.add(std::move(jobs)));
    co_return ids.front();
}

Task<Job> Retentions::require_execution(std::int64_t id, std::int64_t execution_id)
{
    auto job = co_await needs_.jobs.find(execution_id);
    const bool ours = job && job->kind == RetentionOrder::kind && job->subject_id == id;
    if (!ours && (job || job.error().code() == Errc::not_found)) {
        co_return fail(Errc::not_found, "there is no such execution");
    }
    co_return job;
}

Task<> Retentions::stop(Caller caller, std::int64_t id, std::int64_t execution_id)
{
    CO_CHECK(co_await require_policy(std::move(caller), id, "update"));
    CO_CHECK(co_await require_execution(id, execution_id));
    const auto stopped = co_await needs_.jobs.stop(execution_id, needs_.clock.now());
    // It has ended by itself.
    if (!stopped && stopped.error().code() != Errc::precondition_failed) co_return std::unexpected{stopped.error()};
    co_return Result<>{};
}

Task<Job> Retentions::execution(Caller caller, std::int64_t id, std::int64_t execution_id)
{
    CO_CHECK(co_await require_policy(std::move(caller), id, "read"));
    co_return co_await require_execution(id, execution_id);
}

Task<ListPage<Job>> Retentions::executions(Caller caller, std::int64_t id, ListQuery query)
{
    CO_CHECK(co_await require_policy(std::move(caller), id, "list"));
    query.conditions.push_back({"kind", ListCondition::Kind::equal, {RetentionOrder::kind}});
    query.conditions.push_back({"subject_id", ListCondition::Kind::equal, {std::to_string(id)}});
    co_return co_await needs_.jobs.list(std::move(query));
}

Task<Retentions::Tasks> Retentions::tasks(Caller caller, std::int64_t id, std::int64_t execution_id, ListQuery query)
{
    CO_CHECK(co_await require_policy(std::move(caller), id, "list"));
    CO_TRY(auto execution, co_await require_execution(id, execution_id));
    CO_TRY(auto page, co_await needs_.catalog.tasks(execution_id, std::move(query)));
    co_return Tasks{std::move(execution), std::move(page)};
}

Task<std::string> Retentions::task_log(Caller caller, std::int64_t id, std::int64_t execution_id, std::int64_t task_id)
{
    CO_CHECK(co_await require_policy(std::move(caller), id, "read"));
    CO_CHECK(co_await require_execution(id, execution_id));
    co_return co_await needs_.catalog.task_report(execution_id, task_id);
}

}  // namespace entrepot

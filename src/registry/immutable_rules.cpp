#include "registry/immutable_rules.hpp"

#include "access/require.hpp"

namespace entrepot {

Result<> ImmutableRuleBook::require_on(const Caller& caller, std::int64_t project_id, std::string_view action) const
{
    const auto needed = need(ObjectKind::project, "immutable-tag", action);
    return require(policy_, caller, needed, {.kind = ObjectKind::project, .id = project_id, .name = {}});
}

Task<ListPage<ImmutableRule>> ImmutableRuleBook::list(Caller caller, std::int64_t project_id, ListQuery query)
{
    CO_CHECK(require_on(caller, project_id, "list"));
    co_return co_await catalog_.list(project_id, std::move(query));
}

Task<ImmutableRule> ImmutableRuleBook::find(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require_on(caller, project_id, "list"));
    co_return co_await catalog_.find(project_id, id);
}

Task<std::int64_t> ImmutableRuleBook::create(Caller caller, ImmutableRule rule)
{
    CO_CHECK(require_on(caller, rule.project_id, "create"));
    co_return co_await catalog_.create(std::move(rule), actor(caller));
}

Task<ImmutableRule> ImmutableRuleBook::change(Caller caller, ImmutableRule rule)
{
    CO_CHECK(require_on(caller, rule.project_id, "update"));
    CO_TRY(auto before, co_await catalog_.find(rule.project_id, rule.id));
    CO_CHECK(co_await catalog_.change(std::move(rule), actor(caller)));
    co_return before;
}

Task<ImmutableRule> ImmutableRuleBook::remove(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require_on(caller, project_id, "delete"));
    CO_TRY(auto before, co_await catalog_.find(project_id, id));
    CO_CHECK(co_await catalog_.remove(project_id, id));
    co_return before;
}

}  // namespace entrepot

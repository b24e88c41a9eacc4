#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/immutable_rule_catalog.hpp"

#include <string_view>

namespace entrepot {

// Immutability rules as people manage them. Every method checks what the caller may in the rule's project; besides it
// answers what the catalog does. Safe from any loop.
class ImmutableRuleBook {
public:
    ImmutableRuleBook(ImmutableRuleCatalog& catalog, const AccessPolicy& policy, const Clock& clock)
        : catalog_{catalog}, policy_{policy}, clock_{clock}
    {
    }

    Task<ListPage<ImmutableRule>> list(Caller caller, std::int64_t project_id, ListQuery query);
    Task<ImmutableRule> find(Caller caller, std::int64_t project_id, std::int64_t id);
    Task<std::int64_t> create(Caller caller, ImmutableRule rule);
    Task<ImmutableRule> change(Caller caller, ImmutableRule rule);  // answers what it was
    Task<ImmutableRule> remove(Caller caller, std::int64_t project_id, std::int64_t id);

private:
    Result<> require_on(const Caller& caller, std::int64_t project_id, std::string_view action) const;
    Actor actor(const Caller& caller) const { return {.user_id = caller.identity->user_id, .at = clock_.now()}; }

    ImmutableRuleCatalog& catalog_;
    const AccessPolicy& policy_;
    const Clock& clock_;
};

}  // namespace entrepot

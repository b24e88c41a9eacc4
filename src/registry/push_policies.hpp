#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/push_policy_catalog.hpp"
#include "ports/tag_inventory.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What of a project would be refused if it were pushed now.
struct PushPolicyCheck {
    static constexpr std::size_t most_refusals = 1000;  // that are told; all are counted

    struct Refusal {
        std::string repository;
        std::string tag;  // empty: the repository itself
        std::string reason;
    };
    std::int64_t repositories = 0;
    std::int64_t tags = 0;
    std::int64_t refused = 0;
    std::vector<Refusal> refusals;
};

// Push policies as people manage them. Every method checks what the caller may in the policy's project; besides it
// answers what the catalog does. Safe from any loop.
class PushPolicyBook {
public:
    PushPolicyBook(PushPolicyCatalog& catalog, TagInventory& inventory, const AccessPolicy& policy, const Clock& clock)
        : catalog_{catalog}, inventory_{inventory}, policy_{policy}, clock_{clock}
    {
    }

    Task<ListPage<PushPolicy>> list(Caller caller, std::int64_t project_id, ListQuery query);
    Task<PushPolicy> find(Caller caller, std::int64_t project_id, std::int64_t id);
    Task<std::int64_t> create(Caller caller, PushPolicy policy);  // bad_request for one that demands nothing
    Task<PushPolicy> change(Caller caller, PushPolicy policy);    // answers what it was
    Task<PushPolicy> remove(Caller caller, std::int64_t project_id, std::int64_t id);
    // By all policies that are not disabled; with `id` by that one alone, also when it is.
    Task<PushPolicyCheck> check(Caller caller, std::int64_t project_id, std::optional<std::int64_t> id);

private:
    Result<> require_on(const Caller& caller, std::int64_t project_id, std::string_view action) const;
    Task<std::vector<PushPolicy>> chosen(std::int64_t project_id, std::optional<std::int64_t> id);
    Task<> check_tags(const std::vector<PushPolicy>& policies, TagInventory::Place place, PushPolicyCheck& found);
    Actor actor(const Caller& caller) const { return {.user_id = caller.identity->user_id, .at = clock_.now()}; }

    PushPolicyCatalog& catalog_;
    TagInventory& inventory_;
    const AccessPolicy& policy_;
    const Clock& clock_;
};

}  // namespace entrepot

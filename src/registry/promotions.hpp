#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/promotion_catalog.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot {

// Promotions as people make them. A policy belongs to its source project; who makes or changes it may do so in the
// target as well, which takes what comes. Who asks for a promotion may pull in the source, who agrees has
// promotion:approve in the target; an approved one is carried out at once, in the name of who made it so. Every method
// checks what the caller may (not_found, denied) and answers else what the catalog does. Safe from any loop.
class Promotions {
public:
    Promotions(PromotionCatalog& catalog, const AccessPolicy& policy, const Clock& clock)
        : catalog_{catalog}, policy_{policy}, clock_{clock}
    {
    }

    Task<ListPage<PromotionPolicy>> policies(Caller caller, std::int64_t project_id, ListQuery query);
    Task<PromotionPolicy> policy(Caller caller, std::int64_t project_id, std::int64_t id);
    Task<std::int64_t> create_policy(Caller caller, PromotionPolicy policy);     // bad_request
    Task<PromotionPolicy> change_policy(Caller caller, PromotionPolicy policy);  // answers what it was
    Task<PromotionPolicy> remove_policy(Caller caller, std::int64_t project_id, std::int64_t id);

    Task<PromotionPlan> plan(Caller caller, PromotionOrder order);
    Task<Promotion> request(Caller caller, PromotionOrder order);
    // Of the project, as source or as target.
    Task<ListPage<Promotion>> list(Caller caller, std::int64_t project_id, ListQuery query);
    Task<Promotion> find(Caller caller, std::int64_t project_id, std::int64_t id);
    Task<Promotion> vote(Caller caller, std::int64_t project_id, std::int64_t id, bool approves, std::string comment);
    // By the requester, or by who could have rejected it.
    Task<Promotion> cancel(Caller caller, std::int64_t project_id, std::int64_t id);
    // Once more, where it was approved and could not be carried out for the moment.
    Task<Promotion> execute(Caller caller, std::int64_t project_id, std::int64_t id);
    Task<> expire();
    // Looks at those that events asked for and that are due, and carries out what nothing keeps back. To be called by
    // one at a time, every now and then.
    Task<> look_at_due();

private:
    Result<>
    require_on(const Caller& caller, std::int64_t project_id, std::string_view resource, std::string_view action) const;
    Result<> may_order(const Caller& caller, const PromotionOrder& order) const;
    Result<> may_decide(const Caller& caller, const Promotion& promotion) const;
    Result<> check_thawed(std::int64_t project_id) const;
    Task<Promotion> carried_out(Promotion promotion, Actor actor);
    Actor actor(const Caller& caller) const { return {.user_id = caller.identity->user_id, .at = clock_.now()}; }

    PromotionCatalog& catalog_;
    const AccessPolicy& policy_;
    const Clock& clock_;
};

}  // namespace entrepot

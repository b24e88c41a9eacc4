#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/promotion_catalog.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// The rows of promotions and of their policies, and the transactions behind PromotionCatalog. To be called inside one;
// the port says what each answers.

Result<ListPage<PromotionPolicy>>
list_promotion_policies(SqlSession& session, std::int64_t project_id, const ListQuery& query);
Result<PromotionPolicy> find_promotion_policy(SqlSession& session, std::int64_t project_id, std::int64_t id);
Result<std::int64_t> create_promotion_policy(SqlSession& session, const PromotionPolicy& policy, const Actor& actor);
Result<> change_promotion_policy(SqlSession& session, const PromotionPolicy& policy, const Actor& actor);
Result<> remove_promotion_policy(SqlSession& session, std::int64_t project_id, std::int64_t id);

Result<ListPage<Promotion>>
list_promotions(SqlSession& session, std::int64_t project_id, const ListQuery& query, Micros now);
Result<Promotion> find_promotion(SqlSession& session, std::int64_t id, Micros now);
// Locks it until the transaction ends.
Result<Promotion> lock_promotion(SqlSession& session, std::int64_t id, Micros now);
// What the policy asked for when it was requested.
Result<std::int64_t> add_promotion(
    SqlSession& session,
    const PromotionPolicy& policy,
    const std::string& comment,
    const std::vector<PromotionItem>& items,
    const Actor& actor
);
Result<>
vote_on_promotion(SqlSession& session, std::int64_t id, bool approves, const std::string& comment, const Actor& actor);
// From a state that has not ended to this one, with the event that tells of it.
Result<> end_promotion(
    SqlSession& session, const Promotion& promotion, PromotionState state, const std::string& error, const Actor& actor
);
Result<std::int64_t> expire_promotions(SqlSession& session, Micros now);

Result<std::string> project_name(SqlSession& session, std::int64_t id);  // not_found

// What would come by the policy, and what is in its way: everything is read, nothing changed.
Result<PromotionPlan>
plan_promotion(SqlSession& session, const PromotionPolicy& policy, const PromotionOrder& order, Micros now);
// The same for what was resolved before. unprocessable where an artifact has gone since.
Result<PromotionPlan>
plan_items(SqlSession& session, const PromotionPolicy& policy, const std::vector<PromotionItem>& items, Micros now);

// All that the items name comes into the target; the repositories that it came into.
Result<std::vector<std::string>>
promote_items(SqlSession& session, const PromotionPolicy& policy, const Promotion& promotion, const Actor& actor);

}  // namespace entrepot

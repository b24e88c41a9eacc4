#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/promotion_catalog.hpp"

#include <cstdint>
#include <string>
#include <string_view>
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

// The event that tells of it, in both projects.
Result<> record_promotion(SqlSession& session, std::string_view type, const Promotion& promotion, const Actor& actor);

Result<std::vector<PromotionPolicy>> event_based_promotions(SqlSession& session);
// Those that lead to the project or from it.
Result<std::vector<PromotionPolicy>> policies_around(SqlSession& session, std::int64_t project_id);

// What events ask for.
Result<bool> start_promotion(SqlSession& session, const PromotionStart& start);  // whether it made one
Result<> touch_promotions(SqlSession& session, const PromotionTouch& touch);
Result<std::vector<std::int64_t>> due_promotions(SqlSession& session, Micros now, std::int64_t limit);
// unprocessable: it is automatic, and its policy or its tag asks for something else by now.
Result<> check_still_wanted(SqlSession& session, const Promotion& promotion, const PromotionPolicy& policy);
Result<Promotion> look_at_promotion(SqlSession& session, std::int64_t id, Micros now, Micros again);

Result<Pipeline> pipeline_around(SqlSession& session, std::int64_t project_id);
Result<JourneyStage> journey_stage(SqlSession& session, const std::string& digest, std::int64_t project_id, Micros now);

// One tag by the policy's names.
PromotionItem promotion_item(
    const PromotionPolicy& policy, const std::string& repository, const std::string& digest, const std::string& tag
);

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

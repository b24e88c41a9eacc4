#pragma once

#include "access/policy.hpp"
#include "api/management/api_values.hpp"
#include "ports/promotion_catalog.hpp"

#include <boost/json/object.hpp>

namespace entrepot {

// Promotions and their policies as the API shows and takes them. All that read a body answer bad_request.

boost::json::object promotion_policy_json(const PromotionPolicy& policy);
// Without its target: that is a project of its own to be looked up.
Result<PromotionPolicy> promotion_policy_of(const JsonBody& body);

// Whole: with what it holds and who has decided.
boost::json::object promotion_json(const Promotion& promotion, bool whole);
boost::json::object promotion_plan_json(const PromotionPlan& plan);
// `project`: the source project's name.
Result<PromotionOrder> promotion_order_of(const JsonBody& body, const ProjectAccess& project);

}  // namespace entrepot

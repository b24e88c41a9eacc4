#pragma once

#include "api/management/api_values.hpp"
#include "tenancy/robots.hpp"

#include <boost/json/object.hpp>

namespace entrepot {

// A robot without its secret, in Harbor's shape.
boost::json::object robot_json(const Robot& robot);
// When it ends, as Harbor writes it: seconds since 1970, -1 for never.
std::int64_t robot_expiry(const Robot& robot) noexcept;
// {"system", "tenant", "project"}: every permission that a robot can be given at that level.
boost::json::object grantable_json();

// "permissions" of a robot: [{"kind", "namespace", "access": [{"resource", "action", "effect"}]}]. bad_request.
Result<std::vector<RobotPermission>> robot_permissions_of(const JsonBody& body);
Result<RobotLevel> robot_level_of(std::string_view word);

}  // namespace entrepot

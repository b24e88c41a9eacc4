#pragma once

#include "access/permission.hpp"

#include <boost/json/array.hpp>

#include <optional>

namespace entrepot {

// [{"resource", "action"}] of a set, each pair once, in the order of all_permissions(): of one kind where `kind` is
// given, else of whatever kinds have them.
boost::json::array access_json(const PermissionSet& permissions, std::optional<ObjectKind> kind = std::nullopt);

}  // namespace entrepot

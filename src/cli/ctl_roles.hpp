#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace entrepot {

// Harbor's five project roles by name; a member has one of them (reference: Harbor API v2.0, role_id).
Result<std::int64_t> project_role_id(std::string_view name);   // bad_request
std::string_view project_role_name(std::int64_t id) noexcept;  // empty for anything else
std::vector<std::string_view> project_role_names();

}  // namespace entrepot

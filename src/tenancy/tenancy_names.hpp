#pragma once

#include "core/error.hpp"

#include <string_view>

namespace entrepot {

// A tenant's name is one of lower-case letters, digits and single '.', '_', '-' between them, at most 63, and no
// number, since numbers are ids in paths. bad_request.
Result<> check_tenant_name(std::string_view name);
// Names of teams, groups and roles: 1 to 128 characters of plain text. bad_request.
Result<> check_shown_name(std::string_view what, std::string_view name);
// Display names and descriptions: at most 1024 bytes. bad_request.
Result<> check_shown_text(std::string_view what, std::string_view text);

}  // namespace entrepot

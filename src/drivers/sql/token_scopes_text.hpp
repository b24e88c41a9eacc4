#pragma once

#include "core/error.hpp"
#include "ports/access_token_catalog.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// An access token's scopes as stored: "" for none, else JSON [{"kind","id","name","permissions":["project repository
// pull",…]}]. Permissions are written by name, with the kind that they are of: their indexes differ between versions.
std::string text_of_scopes(const std::optional<std::vector<AccessTokenScope>>& scopes);
// Permissions that this version does not know are left out. corrupt.
Result<std::optional<std::vector<AccessTokenScope>>> scopes_of_text(std::string_view text);

}  // namespace entrepot

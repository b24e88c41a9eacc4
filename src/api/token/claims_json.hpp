#pragma once

#include "access/token.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// Claims as the payload of a JWT (RFC 7519; `access` by Docker's token authentication, and three of our own: `uid`,
// `cver` and `pat`).
std::string claims_to_json(const TokenClaims& claims);
Result<TokenClaims> claims_from_json(std::string_view json);  // unauthorized

}  // namespace entrepot

#pragma once

#include "core/random.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// The text of personal access tokens: "ept_", 256 random bits (43 characters of base64url), and 6 characters of a
// checksum (24 leading bits of SHA-256 over all before it, in hexadecimal), so that a scanner for leaked secrets can
// tell a token from what only looks like one, and no look-up is made for a mistyped one.
inline constexpr std::string_view access_token_prefix = "ept_";

std::string make_access_token(Random& random);
bool is_access_token(std::string_view text) noexcept;

// What a secret of many random bits is stored as and looked up by: SHA-256 in hexadecimal.
std::string secret_hash(std::string_view secret);

}  // namespace entrepot

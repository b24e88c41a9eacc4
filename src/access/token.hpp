#pragma once

#include "access/identity.hpp"
#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace entrepot {

// What an access token says. Times are NumericDates (RFC 7519 section 2): whole seconds since 1970.
struct TokenClaims {
    std::string issuer;
    std::string subject;  // the user's name; "" is anonymous
    std::string audience;
    std::string id;
    std::int64_t expires_at = 0;
    std::int64_t not_before = 0;
    std::int64_t issued_at = 0;
    std::int64_t user_id = 0;             // ours: a name given to another user later means nobody
    std::int64_t credential_version = 0;  // ours: a change of password ends the tokens made before
    std::int64_t access_token_id = 0;     // ours: of the personal access token it was made from, whose end is its end
    TokenScopes scopes;
};

// Whose tokens are taken, and by how much clocks may differ.
struct TokenRules {
    std::string issuer;
    std::string audience;
    std::chrono::seconds leeway{60};
};

// unauthorized: another issuer or audience, expired, or not valid yet.
Result<> check_claims(const TokenClaims& claims, const TokenRules& rules, Micros now);

// Exactly what was asked for and the caller may do; entries that come to nothing are left out.
TokenScopes granted(const TokenScopes& requested, const Caller& caller, const AccessPolicy& policy);

}  // namespace entrepot

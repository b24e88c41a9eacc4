#pragma once

#include "access/token.hpp"
#include "api/token/key_ring.hpp"
#include "api/token/token_settings.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// Makes and checks access tokens: ES256 JWTs (RFC 7519) under the key ring's keys. Safe from any thread.
class TokenSigner {
public:
    TokenSigner(KeyRing& keys, TokenSettings settings) : keys_{keys}, settings_{std::move(settings)} {}

    // For a user (or anonymous, when `user_id` is 0), valid from `now` for the settings' lifetime. unavailable while
    // there is no key.
    struct Subject {
        std::string name;
        std::int64_t user_id = 0;
        std::int64_t credential_version = 0;
        std::int64_t access_token_id = 0;  // the personal access token that was shown, or 0
    };
    Result<std::string> sign(const Subject& subject, TokenScopes scopes, std::string id, Micros now) const;

    // The claims of a token that one of our keys signed for us and that is valid at `now`; asks the database for keys
    // once when it names an unknown one. unauthorized for everything else; unavailable.
    Task<TokenClaims> verify(std::string token, Micros now) const;

private:
    KeyRing& keys_;
    TokenSettings settings_;
};

}  // namespace entrepot

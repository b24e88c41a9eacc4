#pragma once

#include "access/identity.hpp"
#include "core/error.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// What a GET of the realm asks for (Docker registry token authentication).
struct TokenQuery {
    TokenScopes scopes;
    std::string service;
    std::string client_id;
    bool offline = false;
};
// bad_request
Result<TokenQuery> parse_token_query(std::string_view query);

// What a POST asks for (RFC 6749 sections 4.3.2 and 6, with Docker's parameters). Parameters we don't know are ignored,
// repeated ones refused.
struct TokenForm {
    std::string grant_type;
    std::string service;
    std::string client_id;
    std::string access_type;
    std::string scope;
    std::string username;
    std::string password;
    std::string refresh_token;
};
// oauth_invalid_request
Result<TokenForm> parse_token_form(std::string_view body);

inline constexpr std::size_t longest_token_form = 64 * 1024;

}  // namespace entrepot

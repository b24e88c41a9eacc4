#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// The Authorization header (RFC 9110 section 11.6.2): a scheme, whose case does not matter, and what follows it.
struct Authorization {
    enum class Scheme { basic, bearer, other };
    Scheme scheme = Scheme::other;
    std::string_view value;
};
Authorization split_authorization(std::string_view header) noexcept;

// A user's name and password as sent.
struct BasicCredentials {
    std::string user;
    std::string password;
};
// nullopt when the user is empty or longer than 255 bytes, the password is longer than 1,024, or either holds control
// characters.
std::optional<BasicCredentials> make_credentials(std::string user, std::string password);
// RFC 7617: base64 of "user:password". nullopt when it isn't that, or what make_credentials refuses.
std::optional<BasicCredentials> parse_basic(std::string_view value);

// Refresh tokens are random text under this prefix, so neither kind of token passes for the other.
inline constexpr std::string_view refresh_prefix = "ert_";
inline constexpr std::size_t longest_token = 16 * 1024;

}  // namespace entrepot

#include "api/token/credentials.hpp"

#include "core/ascii.hpp"
#include "core/bytes.hpp"
#include "core/utf8.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t longest_user = 255;
constexpr std::size_t longest_password = 1'024;

}  // namespace

Authorization split_authorization(std::string_view header) noexcept
{
    const auto end = header.find(' ');
    if (end == std::string_view::npos) return {};
    const auto scheme = header.substr(0, end);
    auto value = header.substr(end);
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    if (same_word(scheme, "basic")) return {Authorization::Scheme::basic, value};
    if (same_word(scheme, "bearer")) return {Authorization::Scheme::bearer, value};
    return {};
}

std::optional<BasicCredentials> make_credentials(std::string user, std::string password)
{
    if (user.empty() || user.size() > longest_user || password.size() > longest_password) return std::nullopt;
    if (!is_plain_text(user) || !is_plain_text(password)) return std::nullopt;
    return BasicCredentials{std::move(user), std::move(password)};
}

std::optional<BasicCredentials> parse_basic(std::string_view value)
{
    if (value.size() > (longest_user + longest_password) * 4 / 3 + 8) return std::nullopt;
    const auto text = from_base64(value);
    if (!text) return std::nullopt;
    const auto colon = text->find(':');
    if (colon == std::string::npos) return std::nullopt;
    return make_credentials(text->substr(0, colon), text->substr(colon + 1));
}

}  // namespace entrepot

#include "api/token/session_cookie.hpp"

#include "core/ascii.hpp"
#include "core/bytes.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace entrepot {
namespace {

constexpr std::string_view cookie_name = "sid";
constexpr std::size_t id_characters = 43;  // 256 bits in base64url
constexpr std::string_view csrf_purpose = "entrepot csrf 1";

bool is_session_id(std::string_view text) noexcept
{
    return text.size() == id_characters &&
           std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

std::string attributes(const Request& request)
{
    return std::string{"; Path=/; HttpOnly; SameSite=Lax"} + (request.origin().secure ? "; Secure" : "");
}

}  // namespace

std::optional<std::string> session_of(const Request& request)
{
    for (const auto& header : request.headers) {
        if (!same_word(header.name, "cookie")) continue;
        auto rest = header.value;
        while (!rest.empty()) {
            const auto end = rest.find(';');
            auto pair = rest.substr(0, end);
            rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
            while (pair.starts_with(' ')) pair.remove_prefix(1);
            if (!pair.starts_with(cookie_name) || pair.substr(cookie_name.size(), 1) != "=") continue;
            const auto value = pair.substr(cookie_name.size() + 1);
            if (is_session_id(value)) return std::string{value};
        }
    }
    return std::nullopt;
}

void set_session_cookie(const Request& request, Response& response, std::string_view id)
{
    response.add("Set-Cookie", std::string{cookie_name} + "=" + std::string{id} + attributes(request));
}

void clear_session_cookie(const Request& request, Response& response)
{
    response.add("Set-Cookie", std::string{cookie_name} + "=; Max-Age=0" + attributes(request));
}

std::string csrf_token(std::string_view session_id)
{
    std::array<std::byte, 32> code{};
    unsigned length = 0;
    const auto* const made = ::HMAC(
        EVP_sha256(),
        session_id.data(),
        static_cast<int>(session_id.size()),
        reinterpret_cast<const unsigned char*>(csrf_purpose.data()),
        csrf_purpose.size(),
        reinterpret_cast<unsigned char*>(code.data()),
        &length
    );
    if (made == nullptr) throw std::runtime_error{"HMAC-SHA-256 is not available"};
    return to_base64url(code);
}

bool is_csrf_token(std::string_view session_id, std::string_view token) noexcept
{
    return equal_in_constant_time(csrf_token(session_id), token);
}

}  // namespace entrepot

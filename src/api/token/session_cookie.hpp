#pragma once

#include "http/message.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// The cookie that carries a browser's session (RFC 6265), and the token that proves that a changing request comes from
// our own pages: HMAC-SHA-256 under the session's id, which no page can read (HttpOnly), so every instance can check it
// without anything stored.
inline constexpr std::string_view csrf_header = "X-Harbor-CSRF-Token";

// The session id that the request carries; nullopt without one or with one that can't be ours.
std::optional<std::string> session_of(const Request& request);

// "Set-Cookie" lines for a session that begins, and for one that has ended. Secure where the client speaks https.
void set_session_cookie(const Request& request, Response& response, std::string_view id);
void clear_session_cookie(const Request& request, Response& response);

std::string csrf_token(std::string_view session_id);
bool is_csrf_token(std::string_view session_id, std::string_view token) noexcept;

}  // namespace entrepot

#pragma once

#include "core/error.hpp"
#include "http/message.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// The status that answers an error. This table (error_answer.cpp) is the only place where our words become HTTP's.
unsigned status_of(Errc code) noexcept;

// {"errors":[{"code","message"}]} (OCI distribution-spec, "Error Codes"), with Retry-After where trying again helps.
// The detail is never shown.
Response error_response(const Error& error);

// The same with Harbor's codes (BAD_REQUEST, FORBIDDEN, NOT_FOUND …), for /api.
Response management_error_response(const Error& error);

// 405 with the methods that are allowed, "GET, HEAD".
Response method_not_allowed(std::string_view allowed);

// `text` as a JSON string with its quotes.
std::string json_string(std::string_view text);

}  // namespace entrepot

#include "api/token/oauth_error.hpp"

#include "api/error_answer.hpp"

#include <string_view>

namespace entrepot {
namespace {

std::string_view word_for(Errc code) noexcept
{
    switch (code) {
        case Errc::oauth_invalid_client: return "invalid_client";
        case Errc::oauth_invalid_grant:
        case Errc::unauthorized: return "invalid_grant";
        case Errc::oauth_unsupported_grant: return "unsupported_grant_type";
        case Errc::oauth_invalid_scope: return "invalid_scope";
        // These two are section 4.1.2.1's words: section 5.2 has none for them.
        case Errc::too_many_requests:
        case Errc::unavailable: return "temporarily_unavailable";
        case Errc::corrupt:
        case Errc::internal: return "server_error";
        default: return "invalid_request";
    }
}

}  // namespace

Response oauth_error(const Error& error)
{
    auto response = error_response(error);
    response.add("Cache-Control", "no-store");
    response.body = R"({"error":")" + std::string{word_for(error.code())} + R"(","error_description":)" +
                    json_string(error.message()) + "}";
    return response;
}

}  // namespace entrepot

#pragma once

#include "client/http_client.hpp"
#include "core/error.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// What another registry says is wrong, as the distribution API, Harbor, AWS and Docker Hub write it: short text of
// printable characters, or empty.
struct RemoteProblem {
    std::string code;  // upper-case
    std::string message;
};
RemoteProblem parse_remote_problem(std::string_view body);

// What an answer that is no success means to us. A status alone decides where the body says nothing known; `unknown`
// is what 404 says then.
Error remote_error(const ClientAnswerHead& answer, std::string_view body, Errc unknown);

// Whether a Content-Type is that of a web page, which no registry sends for content.
bool is_web_page(std::string_view content_type) noexcept;

}  // namespace entrepot

#include "agent/agent_answers.hpp"

#include "core/ascii.hpp"
#include "core/json_text.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace entrepot {
namespace {

constexpr std::array<std::string_view, 11> passed_fields{
    "Content-Type",
    "Docker-Content-Digest",
    "Docker-Distribution-Api-Version",
    "ETag",
    "Link",
    "WWW-Authenticate",
    "Retry-After",
    "Accept-Ranges",
    "Content-Range",
    "X-Content-Type-Options",
    "Content-Security-Policy",
};

bool is_passed(std::string_view name)
{
    if (same_word(name.substr(0, 4), "OCI-")) return true;
    return std::ranges::any_of(passed_fields, [name](std::string_view each) { return same_word(each, name); });
}

}  // namespace

Response agent_error(unsigned status, std::string_view code, std::string_view message)
{
    std::string body = R"({"errors":[{"code":)";
    append_json_text(body, code);
    body += R"(,"message":)";
    append_json_text(body, message);
    Response response;
    response.status = status;
    response.add("Content-Type", "application/json").add("Cache-Control", "no-store");
    response.body = body + "}]}";
    return response;
}

Response registry_silent(const Error& error)
{
    return agent_error(502, "UNAVAILABLE", "the registry can't be asked: " + error.message());
}

Response passed_head(const ClientAnswerHead& head)
{
    Response response;
    response.status = head.status;
    for (const auto& field : head.fields) {
        if (is_passed(field.name)) response.add(field.name, field.value);
    }
    return response;
}

Response agent_head_of(Response response)
{
    if (!response.announced_length && response.status != 304) response.announced_length = response.body_length();
    response.body = std::monostate{};
    return response;
}

}  // namespace entrepot

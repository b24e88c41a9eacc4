#include "cli/ctl_api.hpp"

#include "oci/json_fields.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::int64_t page_size = 100;
constexpr std::string_view base = "/api/v2.0/";

Errc code_of(unsigned status) noexcept
{
    switch (status) {
        case 401: return Errc::unauthorized;
        case 403: return Errc::denied;
        case 404: return Errc::not_found;
        case 409: return Errc::conflict;
        case 412: return Errc::precondition_failed;
        case 429: return Errc::too_many_requests;
        case 502:
        case 503:
        case 504: return Errc::unavailable;
        default: return status < 500 ? Errc::unprocessable : Errc::internal;
    }
}

// The messages of {"errors":[{"code","message"}]}.
std::string messages_of(const json::value& body)
{
    const auto* object = body.if_object();
    const auto* errors = object != nullptr ? find_array(*object, "errors") : nullptr;
    std::string out;
    if (errors == nullptr) return out;
    for (const auto& each : *errors) {
        const auto* error = each.if_object();
        const auto message = error != nullptr ? find_text(*error, "message") : std::string_view{};
        if (!message.empty()) out += (out.empty() ? "" : "; ") + std::string{message};
    }
    return out;
}

std::unexpected<Error> refusal(
    const ClientResponse& response,
    const json::value& body,
    std::string_view path,
    const CtlContext& context,
    Micros now
)
{
    auto message = messages_of(body);
    // With a user's name, the server doesn't tell a token that has expired from one that never was.
    const bool over = context.token_expires != 0 && context.token_expires <= now / 1'000'000;
    if (response.status == 401 && !context.token.empty() && (over || message.contains("expired")))
        return fail(Errc::unauthorized, fmt::format("your log-in has expired: entrepot ctl login {}", context.url));
    if (message.empty()) message = fmt::format("the server answers {} to {}", response.status, path);
    if (response.status == 401) message += "; see: entrepot ctl login --help";
    return fail(code_of(response.status), std::move(message));
}

}  // namespace

CtlApi::CtlApi(CtlIo& io, CtlContext context)
    : io_{io}, context_{std::move(context)}, authorization_{authorization_of(context_)}
{
    options_.ca_file = context_.ca_file;
    options_.insecure = context_.insecure;
    options_.user_agent = "entrepot-ctl";
}

ClientRequest CtlApi::request(std::string_view method, std::string_view path) const
{
    ClientRequest request{.method = std::string{method}, .url = context_.url + std::string{base} + std::string{path}};
    request.fields.push_back({.name = "Accept", .value = "application/json"});
    // A project or tenant may be called 123.
    request.fields.push_back({.name = "X-Is-Resource-Name", .value = "true"});
    if (!authorization_.empty()) request.fields.push_back({.name = "Authorization", .value = authorization_});
    return request;
}

Result<>
CtlApi::stream(std::string_view path, std::string_view last_id, const std::function<bool(std::string_view bytes)>& take)
{
    auto request = this->request("GET", path);
    if (!last_id.empty()) request.fields.push_back({.name = "Last-Event-ID", .value = std::string{last_id}});
    TRY(const auto response, io_.stream(options_, std::move(request), take));
    if (response.status < 300) return {};
    boost::system::error_code error;
    auto body = json::parse(response.body, error);
    return refusal(response, error ? json::value{} : body, path, context_, io_.now());
}

Result<CtlAnswer>
CtlApi::call(std::string_view method, std::string_view path, const json::value& body, std::string_view if_match)
{
    auto request = this->request(method, path);
    if (!if_match.empty()) request.fields.push_back({.name = "If-Match", .value = std::string{if_match}});
    if (!body.is_null()) {
        request.fields.push_back({.name = "Content-Type", .value = "application/json"});
        request.body = json::serialize(body);
    }
    TRY(const auto response, io_.exchange(options_, std::move(request)));
    CtlAnswer answer{
        .body = nullptr,
        .location = std::string{response.field("Location")},
        .etag = std::string{response.field("ETag")},
        .total = -1,
        .next_cursor = -1,
    };
    const auto cursor = response.field("X-Next-Cursor");
    std::from_chars(cursor.data(), cursor.data() + cursor.size(), answer.next_cursor);
    const auto total = response.field("X-Total-Count");
    std::from_chars(total.data(), total.data() + total.size(), answer.total);
    boost::system::error_code error;
    if (response.field("Content-Type").starts_with("text/plain")) {
        answer.body = json::string(response.body);
    } else if (!response.body.empty()) {
        answer.body = json::parse(response.body, error);
    }
    if (error) answer.body = nullptr;
    if (response.status >= 300) return refusal(response, answer.body, path, context_, io_.now());
    if (error) return fail(Errc::internal, fmt::format("{} answers something that is no JSON", context_.url));
    return answer;
}

Result<json::value> CtlApi::get(std::string_view path)
{
    TRY(auto answer, call("GET", path));
    return std::move(answer.body);
}

Result<>
CtlApi::each(std::string_view path, std::int64_t limit, const std::function<Result<>(const json::object& entry)>& visit)
{
    const auto size = limit > 0 ? std::min(limit, page_size) : page_size;
    std::int64_t seen = 0;
    for (std::int64_t page = 1;; ++page) {
        const auto mark = path.contains('?') ? '&' : '?';
        TRY(const auto answer, call("GET", fmt::format("{}{}page={}&page_size={}", path, mark, page, size)));
        const auto& body = answer.body;
        // A list that is empty may be null.
        if (body.is_null()) return {};
        const auto* entries = body.if_array();
        if (entries == nullptr) return fail(Errc::internal, fmt::format("{} is no list", path));
        for (const auto& entry : *entries) {
            if (!entry.is_object()) return fail(Errc::internal, fmt::format("{} is no list of objects", path));
            CHECK(visit(entry.as_object()));
            if (++seen == limit) return {};
        }
        if (static_cast<std::int64_t>(entries->size()) != size || seen == answer.total) return {};
    }
}

Result<json::array> CtlApi::all(std::string_view path)
{
    json::array entries;
    CHECK(each(path, 0, [&entries](const json::object& entry) -> Result<> {
        entries.push_back(entry);
        return {};
    }));
    return entries;
}

}  // namespace entrepot

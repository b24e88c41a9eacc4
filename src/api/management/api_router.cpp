#include "api/management/api_router.hpp"

#include "api/error_answer.hpp"
#include "api/management/entity_tag.hpp"
#include "core/log.hpp"

#include "core/percent.hpp"
#include "oci/digest.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

namespace entrepot {
namespace {

constexpr std::string_view base_path = "/api/v2.0/";
constexpr std::size_t largest_body = std::size_t{1} << 20U;

// What still can be changed while the registry is read-only: that it is.
constexpr std::string_view always_open = "configurations";

// A body that was read already.
class TextSource final : public ByteSource {
public:
    explicit TextSource(std::string text) : text_{std::move(text)} {}

    const std::string& text() const noexcept { return text_; }
    std::optional<std::uint64_t> size() const override { return text_.size(); }
    Task<std::size_t> read(std::span<std::byte> into) override
    {
        const auto count = std::min(into.size(), text_.size() - at_);
        std::memcpy(into.data(), text_.data() + at_, count);
        at_ += count;
        co_return count;
    }

private:
    std::string text_;
    std::size_t at_ = 0;
};

// A copy of the call with another body.
ApiCall with_body(const ApiCall& call, ByteSource& body)
{
    return {
        .request = call.request,
        .body = body,
        .caller = call.caller,
        .query = call.query,
        .path = call.path,
        .audit = call.audit,
    };
}

std::string_view name_of_method(Method method) noexcept
{
    switch (method) {
        case Method::get: return "GET";
        case Method::head: return "HEAD";
        case Method::post: return "POST";
        case Method::put: return "PUT";
        case Method::patch: return "PATCH";
        case Method::del: return "DELETE";
        case Method::options: return "OPTIONS";
        case Method::other: break;
    }
    return "";
}

std::string_view first_segment(std::string_view path) noexcept
{
    return path.substr(0, path.find('/'));
}

std::string_view take_segment(std::string_view& path) noexcept
{
    const auto segment = first_segment(path);
    path = segment.size() == path.size() ? std::string_view{} : path.substr(segment.size() + 1);
    return segment;
}

// The values of the pattern's variable parts as they stand in the path; nullopt when it doesn't fit.
std::optional<std::vector<std::string_view>> fit(std::string_view pattern, std::string_view path)
{
    std::vector<std::string_view> values;
    if (std::ranges::count(pattern, '/') != std::ranges::count(path, '/')) return std::nullopt;
    while (!pattern.empty()) {
        const auto wanted = take_segment(pattern);
        const auto given = take_segment(path);
        if (wanted.starts_with('{')) {
            if (given.empty()) return std::nullopt;
            values.push_back(given);
        } else if (wanted != given) {
            return std::nullopt;
        }
    }
    return values;
}

// The same request again, there (RFC 9110 section 15.4.9).
Response redirection(const Request& request, std::string location)
{
    Response response;
    response.status = 308;
    if (!request.query.empty()) location.append("?").append(request.query);
    response.add("Location", location);
    return response;
}

// A literal pattern wins over one with variable parts: users/current over users/{user_id}.
bool more_literal(std::string_view left, std::string_view right) noexcept
{
    return std::ranges::count(left, '{') < std::ranges::count(right, '{');
}

}  // namespace

void ApiRouter::add(Method method, std::string_view pattern, ApiAudience audience, ApiHandler handler)
{
    auto& group = routes_[std::string{first_segment(pattern)}];
    const auto before =
        std::ranges::find_if(group, [&](const ApiRoute& other) { return more_literal(pattern, other.pattern); });
    group.insert(before, ApiRoute{method, pattern, audience, std::move(handler)});
}

void ApiRouter::get(std::string_view pattern, ApiHandler handler, ApiAudience audience)
{
    add(Method::get, pattern, audience, std::move(handler));
}
void ApiRouter::head(std::string_view pattern, ApiHandler handler, ApiAudience audience)
{
    add(Method::head, pattern, audience, std::move(handler));
}
void ApiRouter::post(std::string_view pattern, ApiHandler handler, ApiAudience audience)
{
    add(Method::post, pattern, audience, std::move(handler));
}
void ApiRouter::put(std::string_view pattern, ApiHandler handler, ApiAudience audience)
{
    add(Method::put, pattern, audience, std::move(handler));
}
void ApiRouter::patch(std::string_view pattern, ApiHandler handler, ApiAudience audience)
{
    add(Method::patch, pattern, audience, std::move(handler));
}
void ApiRouter::del(std::string_view pattern, ApiHandler handler, ApiAudience audience)
{
    add(Method::del, pattern, audience, std::move(handler));
}

std::vector<std::string> ApiRouter::routes() const
{
    std::vector<std::string> names;
    for (const auto& [first, group] : routes_) {
        for (const auto& route : group) {
            names.push_back(std::string{name_of_method(route.method)} + " " + std::string{route.pattern});
        }
    }
    std::ranges::sort(names);
    return names;
}

Result<ApiRouter::Match> ApiRouter::find(Method method, std::string_view path) const
{
    Match match;
    if (path.ends_with('/')) path.remove_suffix(1);
    const auto group = routes_.find(first_segment(path));
    if (group == routes_.end()) return match;
    const auto wanted = [&](const ApiRoute& route) { return route.method == method; };
    const auto fits_as_head = [&](const ApiRoute& route) {
        return method == Method::head && route.method == Method::get;
    };
    for (const auto& route : group->second) {
        const auto values = fit(route.pattern, path);
        if (!values) continue;
        if (!wanted(route) && !fits_as_head(route)) {
            const std::string name{name_of_method(route.method)};
            if (!match.allowed.contains(name)) match.allowed += (match.allowed.empty() ? "" : ", ") + name;
            continue;
        }
        match.route = &route;
        match.values.clear();
        for (const auto value : *values) {
            auto decoded = percent_decoded(value);
            if (!decoded) return fail(Errc::bad_request, "the path is malformed");
            match.values.push_back(*std::move(decoded));
        }
        if (wanted(route)) break;
    }
    return match;
}

asio::awaitable<Response> ApiRouter::handle(const Request& request, ByteSource& body)
{
    ApiTrace trace;
    auto response = co_await answer(request, body, trace);
    if (audit_) response = co_await audit_->settle(request, std::move(trace), std::move(response));
    if (!response) {
        const auto& error = response.error();
        if (status_of(error.code()) >= 500) {
            log::failure(log::Level::error, "request failed", error, request.request_id());
        }
        response = gate_.refuse_management(request, error);
    }
    // The surfaces above add it to what is refused.
    if (response->status < 400) response->add("X-Request-Id", request.request_id());
    if (request.method == Method::get) Gate::add_csrf_token(request, *response);
    co_return *std::move(response);
}

Task<Response> ApiRouter::answer(const Request& request, ByteSource& body, ApiTrace& trace)
{
    if (!request.path.starts_with(base_path)) co_return fail(Errc::not_found, "there is nothing at this path");
    CO_TRY(auto match, find(request.method, request.path.substr(base_path.size())));
    if (!match.route && !match.allowed.empty()) {
        auto refusal =
            gate_.refuse_management(request, Error{Errc::method_not_allowed, "this method is not supported here"});
        refusal.add("Allow", match.allowed);
        co_return refusal;
    }
    if (!match.route) co_return fail(Errc::not_found, "there is nothing at this path");
    trace.pattern = match.route->pattern;
    const bool reads = is_read(request.method);
    if (!reads) trace.change = std::make_shared<AuditRecord>();
    CO_TRY(auto caller, co_await gate_.identify_management(request));
    trace.who = caller.identity;
    if (match.route->audience == ApiAudience::signed_in && caller.identity->anonymous()) {
        co_return fail(Errc::unauthorized, "authentication required");
    }
    CO_TRY(auto query, Query::of(request));
    const auto& route = *match.route;
    if (!reads && settings_ && settings_->read_only() && route.pattern != always_open) {
        co_return fail(Errc::denied, "the registry is read-only");
    }
    if (trace.change && audit_) CO_CHECK(co_await audit_->ready());
    if (trace.change) CO_CHECK(co_await gate_.check_change(request, caller));
    ApiCall call{
        .request = request,
        .body = body,
        .caller = std::move(caller),
        .query = std::move(query),
        .path = std::move(match.values),
        .audit = trace.change,
    };
    if (auto moved = redirect_ ? redirect_(call, route.pattern) : std::nullopt) {
        // Nothing has changed.
        trace.change = nullptr;
        co_return redirection(request, *std::move(moved));
    }
    if (reads) co_return co_await read(route, std::move(call));
    if (request.method == Method::post) co_return co_await create(route, std::move(call));
    co_return co_await change(route, std::move(call));
}

Task<Response> ApiRouter::read(const ApiRoute& route, ApiCall call)
{
    const auto known = call.request.header("if-none-match");
    CO_TRY(auto response, co_await route.handler(std::move(call)));
    if (!is_single_object(response)) co_return response;
    const auto tag = entity_tag(response);
    if (tag.empty()) co_return response;
    response.add("ETag", tag);
    if (known && names_tag_weakly(*known, tag)) {
        response.status = 304;
        response.body = std::monostate{};
    }
    co_return response;
}

Task<Response> ApiRouter::create(const ApiRoute& route, ApiCall call)
{
    const auto key = call.request.header("idempotency-key");
    // Nobody anonymous is told what another anonymous caller was answered.
    if (!key || !idempotency_ || call.identity().anonymous()) co_return co_await route.handler(std::move(call));
    CO_CHECK(Idempotency::check_key(*key));
    CO_TRY(auto text, co_await read_all(call.body, largest_body));
    TextSource body{std::move(text)};
    Idempotency::Claim claim{.user_id = call.identity().user_id, .key = std::string{*key}, .request = {}};
    // Another credential of the same person's may be narrower than the one that was answered.
    std::string asked{call.request.path};
    asked += "?" + std::string{call.request.query} + "\n" + std::to_string(call.caller.access_token_id) + "\n" +
             std::to_string(call.caller.credential_version) + "\n" + body.text();
    claim.request = digest_of(asked).text();
    const auto carry_out = [&route, &body, &call] { return route.handler(with_body(call, body)); };
    CO_TRY(auto answer, co_await idempotency_->once(std::move(claim), carry_out));
    if (answer.header(Idempotency::replayed)) CO_CHECK(co_await check_still_seen(call.request, call.caller, answer));
    co_return answer;
}

// What was made may have been hidden from its maker since, and the answer may hold its secret.
Task<> ApiRouter::check_still_seen(const Request& request, Caller caller, const Response& answer) const
{
    const auto location = answer.header("Location");
    if (!location || !location->starts_with(base_path)) co_return Result<>{};
    const auto path = location->substr(base_path.size());
    CO_TRY(const auto match, find(Method::get, path));
    if (!match.route) co_return Result<>{};
    const auto seen = co_await look_at(request, std::move(caller), path);
    if (!seen) co_return std::unexpected{seen.error()};
    co_return Result<>{};
}

Task<Response> ApiRouter::change(const ApiRoute& route, ApiCall call)
{
    // Before the turn: who sends slowly holds nobody else up.
    CO_TRY(auto text, co_await read_all(call.body, largest_body));
    TextSource body{std::move(text)};
    CO_TRY(const auto turn, co_await turns_.wait(std::string{call.request.path}));
    const auto wanted = call.request.header_list("if-match");
    if (!wanted.empty()) CO_CHECK(co_await check_precondition(call.request, call.caller, wanted));
    co_return co_await route.handler(with_body(call, body));
}

// What a GET of a path below the base answers the caller now.
Task<Response> ApiRouter::look_at(const Request& request, Caller caller, std::string_view path) const
{
    CO_TRY(auto match, find(Method::get, path));
    if (!match.route) co_return fail(Errc::not_found, "there is nothing to look at");
    CO_TRY(auto query, Query::of(request));
    TextSource nothing{{}};
    ApiCall call{
        .request = request,
        .body = nothing,
        .caller = std::move(caller),
        .query = std::move(query),
        .path = std::move(match.values),
        .audit = nullptr,
    };
    co_return co_await match.route->handler(std::move(call));
}

// Against what a GET of the same path answers the same caller now.
Task<> ApiRouter::check_precondition(const Request& request, Caller caller, std::string wanted) const
{
    const auto differs = [] { return fail(Errc::precondition_failed, "the object is not what If-Match names"); };
    const auto current = co_await look_at(request, std::move(caller), request.path.substr(base_path.size()));
    if (!current && status_of(current.error().code()) >= 500) co_return std::unexpected{current.error()};
    if (!current || !is_single_object(*current)) co_return differs();
    const auto tag = entity_tag(*current);
    if (tag.empty() || !names_tag_strongly(wanted, tag)) co_return differs();
    co_return Result<>{};
}

}  // namespace entrepot

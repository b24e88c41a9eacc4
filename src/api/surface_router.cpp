#include "api/surface_router.hpp"

#include "api/error_answer.hpp"
#include "api/operations/trace_context.hpp"
#include "core/log.hpp"

namespace entrepot {
namespace {

constexpr std::string_view token_path = "/service/token";
constexpr std::string_view keys_path = "/service/token/jwks";

bool is_below(std::string_view path, std::string_view prefix)
{
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

void log_access(const Request& request, const Response& response)
{
    const auto trace = TraceContext::parse(request.header("traceparent").value_or(""));
    log::info(
        "request",
        {{"method", request.method_text},
         {"path", request.path},
         {"status", static_cast<std::uint64_t>(response.status)},
         {"bytes", response.body_length()},
         {"client", request.origin().client},
         {"request_id", request.request_id()},
         {"trace_id", trace ? trace->trace_id : std::string{}}}
    );
}

}  // namespace

std::optional<Response> SurfaceRouter::peek(const Request& request) noexcept
{
    auto response = look(request);
    if (response && access_log_) log_access(request, *response);
    return response;
}

std::optional<Response> SurfaceRouter::look(const Request& request) noexcept
{
    if (surfaces_.oci != nullptr && request.path.starts_with("/v2/")) return surfaces_.oci->peek(request);
    if (surfaces_.token != nullptr && request.path == token_path) return surfaces_.token->peek(request);
    return std::nullopt;
}

asio::awaitable<Response> SurfaceRouter::handle(const Request& request, ByteSource& body)
{
    auto response = co_await route(request, body);
    if (response.status >= 400) response.add("X-Request-Id", request.request_id());
    if (access_log_) log_access(request, response);
    co_return response;
}

asio::awaitable<Response> SurfaceRouter::route(const Request& request, ByteSource& body)
{
    const auto path = request.path;
    if (surfaces_.oci != nullptr && is_below(path, "/v2")) co_return co_await surfaces_.oci->handle(request, body);
    if (surfaces_.token != nullptr && path == keys_path) co_return surfaces_.token->jwks(request);
    if (surfaces_.token != nullptr && path == token_path) co_return co_await surfaces_.token->handle(request, body);
    if (surfaces_.api != nullptr && is_below(path, "/api")) co_return co_await surfaces_.api->handle(request, body);
    if (surfaces_.sessions != nullptr && is_below(path, "/c"))
        co_return co_await surfaces_.sessions->handle(request, body);
    if (surfaces_.swarm != nullptr && is_below(path, "/swarm"))
        co_return co_await surfaces_.swarm->handle(request, body);
    const bool operational = path == "/healthz" || path == "/readyz" || (surfaces_.metrics && path == "/metrics");
    if (operational) co_return co_await operations_.handle(request);
    co_return error_response(Error{Errc::not_found, "there is nothing at this path"});
}

}  // namespace entrepot

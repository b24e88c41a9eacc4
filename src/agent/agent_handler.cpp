#include "agent/agent_handler.hpp"

#include "agent/agent_answers.hpp"
#include "agent/registry_path.hpp"
#include "core/ascii.hpp"
#include "core/metrics.hpp"

#include <utility>

namespace entrepot {
namespace {

constexpr std::size_t longest_manifest = 4 * 1024 * 1024;

Response method_refused()
{
    auto response = agent_error(405, "UNSUPPORTED", "nothing can be written here: push to the registry itself");
    return response.add("Allow", "GET, HEAD");
}

Response text_answer(const Request& request, std::string body, std::string_view type)
{
    Response response;
    response.add("Content-Type", type).add("Cache-Control", "no-store");
    response.body = std::move(body);
    return request.method == Method::head ? agent_head_of(std::move(response)) : response;
}

// The query without `ns`, which only says to a mirror whose name spaces are meant.
std::string without_namespace(std::string_view query)
{
    std::string kept;
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto pair = query.substr(0, end);
        if (!pair.empty() && pair != "ns" && !pair.starts_with("ns=")) (kept += kept.empty() ? "?" : "&") += pair;
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return kept;
}

}  // namespace

asio::awaitable<Response> AgentHandler::handle(const Request& request, ByteSource&)
{
    if (!is_read(request.method)) co_return method_refused();
    if (request.path == "/healthz") co_return text_answer(request, needs_.health(), "application/json");
    auto answering = registry_answer(request);
    auto response = co_await std::move(answering);
    co_return request.method == Method::head ? agent_head_of(std::move(response)) : std::move(response);
}

asio::awaitable<Response> AgentHandler::registry_answer(const Request& request)
{
    const auto query = parse_form(request.query);
    if (!query) co_return agent_error(400, "BAD_REQUEST", "the query is malformed");
    for (const auto& [name, value] : *query) {
        if (name == "ns" && !needs_.names.contains(lowered(value)))
            co_return agent_error(404, "NAME_UNKNOWN", "this is no mirror of that registry");
    }
    const auto path = match_registry_path(request.path);
    if (!path) co_return agent_error(404, "NOT_FOUND", "there is nothing here");
    if (path->kind == RegistryPath::Kind::blob) {
        auto digest = Digest::parse(path->last);
        if (!digest) co_return agent_error(400, "DIGEST_INVALID", digest.error().message());
        PulledBlob blob{
            .repository = *path->repository,
            .digest = *std::move(digest),
            .puller = Puller::of(request.header("authorization")),
        };
        auto answering = needs_.blobs.answer(request, std::move(blob));
        co_return co_await std::move(answering);
    }
    const bool is_image = path->kind == RegistryPath::Kind::manifest;
    auto passing = pass(
        request,
        std::string{request.path} + without_namespace(request.query),
        is_image ? path->repository : std::nullopt
    );
    co_return co_await std::move(passing);
}

asio::awaitable<Response>
AgentHandler::pass(const Request& request, std::string target, std::optional<RepositoryName> image)
{
    const auto authorization = request.header("authorization");
    auto opening = needs_.registry.open({
        .head = request.method == Method::head,
        .target = std::move(target),
        .authorization = authorization ? std::optional{std::string{*authorization}} : std::nullopt,
        .accept = request.header_list("accept"),
        .if_none_match = request.header_list("if-none-match"),
        .range = std::string{request.header("range").value_or(std::string_view{})},
    });
    auto answer = co_await std::move(opening);
    if (!answer) co_return registry_silent(answer.error());
    auto response = passed_head(*answer);
    if (answer->status == 304) co_return response;
    if (request.method == Method::head) {
        response.announced_length = parse_decimal(answer->field("Content-Length"));
        co_return response;
    }
    auto reading = read_all(*answer->body, longest_manifest);
    auto body = co_await std::move(reading);
    if (!body) co_return registry_silent(body.error());
    if (image && answer->status == 200) needs_.manifests.passed(*image, answer->field("Content-Type"), *body);
    response.body = *std::move(body);
    co_return response;
}

asio::awaitable<Response> AgentMetricsHandler::handle(const Request& request, ByteSource&)
{
    if (!is_read(request.method)) co_return method_refused();
    if (request.path == "/metrics") co_return text_answer(request, metrics_(), MetricsText::media_type);
    if (request.path == "/healthz") co_return text_answer(request, health_(), "application/json");
    co_return agent_error(404, "NOT_FOUND", "there is nothing here");
}

}  // namespace entrepot

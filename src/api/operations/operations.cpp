#include "api/operations/operations.hpp"

#include "api/error_answer.hpp"

#include <utility>

namespace entrepot {
namespace {

Response text_response(std::string body, std::string_view media_type)
{
    Response response;
    response.add("Content-Type", media_type).add("Cache-Control", "no-store");
    response.body = std::move(body);
    return response;
}

// {"status":"unavailable","failures":[{"part","message"}]}; details are in the log alone.
Response not_ready(const std::vector<Readiness::Failure>& failures)
{
    std::string body = R"({"status":"unavailable","failures":[)";
    for (const auto& [part, error] : failures) {
        if (!body.ends_with('[')) body += ',';
        body += R"({"part":)" + json_string(part) + R"(,"message":)" + json_string(error.message()) + "}";
    }
    auto response = text_response(body + "]}", "application/json");
    response.status = status_of(Errc::unavailable);
    return response.add("Retry-After", "1");
}

// The head of the answer to the same GET.
Response without_body(Response response)
{
    response.announced_length = response.body_length();
    response.body = std::monostate{};
    return response;
}

}  // namespace

OperationsHandler::OperationsHandler(
    CatalogHealth& catalog,
    BlobStoreHealth& store,
    const Clock& clock,
    std::function<void(MetricsText&)> add_metrics,
    Readiness::Limits limits
)
    : add_metrics_{std::move(add_metrics)},
      readiness_{
          {{"database", [&catalog] { return catalog.probe(); }}, {"store", [&store] { return store.probe(); }}},
          clock,
          limits
      }
{
}

asio::awaitable<Response> OperationsHandler::handle(const Request& request)
{
    const bool head = request.method == Method::head;
    Response response;
    if (!head && request.method != Method::get) {
        response = method_not_allowed("GET, HEAD");
    } else if (request.path == "/healthz") {
        response = text_response("ok\n", "text/plain; charset=utf-8");
    } else if (request.path == "/readyz") {
        response = co_await ready();
    } else if (request.path == "/metrics") {
        response = metrics();
    } else {
        response = error_response(Error{Errc::not_found, "there is nothing here"});
    }
    if (head) co_return without_body(std::move(response));
    co_return response;
}

Response OperationsHandler::metrics() const
{
    MetricsText metrics;
    add_process_metrics(metrics);
    add_metrics_(metrics);
    return text_response(metrics.text(), MetricsText::media_type);
}

asio::awaitable<Response> OperationsHandler::ready()
{
    const auto failures = co_await readiness_.check();
    if (!failures.empty()) co_return not_ready(failures);
    co_return text_response("ok\n", "text/plain; charset=utf-8");
}

}  // namespace entrepot

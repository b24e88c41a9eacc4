#include "api/management/management_api.hpp"

#include "api/error_answer.hpp"
#include "api/management/api_values.hpp"
#include "core/log.hpp"

namespace entrepot {
namespace {

constexpr std::string_view version_path = "/api/version";
constexpr std::string_view docs_path = "/api/docs";

// Which API this is, for clients that ask before they know the rest of the path.
Response version_answer(const Request& request)
{
    if (request.method != Method::get && request.method != Method::head) return method_not_allowed("GET, HEAD");
    return json_response(boost::json::object{{"version", "v2.0"}});
}

std::string joined(const std::vector<std::string>& names)
{
    std::string text;
    for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

}  // namespace

ManagementApi::ManagementApi(const ManagementNeeds& needs)
    : router_{needs.gate, &needs.settings, &needs.idempotency},
      projects_{needs.projects, needs.policy},
      quotas_{needs.projects},
      labels_{needs.labels, needs.policy},
      configurations_{needs.settings},
      system_{needs.system}
{
    projects_.add_to(router_);
    quotas_.add_to(router_);
    labels_.add_to(router_);
    configurations_.add_to(router_);
    system_.add_to(router_);
    documentation_.add_to(router_);
    log::debug("management routes", {{"routes", joined(router_.routes())}});
}

asio::awaitable<Response> ManagementApi::handle(const Request& request, ByteSource& body)
{
    auto response = co_await answer(request, body);
    // What people wrote is in these answers: no browser shall guess that it is a page.
    response.add("X-Content-Type-Options", "nosniff");
    co_return response;
}

asio::awaitable<Response> ManagementApi::answer(const Request& request, ByteSource& body)
{
    if (request.path == version_path) co_return version_answer(request);
    if (request.path == docs_path) co_return documentation_.page(request);
    co_return co_await router_.handle(request, body);
}

}  // namespace entrepot

#include "api/management/projects_api.hpp"

#include "api/error_answer.hpp"
#include "api/oci/call.hpp"
#include "core/log.hpp"
#include "http/ascii.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::string_view base_path = "/api/v2.0/";
constexpr std::size_t largest_body = 64 * 1024;

struct ProjectRequest {
    std::string name;
    std::optional<bool> is_public;
};

json::object as_json(const Project& project)
{
    return {
        {"project_id", project.id},
        {"name", project.name},
        {"owner_id", project.owner_id},
        {"creation_time", rfc3339(project.created_at)},
        {"update_time", rfc3339(project.updated_at)},
        {"metadata", {{"public", project.is_public ? "true" : "false"}}},
        {"used_bytes", project.bytes},
    };
}

Response json_response(const json::value& value, unsigned status = 200)
{
    Response response;
    response.status = status;
    response.add("Content-Type", "application/json");
    response.body = json::serialize(value);
    return response;
}

std::unexpected<Error> malformed(std::string message)
{
    return fail(Errc::bad_request, std::move(message));
}

// Harbor writes the flag as text ("true") inside "metadata", or as a boolean beside the name.
Result<std::optional<bool>> public_flag(const json::object& object)
{
    const auto* value = object.if_contains("public");
    if (const auto* metadata = object.if_contains("metadata"); metadata != nullptr && metadata->is_object()) {
        if (const auto* inner = metadata->get_object().if_contains("public")) value = inner;
    }
    if (value == nullptr || value->is_null()) return std::optional<bool>{};
    if (value->is_bool()) return std::optional{value->get_bool()};
    if (value->is_string() && value->get_string() == "true") return std::optional{true};
    if (value->is_string() && value->get_string() == "false") return std::optional{false};
    return malformed("\"public\" is neither true nor false");
}

Task<ProjectRequest> read_project(ByteSource& body)
{
    CO_TRY(const auto text, co_await read_all(body, largest_body));
    boost::system::error_code error;
    const auto value = json::parse(text, error);
    if (error || !value.is_object()) co_return malformed("the body is not a JSON object");
    const auto& object = value.get_object();
    ProjectRequest request;
    if (const auto* name = object.if_contains("project_name"); name != nullptr && name->is_string()) {
        request.name = name->get_string();
    }
    CO_TRY(request.is_public, public_flag(object));
    co_return request;
}

// page and page_size as Harbor has them: from 1, 10 a page, 100 at most.
Result<std::pair<std::size_t, std::size_t>> paging(const Query& query)
{
    const auto page = http::parse_decimal(query.first("page").value_or("1"));
    const auto size = http::parse_decimal(query.first("page_size").value_or("10"));
    if (!page || !size || *page == 0 || *size == 0 || *size > 100)
        return malformed("page or page_size is out of range");
    return std::pair{static_cast<std::size_t>(*page), static_cast<std::size_t>(*size)};
}

}  // namespace

asio::awaitable<Response> ProjectsApi::handle(const Request& request, ByteSource& body)
{
    const auto path = request.path.starts_with(base_path) ? request.path.substr(base_path.size()) : std::string_view{};
    auto response = co_await answer(request, body, path);
    if (response) {
        response->add("X-Request-Id", request.request_id());
        co_return *std::move(response);
    }
    if (status_of(response.error().code()) >= 500) {
        log::failure(log::Level::error, "request failed", response.error(), request.request_id());
    }
    co_return gate_.refuse(request, response.error(), {});
}

Task<Response> ProjectsApi::answer(const Request& request, ByteSource& body, std::string_view path)
{
    if (path == "ping") {
        Response pong;
        pong.add("Content-Type", "text/plain; charset=utf-8");
        pong.body = std::string{"Pong"};
        co_return pong;
    }
    const bool is_list = path == "projects" || path == "projects/";
    if (!is_list && !path.starts_with("projects/")) co_return fail(Errc::not_found, "there is nothing at this path");
    CO_TRY(auto caller, co_await gate_.identify(request));
    // An access token of the registry names repositories: it manages nothing.
    if (caller.scopes) co_return fail(Errc::unauthorized, "log in with user name and password");
    if (!is_list) co_return co_await one(request, body, std::move(caller), path.substr(9));
    if (request.method == Method::get) co_return co_await list(request, std::move(caller));
    if (request.method == Method::post) co_return co_await create(request, body, std::move(caller));
    co_return method_not_allowed("GET, POST");
}

Task<Response> ProjectsApi::list(const Request& request, Caller caller)
{
    CO_TRY(const auto query, Query::of(request));
    CO_TRY(const auto paged, paging(query));
    CO_TRY(const auto projects, co_await projects_.visible_to(caller));
    const auto [page, size] = paged;
    json::array listed;
    const auto first = std::min(projects.size(), (page - 1) * size);
    const auto last = std::min(projects.size(), first + size);
    for (auto at = first; at < last; ++at) listed.push_back(as_json(projects[at]));
    auto response = json_response(listed);
    response.add("X-Total-Count", std::to_string(projects.size()));
    if (last < projects.size()) {
        response.add(
            "Link",
            "</api/v2.0/projects?page=" + std::to_string(page + 1) + "&page_size=" + std::to_string(size) +
                ">; rel=\"next\""
        );
    }
    co_return response;
}

Task<Response> ProjectsApi::create(const Request&, ByteSource& body, Caller caller)
{
    if (caller.identity->anonymous()) co_return fail(Errc::unauthorized, "authentication required");
    CO_TRY(const auto wanted, co_await read_project(body));
    CO_TRY(auto name, ProjectName::parse(wanted.name));
    CO_TRY(const auto project, co_await projects_.create(std::move(name), wanted.is_public.value_or(false), caller));
    Response response;
    response.status = 201;
    response.add("Location", "/api/v2.0/projects/" + project.name);
    co_return response;
}

Task<Response> ProjectsApi::one(const Request& request, ByteSource& body, Caller caller, std::string_view text)
{
    CO_TRY(auto name, ProjectName::parse(text));
    if (request.method == Method::get) {
        CO_TRY(const auto project, co_await projects_.find(std::move(name), caller));
        co_return json_response(as_json(project));
    }
    if (caller.identity->anonymous()) co_return fail(Errc::unauthorized, "authentication required");
    if (request.method == Method::put) {
        CO_TRY(const auto wanted, co_await read_project(body));
        if (!wanted.is_public) co_return malformed("\"metadata\" does not say \"public\"");
        CO_CHECK(co_await projects_.set_public(std::move(name), *wanted.is_public, caller));
        co_return Response{};
    }
    if (request.method == Method::del) {
        CO_CHECK(co_await projects_.remove(std::move(name), caller));
        co_return Response{};
    }
    co_return method_not_allowed("GET, PUT, DELETE");
}

}  // namespace entrepot

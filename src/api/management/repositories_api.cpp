#include "api/management/repositories_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/artifact_json.hpp"
#include "api/management/repository_of_call.hpp"

namespace entrepot {
namespace {

// Clients show it; nobody needs more.
constexpr std::size_t longest_description = 4096;

}  // namespace

void RepositoriesApi::add_to(ApiRouter& router)
{
    constexpr auto one = "projects/{project_name}/repositories/{repository_name}";
    router.get("repositories", [this](ApiCall call) { return list_all(std::move(call)); }, ApiAudience::anyone);
    router.get(
        "projects/{project_name}/repositories",
        [this](ApiCall call) { return list(std::move(call)); },
        ApiAudience::anyone
    );
    router.get(one, [this](ApiCall call) { return get(std::move(call)); });
    router.put(one, [this](ApiCall call) { return update(std::move(call)); });
    router.del(one, [this](ApiCall call) { return remove(std::move(call)); });
}

Task<Response> RepositoriesApi::list_all(ApiCall call)
{
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await repositories_.all(call.caller, query));
    co_return list_response(call.request, to_json(page.items), query, page.total);
}

Task<Response> RepositoriesApi::list(ApiCall call)
{
    CO_TRY(const auto project, project_of_call(call, policy_));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await repositories_.of_project(call.caller, project->id, query));
    co_return list_response(call.request, to_json(page.items), query, page.total);
}

Task<Response> RepositoriesApi::get(ApiCall call)
{
    CO_TRY(auto name, repository_of_call(call, policy_));
    CO_TRY(const auto repository, co_await repositories_.find(call.caller, std::move(name)));
    co_return json_text(to_json(repository));
}

Task<Response> RepositoriesApi::update(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto description, body.optional_text("description"));
    if (description && description->size() > longest_description) {
        co_return fail(Errc::bad_request, "the description is longer than 4096 bytes");
    }
    note_subject(call, policy_, "repository", name.text());
    if (description) CO_CHECK(co_await repositories_.describe(call.caller, name, *std::move(description)));
    co_return Response{};
}

Task<Response> RepositoriesApi::remove(ApiCall call)
{
    CO_TRY(const auto name, repository_of_call(call, policy_));
    note_subject(call, policy_, "repository", name.text());
    CO_CHECK(co_await repositories_.remove(call.caller, name));
    co_return Response{};
}

}  // namespace entrepot

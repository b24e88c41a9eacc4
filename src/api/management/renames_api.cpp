#include "api/management/renames_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/project_of.hpp"
#include "api/management/repository_of_call.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

void note(const ApiCall& call, const ProjectAccess& project)
{
    call.audit->resource_type = "project";
    call.audit->resource = project.name;
    call.audit->project_id = project.id;
    call.audit->tenant_id = project.tenant_id;
}

void note_names(const ApiCall& call, std::string_view before, std::string_view after)
{
    call.audit->operation = "update";
    call.audit->before = json::serialize(json::object{{"name", before}});
    call.audit->after = json::serialize(json::object{{"name", after}});
}

json::object former_name_json(const FormerName& former)
{
    return {
        {"id", former.id},
        {"name", former.name},
        {"leads_to", former.leads_to.empty() ? json::value(nullptr) : json::value(former.leads_to)},
        {"rename_time", rfc3339(former.at)},
    };
}

Response moved_to(std::string location)
{
    Response response;
    response.add("Location", location);
    return response;
}

}  // namespace

void RenamesApi::add_to(ApiRouter& router)
{
    router.post("projects/{project_name_or_id}/rename", [this](ApiCall call) {
        return rename_project(std::move(call));
    });
    router.post("projects/{project_name}/repositories/{repository_name}/rename", [this](ApiCall call) {
        return rename_repository(std::move(call));
    });
    router.get("projects/{project_name_or_id}/formernames", [this](ApiCall call) { return list(std::move(call)); });
    router.del("projects/{project_name_or_id}/formernames/{former_name_id}", [this](ApiCall call) {
        return give_up(std::move(call));
    });
}

Task<Response> RenamesApi::rename_project(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto text, body.text("name"));
    CO_TRY(const auto name, ProjectName::parse(text));
    note_names(call, project->name, name.text());
    CO_CHECK(co_await renames_.rename_project(call.caller, project->id, name));
    co_return moved_to("/api/v2.0/projects/" + name.text());
}

Task<Response> RenamesApi::rename_repository(ApiCall call)
{
    CO_TRY(const auto from, repository_of_call(call, policy_));
    note_subject(call, policy_, "repository", from.text());
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto path, body.text("name"));
    CO_TRY(const auto elsewhere, body.optional_text("project"));
    const auto project = elsewhere.value_or(std::string{from.project()});
    CO_TRY(const auto into, RepositoryName::parse(project + "/" + path));
    if (into.project() != project) co_return fail(Errc::name_invalid, "\"" + project + "\" is no project's name");
    note_names(call, from.text(), into.text());
    CO_CHECK(co_await renames_.rename_repository(call.caller, from, into));
    co_return moved_to(location_of(into));
}

Task<Response> RenamesApi::list(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await renames_.former_names(call.caller, project->id, query));
    json::array listed;
    for (const auto& former : page.items) listed.push_back(former_name_json(former));
    co_return list_response(call.request, std::move(listed), query, page.total);
}

Task<Response> RenamesApi::give_up(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project);
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_CHECK(co_await renames_.give_up(call.caller, project->id, id));
    co_return Response{};
}

}  // namespace entrepot

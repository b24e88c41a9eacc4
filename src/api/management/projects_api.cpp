#include "api/management/projects_api.hpp"

#include "api/management/json_append.hpp"
#include "api/management/project_json.hpp"
#include "api/management/project_of.hpp"
#include "api/management/project_sources_json.hpp"
#include "exchange/proxy/proxy_settings.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::string_view one_project = "projects/{project_name_or_id}";
constexpr std::string_view all_metadata = "projects/{project_name_or_id}/metadatas";
constexpr std::string_view one_metadata = "projects/{project_name_or_id}/metadatas/{meta_name}";

// Checked here and kept as they came; only a proxy cache has any.
Result<std::optional<std::string>> proxy_settings_of(const JsonBody& body, bool is_proxy)
{
    TRY(const auto wanted, body.optional_object("proxy_settings"));
    if (!wanted) return std::optional<std::string>{};
    if (!is_proxy) return fail(Errc::bad_request, "only a proxy cache has proxy_settings");
    auto text = json::serialize(wanted->raw());
    CHECK(parse_proxy_settings(text));
    return std::optional{std::move(text)};
}

// Parameters of their own beside `q`: name (a part of it), public, owner; tenant is ours.
Result<ListQuery> project_query_of(const Query& query)
{
    TRY(auto list, list_query_of(query));
    TRY(const auto name, query.plain("name"));
    if (!name.empty()) list.conditions.push_back({"name", ListCondition::Kind::fuzzy, {name}});
    for (const std::string_view field : {"public", "owner", "tenant"}) {
        TRY(const auto value, query.plain(field));
        if (!value.empty()) list.conditions.push_back({std::string{field}, ListCondition::Kind::equal, {value}});
    }
    return list;
}

void note(const ApiCall& call, const Project& project)
{
    call.audit->resource_type = "project";
    call.audit->resource = project.name;
    call.audit->project_id = project.id;
    call.audit->tenant_id = project.tenant_id;
}

// Before the verb decides, so that a refusal is recorded with its object.
void note(const ApiCall& call, const ProjectAccess& project)
{
    call.audit->resource_type = "project";
    call.audit->resource = project.name;
    call.audit->project_id = project.id;
    call.audit->tenant_id = project.tenant_id;
}

}  // namespace

void ProjectsApi::add_to(ApiRouter& router)
{
    const auto open = ApiAudience::anyone;
    router.get("projects", [this](ApiCall call) { return list(std::move(call)); }, open);
    router.head("projects", [this](ApiCall call) { return probe(std::move(call)); });
    router.post("projects", [this](ApiCall call) { return create(std::move(call)); });
    router.get(one_project, [this](ApiCall call) { return read(std::move(call)); }, open);
    router.put(one_project, [this](ApiCall call) { return update(std::move(call)); });
    router.del(one_project, [this](ApiCall call) { return remove(std::move(call)); });
    router.get("projects/{project_name_or_id}/_deletable", [this](ApiCall call) { return deletable(std::move(call)); });
    router.get(
        "projects/{project_name_or_id}/summary", [this](ApiCall call) { return summary(std::move(call)); }, open
    );
    router.get(all_metadata, [this](ApiCall call) { return list_metadata(std::move(call)); });
    router.post(all_metadata, [this](ApiCall call) { return add_metadata(std::move(call)); });
    router.get(one_metadata, [this](ApiCall call) { return read_metadata(std::move(call)); });
    router.put(one_metadata, [this](ApiCall call) { return set_metadata(std::move(call)); });
    router.del(one_metadata, [this](ApiCall call) { return remove_metadata(std::move(call)); });
}

Task<Response> ProjectsApi::list(ApiCall call)
{
    CO_TRY(auto query, project_query_of(call.query));
    const bool detail = call.query.first("with_detail").value_or("true") != "false";
    CO_TRY(const auto page, co_await projects_.list(call.caller, query));
    const auto append = [&](std::string& out, const Project& project) {
        ProjectView view{.detail = detail};
        if (detail || !project.sources.empty()) view.togglable = projects_.may_change(call.caller, project.id);
        if (detail) view.role_id = projects_.role_of(call.caller, project.id);
        if (!project.sources.empty()) view.sources = sources_json(project, policy_, call.caller, view.togglable);
        append_project(out, project, view);
    };
    constexpr std::size_t usual_size = 640;
    co_return list_response(
        call.request, json_list(page.items, page.items.size() * usual_size, append), query, page.total
    );
}

Task<Response> ProjectsApi::probe(ApiCall call)
{
    CO_TRY(const auto name, call.query.plain("project_name"));
    if (name.empty()) co_return fail(Errc::bad_request, "project_name is missing");
    CO_CHECK(require_project(policy_, call.caller, policy_.project(name)));
    co_return Response{};
}

Task<Response> ProjectsApi::create(ApiCall call)
{
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto text, body.text("project_name"));
    call.audit->resource_type = "project";
    call.audit->resource = text;
    CO_TRY(auto name, ProjectName::parse(text));
    CO_TRY(auto settings, project_settings_of(body));
    CO_TRY(const auto registry, body.optional_integer("registry_id"));
    if (registry.value_or(0) < 0) co_return fail(Errc::bad_request, "there is no such registry endpoint");
    ProjectOrder order{.name = std::move(name), .tenant = {}};
    order.registry_id = registry.value_or(0);
    CO_TRY(auto proxy_settings, proxy_settings_of(body, order.registry_id != 0));
    order.proxy_settings = std::move(proxy_settings).value_or("");
    CO_TRY(auto sources, project_sources_of(body, order.name.text(), policy_, call.caller));
    order.sources = std::move(sources).value_or(std::vector<ProjectSource>{});
    CO_TRY(const auto tenant_id, body.optional_integer("tenant_id"));
    CO_TRY(const auto tenant, body.optional_text("tenant"));
    order.tenant = tenant_id ? std::to_string(*tenant_id) : tenant.value_or("");
    order.is_public = settings.is_public.value_or(false);
    order.shared = settings.shared.value_or(false);
    CO_TRY(order.storage_limit, body.optional_integer("storage_limit"));
    order.metadata = std::move(settings.metadata);
    CO_TRY(const auto project, co_await projects_.create(call.caller, std::move(order)));
    note(call, project);
    call.audit->after = project_record(project);
    const bool by_name = call.request.header("x-resource-name-in-location").value_or("false") == "true";
    co_return created_response("/api/v2.0/projects/" + (by_name ? project.name : std::to_string(project.id)));
}

Task<Response> ProjectsApi::read(ApiCall call)
{
    CO_TRY(const auto access, project_of(call, policy_, call.path[0]));
    CO_TRY(const auto project, co_await projects_.find(call.caller, access->id));
    const bool may_change = projects_.may_change(call.caller, project.id);
    const ProjectView view{
        .role_id = projects_.role_of(call.caller, project.id),
        .togglable = may_change,
        .sources = sources_json(project, policy_, call.caller, may_change),
    };
    co_return json_text(project_json(project, view));
}

Task<Response> ProjectsApi::update(ApiCall call)
{
    CO_TRY(const auto access, project_of(call, policy_, call.path[0]));
    note(call, *access);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto settings, project_settings_of(body));
    ProjectChange change{.is_public = settings.is_public, .shared = settings.shared};
    CO_TRY(change.frozen, body.optional_boolean("frozen"));
    CO_TRY(change.is_protected, body.optional_boolean("protected"));
    for (auto& [name, value] : settings.metadata) change.metadata.emplace(name, std::move(value));
    CO_TRY(const auto before, co_await projects_.find(call.caller, access->id));
    // Whoever sends a project back as they read it changes neither.
    if (change.frozen == before.frozen) change.frozen.reset();
    if (change.is_protected == before.is_protected) change.is_protected.reset();
    CO_TRY(change.proxy_settings, proxy_settings_of(body, before.registry_id != 0));
    CO_TRY(change.sources, project_sources_of(body, before.name, policy_, call.caller));
    CO_TRY(const auto after, co_await projects_.change(call.caller, access->id, std::move(change)));
    call.audit->before = project_record(before);
    call.audit->after = project_record(after);
    co_return Response{};
}

Task<Response> ProjectsApi::remove(ApiCall call)
{
    CO_TRY(const auto access, project_of(call, policy_, call.path[0]));
    note(call, *access);
    CO_CHECK(co_await projects_.remove(call.caller, access->id));
    co_return Response{};
}

Task<Response> ProjectsApi::deletable(ApiCall call)
{
    CO_TRY(const auto access, project_of(call, policy_, call.path[0]));
    CO_TRY(const auto obstacle, co_await projects_.obstacle(call.caller, access->id));
    co_return json_response(json::object{{"deletable", obstacle.empty()}, {"message", obstacle}});
}

Task<Response> ProjectsApi::summary(ApiCall call)
{
    CO_TRY(const auto access, project_of(call, policy_, call.path[0]));
    CO_TRY(auto summary, co_await projects_.summary(call.caller, access->id));
    json::object object{{"repo_count", summary.project.repository_count}};
    if (summary.members) {
        auto& members = *summary.members;
        object["project_admin_count"] = members[role::project_admin];
        object["maintainer_count"] = members[role::maintainer];
        object["developer_count"] = members[role::developer];
        object["guest_count"] = members[role::guest];
        object["limited_guest_count"] = members[role::limited_guest];
    }
    if (summary.shows_quota) {
        object["quota"] = json::object{{"hard", hard_json(summary.project)}, {"used", used_json(summary.project)}};
    }
    co_return json_response(object);
}

Task<Response> ProjectsApi::list_metadata(ApiCall call)
{
    CO_TRY(const auto access, project_of(call, policy_, call.path[0]));
    CO_TRY(const auto project, co_await projects_.metadata(call.caller, access->id));
    co_return json_text(metadata_json(project));
}

Task<Response> ProjectsApi::add_metadata(ApiCall call)
{
    CO_TRY(const auto access, project_of(call, policy_, call.path[0]));
    note(call, *access);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    if (body.raw().size() != 1) co_return fail(Errc::bad_request, "one metadata is added at a time");
    const std::string name{body.raw().begin()->key()};
    CO_TRY(auto value, body.text(name));
    CO_TRY(
        const auto changed, co_await projects_.change_metadata(call.caller, access->id, name, std::move(value), false)
    );
    call.audit->after = metadata_json(changed);
    co_return Response{};
}

Task<Response> ProjectsApi::read_metadata(ApiCall call)
{
    CO_TRY(const auto access, project_of(call, policy_, call.path[0]));
    CO_TRY(const auto project, co_await projects_.metadata(call.caller, access->id));
    for (const auto& [name, value] : shown_metadata(project)) {
        if (name == call.path[1]) co_return json_response(json::object{{name, value}});
    }
    co_return fail(Errc::not_found, "the project has no metadata \"" + call.path[1] + "\"");
}

Task<Response> ProjectsApi::set_metadata(ApiCall call)
{
    CO_TRY(const auto access, project_of(call, policy_, call.path[0]));
    note(call, *access);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto value, body.text(call.path[1]));
    CO_TRY(
        const auto changed,
        co_await projects_.change_metadata(call.caller, access->id, call.path[1], std::move(value), true)
    );
    call.audit->after = metadata_json(changed);
    co_return Response{};
}

Task<Response> ProjectsApi::remove_metadata(ApiCall call)
{
    CO_TRY(const auto access, project_of(call, policy_, call.path[0]));
    note(call, *access);
    CO_TRY(
        const auto changed,
        co_await projects_.change_metadata(call.caller, access->id, call.path[1], std::nullopt, true)
    );
    call.audit->after = metadata_json(changed);
    co_return Response{};
}

}  // namespace entrepot

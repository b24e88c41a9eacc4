#include "api/management/audit_api.hpp"

#include "access/require.hpp"
#include "api/management/api_values.hpp"
#include "api/management/project_of.hpp"
#include "core/ascii.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <string>

namespace entrepot {
namespace {

namespace json = boost::json;

// Beyond this, whoever sees more must ask project by project.
constexpr std::size_t most_ids = 10'000;

Permission list_all()
{
    static const Permission permission = need(ObjectKind::platform, "audit-log", "list");
    return permission;
}
Permission list_of_project()
{
    static const Permission permission = need(ObjectKind::project, "log", "list");
    return permission;
}
Permission list_of_tenant()
{
    static const Permission permission = need(ObjectKind::tenant, "log", "list");
    return permission;
}

// "create project library/app": what Harbor calls the description.
std::string description_of(const AuditRecord& record)
{
    auto text = record.operation + " " + record.resource_type + " " + record.resource;
    if (!record.detail.empty()) text += ": " + record.detail;
    return text;
}

json::object plain_object(const AuditEntry& entry)
{
    const auto& record = entry.record;
    return {
        {"id", entry.number},
        {"username", record.user},
        {"resource", record.resource},
        {"resource_type", record.resource_type},
        {"operation", record.operation},
        {"op_time", audit_time(record.at)},
    };
}

json::object extended_object(const AuditEntry& entry)
{
    const auto& record = entry.record;
    auto object = plain_object(entry);
    object["operation_description"] = description_of(record);
    object["operation_result"] = record.result == "ok";
    object["result"] = record.result;
    object["count"] = record.count;
    object["instance"] = entry.instance;
    object["user_id"] = record.user_id;
    object["tenant_id"] = record.tenant_id;
    object["project_id"] = record.project_id;
    object["request_id"] = record.request_id;
    object["client"] = record.client;
    for (const auto& [name, text] : {std::pair{"before", &record.before}, std::pair{"after", &record.after}}) {
        if (!text->empty()) object[name] = json::parse(*text);
    }
    return object;
}

constexpr std::array event_names{
    "create_artifact",   "delete_artifact", "pull_artifact", "create_project",       "delete_project",
    "delete_repository", "login_user",      "logout_user",   "create_user",          "delete_user",
    "update_user",       "create_robot",    "delete_robot",  "create_member",        "update_member",
    "delete_member",     "create_tag",      "delete_tag",    "update_configuration",
};

}  // namespace

std::span<const char* const> audit_event_types() noexcept
{
    return event_names;
}

void AuditApi::add_to(ApiRouter& router)
{
    router.get("audit-logs", [this](ApiCall call) { return list(std::move(call), Shape::plain); });
    router.get("auditlog-exts", [this](ApiCall call) { return list(std::move(call), Shape::extended); });
    router.get("auditlog-exts/events", [this](ApiCall call) { return event_types(std::move(call)); });
    router.get("projects/{project_name}/logs", [this](ApiCall call) {
        return of_project(std::move(call), Shape::plain);
    });
    router.get("projects/{project_name}/auditlog-exts", [this](ApiCall call) {
        return of_project(std::move(call), Shape::extended);
    });
    router.get("tenants/{tenant_name_or_id}/logs", [this](ApiCall call) { return of_tenant(std::move(call)); });
}

// Without the platform's permission: what the caller may list, project by project and tenant by tenant.
Result<> AuditApi::narrow(AuditQuery& query, const Caller& caller) const
{
    if (policy_.may(caller, list_all(), the_platform)) return {};
    query.tenants = policy_.tenants_with(caller, list_of_tenant());
    query.projects = policy_.projects_with(caller, list_of_project());
    if (!query.tenants || !query.projects || query.projects->size() + query.tenants->size() > most_ids) {
        return fail(Errc::unprocessable, "ask for the logs of one project or one tenant");
    }
    return {};
}

Task<Response> AuditApi::answer(const Request& request, const Query& query, AuditQuery wanted, Shape shape)
{
    CO_TRY(wanted.list, list_query_of(query));
    wanted.cursor = query.first("cursor").value_or("");
    const auto asked = wanted.list;
    CO_TRY(const auto page, co_await reader_.read(std::move(wanted)));
    json::array items;
    for (const auto& entry : page.entries) {
        items.push_back(shape == Shape::plain ? plain_object(entry) : extended_object(entry));
    }
    auto response = list_response(request, std::move(items), asked, page.total);
    if (!page.next_cursor.empty()) response.add("X-Next-Cursor", page.next_cursor);
    co_return response;
}

Task<Response> AuditApi::list(ApiCall call, Shape shape)
{
    AuditQuery query;
    CO_CHECK(narrow(query, call.caller));
    co_return co_await answer(call.request, call.query, std::move(query), shape);
}

Task<Response> AuditApi::of_project(ApiCall call, Shape shape)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_CHECK(require(policy_, call.caller, list_of_project(), object_of(*project)));
    AuditQuery query;
    query.projects = std::vector{project->id};
    co_return co_await answer(call.request, call.query, std::move(query), shape);
}

Task<Response> AuditApi::of_tenant(ApiCall call)
{
    const auto& text = call.path.at(0);
    const bool is_name = call.request.header("x-is-resource-name").value_or("false") == "true";
    const auto id = is_name ? std::nullopt : parse_decimal(text);
    const auto tenant =
        id && *id < std::uint64_t{1} << 63U ? policy_.tenant(static_cast<std::int64_t>(*id)) : policy_.tenant(text);
    if (!tenant) co_return fail(Errc::not_found, "there is no such tenant");
    CO_CHECK(require(policy_, call.caller, list_of_tenant(), object_of(*tenant)));
    AuditQuery query;
    query.tenants = std::vector{tenant->id};
    co_return co_await answer(call.request, call.query, std::move(query), Shape::extended);
}

Task<Response> AuditApi::event_types(ApiCall)
{
    json::array names;
    for (const auto* name : event_names) names.push_back(json::object{{"event_type", name}});
    co_return json_response(names);
}

}  // namespace entrepot

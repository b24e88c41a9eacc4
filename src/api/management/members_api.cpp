#include "api/management/members_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/group_values.hpp"
#include "api/management/project_of.hpp"
#include "api/management/tenancy_json.hpp"

namespace entrepot {
namespace {

namespace json = boost::json;

Result<std::int64_t> wanted_role(const JsonBody& body)
{
    TRY(const auto role_id, body.optional_integer("role_id"));
    if (!role_id) return fail(Errc::bad_request, "\"role_id\" is missing");
    return *role_id;
}

AuditedChange told(const ProjectAccess& project, std::string_view name)
{
    return {.type = "member", .name = name, .tenant_id = project.tenant_id, .project_id = project.id};
}

// Terraform's provider sends both, the one that is not meant being {}.
Result<std::optional<JsonBody>> subject_in(const JsonBody& body, std::string_view name)
{
    TRY(auto subject, body.optional_object(name));
    if (subject && subject->raw().empty()) subject.reset();
    return subject;
}

}  // namespace

void MembersApi::add_to(ApiRouter& router)
{
    router.get("projects/{project_name_or_id}/members", [this](ApiCall call) { return list(std::move(call)); });
    router.post("projects/{project_name_or_id}/members", [this](ApiCall call) { return create(std::move(call)); });
    router.get("projects/{project_name_or_id}/members/{mid}", [this](ApiCall call) { return one(std::move(call)); });
    router.put("projects/{project_name_or_id}/members/{mid}", [this](ApiCall call) { return change(std::move(call)); });
    router.del("projects/{project_name_or_id}/members/{mid}", [this](ApiCall call) { return remove(std::move(call)); });
}

Task<Response> MembersApi::list(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto query, list_query_of(call.query));
    if (!query.conditions.empty() || !query.order.empty()) {
        co_return fail(Errc::bad_request, "members are asked for by entityname");
    }
    CO_TRY(auto name, call.query.plain("entityname"));
    CO_TRY(
        const auto page, co_await members_.list(call.caller, project->id, std::move(name), query.offset, query.limit)
    );
    json::array items;
    for (const auto& member : page.items) items.push_back(member_json(member));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> MembersApi::create(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    tell(call.audit.get(), told(*project, project->name), nullptr, nullptr);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto role_id, wanted_role(body));
    CO_TRY(const auto user_body, subject_in(body, "member_user"));
    CO_TRY(const auto group_body, subject_in(body, "member_group"));
    if (user_body.has_value() == group_body.has_value()) {
        co_return fail(Errc::bad_request, "it takes either member_user or member_group");
    }
    Grant member;
    if (user_body) {
        CO_TRY(auto user, user_of(*user_body));
        CO_TRY(member, co_await members_.add_user(call.caller, project->id, std::move(user), role_id));
    } else {
        CO_TRY(auto group, member_group_of(*group_body));
        CO_TRY(member, co_await members_.add_group(call.caller, project->id, std::move(group), role_id));
    }
    const auto after = member_json(member);
    const auto name = project->name + "/" + member.subject_name;
    tell(call.audit.get(), told(*project, name), nullptr, &after);
    co_return created_response(
        "/api/v2.0/projects/" + std::to_string(project->id) + "/members/" + std::to_string(member.id)
    );
}

Task<Response> MembersApi::one(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto member, co_await members_.find(call.caller, project->id, id));
    co_return json_response(member_json(member));
}

Task<Response> MembersApi::change(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    tell(call.audit.get(), told(*project, project->name), nullptr, nullptr);
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto role_id, wanted_role(body));
    CO_TRY(auto member, co_await members_.set_role(call.caller, project->id, id, role_id));
    const auto before = member_json(member);
    member.role_id = role_id;
    const auto after = member_json(member);
    const auto name = project->name + "/" + member.subject_name;
    tell(call.audit.get(), told(*project, name), &before, &after);
    co_return Response{};
}

Task<Response> MembersApi::remove(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    tell(call.audit.get(), told(*project, project->name), nullptr, nullptr);
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto member, co_await members_.remove(call.caller, project->id, id));
    const auto before = member_json(member);
    const auto name = project->name + "/" + member.subject_name;
    tell(call.audit.get(), told(*project, name), &before, nullptr);
    co_return Response{};
}

}  // namespace entrepot

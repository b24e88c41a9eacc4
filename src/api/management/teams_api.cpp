#include "api/management/teams_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/tenancy_json.hpp"
#include "api/management/tenant_of.hpp"

namespace entrepot {
namespace {

namespace json = boost::json;

std::string address_of(const TenantAccess& tenant, std::int64_t team_id)
{
    return "/api/v2.0/tenants/" + std::to_string(tenant.id) + "/teams/" + std::to_string(team_id);
}

}  // namespace

void TeamsApi::add_to(ApiRouter& router)
{
    router.get("tenants/{tenant_name_or_id}/teams", [this](ApiCall call) { return list(std::move(call)); });
    router.post("tenants/{tenant_name_or_id}/teams", [this](ApiCall call) { return create(std::move(call)); });
    router.get("tenants/{tenant_name_or_id}/teams/{team_id}", [this](ApiCall call) { return one(std::move(call)); });
    router.put("tenants/{tenant_name_or_id}/teams/{team_id}", [this](ApiCall call) { return change(std::move(call)); });
    router.del("tenants/{tenant_name_or_id}/teams/{team_id}", [this](ApiCall call) { return remove(std::move(call)); });
    router.get("tenants/{tenant_name_or_id}/teams/{team_id}/members", [this](ApiCall call) {
        return list_members(std::move(call));
    });
    router.post("tenants/{tenant_name_or_id}/teams/{team_id}/members", [this](ApiCall call) {
        return add_member(std::move(call));
    });
    router.del("tenants/{tenant_name_or_id}/teams/{team_id}/members/{user_id}", [this](ApiCall call) {
        return remove_member(std::move(call));
    });
}

Task<Response> TeamsApi::list(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await teams_.list(call.caller, at->id, query));
    json::array items;
    for (const auto& team : page.items) items.push_back(as_json(team));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> TeamsApi::create(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    tell(call.audit.get(), {.type = "team", .name = at->name, .tenant_id = at->id}, nullptr, nullptr);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto name, body.text("name"));
    CO_TRY(auto description, body.optional_text("description"));
    CO_TRY(
        const auto team,
        co_await teams_.create(call.caller, at->id, std::move(name), std::move(description).value_or(""))
    );
    const auto after = as_json(team);
    const auto full_name = at->name + "/" + team.name;
    tell(call.audit.get(), {.type = "team", .name = full_name, .tenant_id = at->id}, nullptr, &after);
    co_return created_response(address_of(*at, team.id));
}

Task<Response> TeamsApi::one(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto team, co_await teams_.find(call.caller, at->id, id));
    co_return json_response(as_json(team));
}

Task<Response> TeamsApi::change(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    tell(call.audit.get(), {.type = "team", .name = at->name, .tenant_id = at->id}, nullptr, nullptr);
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto name, body.optional_text("name"));
    CO_TRY(auto description, body.optional_text("description"));
    CO_TRY(
        const auto changed, co_await teams_.change(call.caller, at->id, id, std::move(name), std::move(description))
    );
    const auto before = as_json(changed.before);
    const auto after = as_json(changed.after);
    const auto full_name = at->name + "/" + changed.after.name;
    tell(call.audit.get(), {.type = "team", .name = full_name, .tenant_id = at->id}, &before, &after);
    co_return Response{};
}

Task<Response> TeamsApi::remove(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    tell(call.audit.get(), {.type = "team", .name = at->name, .tenant_id = at->id}, nullptr, nullptr);
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto team, co_await teams_.remove(call.caller, at->id, id));
    const auto before = as_json(team);
    const auto full_name = at->name + "/" + team.name;
    tell(call.audit.get(), {.type = "team", .name = full_name, .tenant_id = at->id}, &before, nullptr);
    co_return Response{};
}

Task<Response> TeamsApi::list_members(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await teams_.members(call.caller, at->id, id, query));
    json::array items;
    for (const auto& member : page.items) items.push_back(as_json(member));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> TeamsApi::add_member(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    tell(call.audit.get(), {.type = "team-member", .name = at->name, .tenant_id = at->id}, nullptr, nullptr);
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto user, user_of(body));
    CO_TRY(const auto added, co_await teams_.add_member(call.caller, at->id, id, std::move(user)));
    const json::object after{{"team_id", id}, {"user_id", added.id}, {"username", added.name}};
    const auto name = at->name + "/" + added.name;
    tell(call.audit.get(), {.type = "team-member", .name = name, .tenant_id = at->id}, nullptr, &after);
    co_return created_response(address_of(*at, id) + "/members/" + std::to_string(added.id));
}

Task<Response> TeamsApi::remove_member(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto user_id, parse_id(call.path.at(2)));
    const json::object before{{"team_id", id}, {"user_id", user_id}};
    tell(call.audit.get(), {.type = "team-member", .name = at->name, .tenant_id = at->id}, &before, nullptr);
    CO_CHECK(co_await teams_.remove_member(call.caller, at->id, id, user_id));
    co_return Response{};
}

}  // namespace entrepot

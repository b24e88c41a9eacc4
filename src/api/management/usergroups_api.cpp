#include "api/management/usergroups_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/group_values.hpp"
#include "api/management/tenancy_json.hpp"

namespace entrepot {
namespace {

namespace json = boost::json;

}  // namespace

void UsergroupsApi::add_to(ApiRouter& router)
{
    router.get("usergroups", [this](ApiCall call) { return list(std::move(call)); });
    router.post("usergroups", [this](ApiCall call) { return create(std::move(call)); });
    router.get("usergroups/search", [this](ApiCall call) { return search(std::move(call)); });
    router.get("usergroups/{group_id}", [this](ApiCall call) { return one(std::move(call)); });
    router.put("usergroups/{group_id}", [this](ApiCall call) { return change(std::move(call)); });
    router.del("usergroups/{group_id}", [this](ApiCall call) { return remove(std::move(call)); });
}

Task<Response> UsergroupsApi::list(ApiCall call)
{
    CO_TRY(auto query, list_query_of(call.query));
    CO_TRY(auto name, call.query.plain("group_name"));
    CO_TRY(auto dn, call.query.plain("ldap_group_dn"));
    if (!name.empty()) query.conditions.push_back({"group_name", ListCondition::Kind::fuzzy, {std::move(name)}});
    if (!dn.empty()) query.conditions.push_back({"ldap_group_dn", ListCondition::Kind::equal, {std::move(dn)}});
    CO_TRY(const auto page, co_await groups_.list(call.caller, query));
    json::array items;
    for (const auto& group : page.items) items.push_back(as_json(group));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> UsergroupsApi::search(ApiCall call)
{
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(auto name, call.query.plain("groupname"));
    if (name.empty()) co_return fail(Errc::bad_request, "\"groupname\" is missing");
    CO_TRY(const auto page, co_await groups_.search(std::move(name), query.offset, query.limit));
    json::array items;
    for (const auto& group : page.items) {
        items.push_back(json::object{
            {"id", group.id}, {"group_name", group.name}, {"group_type", static_cast<std::int64_t>(group.type)}
        });
    }
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> UsergroupsApi::create(ApiCall call)
{
    call.audit->resource_type = "usergroup";
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto wanted, group_of(body));
    call.audit->resource = wanted.name;
    CO_TRY(const auto group, co_await groups_.create(call.caller, std::move(wanted)));
    const auto after = as_json(group);
    tell(call.audit.get(), {.type = "usergroup", .name = group.name}, nullptr, &after);
    co_return created_response("/api/v2.0/usergroups/" + std::to_string(group.id));
}

Task<Response> UsergroupsApi::one(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto group, co_await groups_.find(call.caller, id));
    co_return json_response(as_json(group));
}

Task<Response> UsergroupsApi::change(ApiCall call)
{
    call.audit->resource_type = "usergroup";
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto name, body.text("group_name"));
    CO_TRY(auto group, co_await groups_.rename(call.caller, id, name));
    const auto before = as_json(group);
    group.name = name;
    const auto after = as_json(group);
    tell(call.audit.get(), {.type = "usergroup", .name = name}, &before, &after);
    co_return Response{};
}

Task<Response> UsergroupsApi::remove(ApiCall call)
{
    call.audit->resource_type = "usergroup";
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto group, co_await groups_.remove(call.caller, id));
    const auto before = as_json(group);
    tell(call.audit.get(), {.type = "usergroup", .name = group.name}, &before, nullptr);
    co_return Response{};
}

}  // namespace entrepot

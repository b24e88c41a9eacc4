#include "api/management/tenants_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/tenancy_json.hpp"
#include "api/management/tenant_of.hpp"
#include "core/clock.hpp"

namespace entrepot {
namespace {

namespace json = boost::json;

Result<TenantWish> wish_of(const JsonBody& body)
{
    TenantWish wish;
    TRY(wish.name, body.text("name"));
    TRY(auto display_name, body.optional_text("display_name"));
    TRY(auto description, body.optional_text("description"));
    wish.display_name = std::move(display_name).value_or("");
    wish.description = std::move(description).value_or("");
    TRY(const auto bytes, body.optional_integer("quota_bytes"));
    TRY(const auto artifacts, body.optional_integer("quota_artifacts"));
    wish.quota_bytes = bytes.value_or(-1);
    wish.quota_artifacts = artifacts.value_or(-1);
    TRY(const auto templates, body.optional_boolean("team_templates"));
    wish.with_templates = templates.value_or(false);
    TRY(wish.admins, body.texts("admins"));
    return wish;
}

Result<NewTenantUser> new_user_of(const JsonBody& body)
{
    NewTenantUser user;
    TRY(user.name, body.text("username"));
    TRY(user.password, body.text("password"));
    TRY(auto email, body.optional_text("email"));
    TRY(auto realname, body.optional_text("realname"));
    user.email = std::move(email).value_or("");
    user.realname = std::move(realname).value_or("");
    return user;
}

json::object as_json(const TenantMember& member, const std::vector<Role>& custom)
{
    json::array roles;
    for (const auto id : member.roles) {
        if (const auto* builtin = builtin_role(id)) roles.push_back(short_json(*builtin));
        for (const auto& role : custom) {
            if (role.id == id) roles.push_back(short_json(role));
        }
    }
    return {
        {"user_id", member.user_id},
        {"username", member.name},
        {"email", member.email},
        {"realname", member.realname},
        {"joined_time", rfc3339(member.joined_at)},
        {"roles", std::move(roles)},
    };
}

std::string address_of(const TenantAccess& tenant)
{
    return "/api/v2.0/tenants/" + std::to_string(tenant.id);
}

}  // namespace

void TenantsApi::add_to(ApiRouter& router)
{
    router.get("tenants", [this](ApiCall call) { return list(std::move(call)); });
    router.post("tenants", [this](ApiCall call) { return create(std::move(call)); });
    router.get("tenants/{tenant_name_or_id}", [this](ApiCall call) { return one(std::move(call)); });
    router.put("tenants/{tenant_name_or_id}", [this](ApiCall call) { return change(std::move(call)); });
    router.del("tenants/{tenant_name_or_id}", [this](ApiCall call) { return remove(std::move(call)); });
    router.get("tenants/{tenant_name_or_id}/quota", [this](ApiCall call) { return quota(std::move(call)); });
    router.put("tenants/{tenant_name_or_id}/quota", [this](ApiCall call) { return allocate(std::move(call)); });
    router.get("tenants/{tenant_name_or_id}/members", [this](ApiCall call) { return list_members(std::move(call)); });
    router.post("tenants/{tenant_name_or_id}/members", [this](ApiCall call) { return add_member(std::move(call)); });
    router.get("tenants/{tenant_name_or_id}/members/{user_id}", [this](ApiCall call) {
        return one_member(std::move(call));
    });
    router.del("tenants/{tenant_name_or_id}/members/{user_id}", [this](ApiCall call) {
        return remove_member(std::move(call));
    });
}

Task<Response> TenantsApi::list(ApiCall call)
{
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await tenants_.list(call.caller, query));
    json::array items;
    for (const auto& tenant : page.items) items.push_back(entrepot::as_json(tenant));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> TenantsApi::create(ApiCall call)
{
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto wish, wish_of(body));
    call.audit->resource_type = "tenant";
    call.audit->resource = wish.name;
    CO_TRY(const auto tenant, co_await tenants_.create(call.caller, std::move(wish)));
    const auto after = entrepot::as_json(tenant);
    tell(call.audit.get(), {.type = "tenant", .name = tenant.name, .tenant_id = tenant.id}, nullptr, &after);
    const bool by_name = call.request.header("x-resource-name-in-location").value_or("false") == "true";
    co_return created_response("/api/v2.0/tenants/" + (by_name ? tenant.name : std::to_string(tenant.id)));
}

Task<Response> TenantsApi::one(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto tenant, co_await tenants_.find(call.caller, at->id));
    co_return json_response(entrepot::as_json(tenant));
}

Task<Response> TenantsApi::change(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    tell(call.audit.get(), {.type = "tenant", .name = at->name, .tenant_id = at->id}, nullptr, nullptr);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    TenantChange change;
    CO_TRY(change.display_name, body.optional_text("display_name"));
    CO_TRY(change.description, body.optional_text("description"));
    CO_TRY(change.frozen, body.optional_boolean("frozen"));
    CO_TRY(change.is_protected, body.optional_boolean("protected"));
    CO_TRY(const auto changed, co_await tenants_.change(call.caller, at->id, std::move(change)));
    const auto before = entrepot::as_json(changed.before);
    const auto after = entrepot::as_json(changed.after);
    tell(call.audit.get(), {.type = "tenant", .name = at->name, .tenant_id = at->id}, &before, &after);
    co_return Response{};
}

Task<Response> TenantsApi::remove(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    tell(call.audit.get(), {.type = "tenant", .name = at->name, .tenant_id = at->id}, nullptr, nullptr);
    CO_TRY(const auto tenant, co_await tenants_.remove(call.caller, at->id));
    const auto before = entrepot::as_json(tenant);
    tell(call.audit.get(), {.type = "tenant", .name = at->name, .tenant_id = at->id}, &before, nullptr);
    co_return Response{};
}

Task<Response> TenantsApi::quota(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto quota, co_await tenants_.quota(call.caller, at->id));
    co_return json_response(entrepot::as_json(quota));
}

Task<Response> TenantsApi::allocate(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    tell(call.audit.get(), {.type = "tenant-quota", .name = at->name, .tenant_id = at->id}, nullptr, nullptr);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto hard, body.optional_object("hard"));
    if (!hard) co_return fail(Errc::bad_request, "\"hard\" is missing");
    CO_TRY(const auto bytes, hard->optional_integer("storage"));
    CO_TRY(const auto artifacts, hard->optional_integer("artifacts"));
    CO_TRY(const auto current, co_await tenants_.quota(call.caller, at->id));
    auto wanted = current;
    wanted.quota_bytes = bytes.value_or(current.quota_bytes);
    wanted.quota_artifacts = artifacts.value_or(current.quota_artifacts);
    CO_TRY(const auto was, co_await tenants_.allocate(call.caller, at->id, wanted.quota_bytes, wanted.quota_artifacts));
    const auto before = entrepot::as_json(was);
    const auto after = entrepot::as_json(wanted);
    tell(call.audit.get(), {.type = "tenant-quota", .name = at->name, .tenant_id = at->id}, &before, &after);
    co_return Response{};
}

Task<Response> TenantsApi::list_members(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await members_.list(call.caller, at->id, query));
    CO_TRY(const auto custom, co_await roles_.all());
    json::array items;
    for (const auto& member : page.items) items.push_back(as_json(member, custom));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> TenantsApi::add_member(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    tell(call.audit.get(), {.type = "tenant-member", .name = at->name, .tenant_id = at->id}, nullptr, nullptr);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto role, role_of(body));
    CO_TRY(const auto made, body.optional_object("user"));
    TenantMember member;
    if (made) {
        CO_TRY(auto user, new_user_of(*made));
        CO_TRY(member, co_await members_.create(call.caller, at->id, std::move(user), std::move(role)));
    } else {
        CO_TRY(auto user, user_of(body));
        CO_TRY(member, co_await members_.add(call.caller, at->id, std::move(user), std::move(role)));
    }
    CO_TRY(const auto custom, co_await roles_.all());
    const auto after = as_json(member, custom);
    const auto name = at->name + "/" + member.name;
    tell(call.audit.get(), {.type = "tenant-member", .name = name, .tenant_id = at->id}, nullptr, &after);
    co_return created_response(address_of(*at) + "/members/" + std::to_string(member.user_id));
}

Task<Response> TenantsApi::one_member(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto user_id, parse_id(call.path.at(1)));
    CO_TRY(const auto member, co_await members_.find(call.caller, at->id, user_id));
    CO_TRY(const auto custom, co_await roles_.all());
    co_return json_response(as_json(member, custom));
}

Task<Response> TenantsApi::remove_member(ApiCall call)
{
    CO_TRY(const auto at, tenant_of(call, policy_, call.path.at(0)));
    tell(call.audit.get(), {.type = "tenant-member", .name = at->name, .tenant_id = at->id}, nullptr, nullptr);
    CO_TRY(const auto user_id, parse_id(call.path.at(1)));
    CO_TRY(const auto member, co_await members_.remove(call.caller, at->id, user_id));
    CO_TRY(const auto custom, co_await roles_.all());
    const auto before = as_json(member, custom);
    const auto name = at->name + "/" + member.name;
    tell(call.audit.get(), {.type = "tenant-member", .name = name, .tenant_id = at->id}, &before, nullptr);
    co_return Response{};
}

}  // namespace entrepot

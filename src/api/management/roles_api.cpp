#include "api/management/roles_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/tenancy_json.hpp"

namespace entrepot {
namespace {

namespace json = boost::json;

Result<Permission> permission_of(std::string_view text)
{
    const auto first = text.find(':');
    const auto second = first == std::string_view::npos ? first : text.find(':', first + 1);
    if (second != std::string_view::npos) {
        const auto kind = object_kind_named(text.substr(0, first));
        const auto resource = text.substr(first + 1, second - first - 1);
        const auto found = kind ? find_permission(*kind, resource, text.substr(second + 1)) : std::nullopt;
        if (found) return *found;
    }
    return fail(Errc::bad_request, "there is no permission \"" + std::string{text} + "\" (kind:resource:action)");
}

Result<Role> role_in(const JsonBody& body)
{
    Role role;
    TRY(role.name, body.text("name"));
    TRY(auto description, body.optional_text("description"));
    role.description = std::move(description).value_or("");
    TRY(const auto texts, body.texts("permissions"));
    for (const auto& text : texts) {
        TRY(const auto permission, permission_of(text));
        role.permissions.add(permission);
    }
    return role;
}

}  // namespace

void RolesApi::add_to(ApiRouter& router)
{
    router.get("roles", [this](ApiCall call) { return list(std::move(call)); });
    router.post("roles", [this](ApiCall call) { return create(std::move(call)); });
    router.get("roles/{role_id}", [this](ApiCall call) { return one(std::move(call)); });
    router.put("roles/{role_id}", [this](ApiCall call) { return change(std::move(call)); });
    router.del("roles/{role_id}", [this](ApiCall call) { return remove(std::move(call)); });
}

Task<Response> RolesApi::list(ApiCall call)
{
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await roles_.list(query));
    json::array items;
    for (const auto& role : page.items) items.push_back(as_json(role));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> RolesApi::create(ApiCall call)
{
    call.audit->resource_type = "role";
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto wanted, role_in(body));
    call.audit->resource = wanted.name;
    CO_TRY(const auto role, co_await roles_.create(call.caller, std::move(wanted)));
    const auto after = as_json(role);
    tell(call.audit.get(), {.type = "role", .name = role.name}, nullptr, &after);
    co_return created_response("/api/v2.0/roles/" + std::to_string(role.id));
}

Task<Response> RolesApi::one(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto role, co_await roles_.find(id));
    co_return json_response(as_json(role));
}

Task<Response> RolesApi::change(ApiCall call)
{
    call.audit->resource_type = "role";
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto wanted, role_in(body));
    wanted.id = id;
    call.audit->resource = wanted.name;
    CO_TRY(const auto changed, co_await roles_.change(call.caller, std::move(wanted)));
    const auto before = as_json(changed.before);
    const auto after = as_json(changed.after);
    tell(call.audit.get(), {.type = "role", .name = changed.after.name}, &before, &after);
    co_return Response{};
}

Task<Response> RolesApi::remove(ApiCall call)
{
    call.audit->resource_type = "role";
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto role, co_await roles_.remove(call.caller, id));
    const auto before = as_json(role);
    tell(call.audit.get(), {.type = "role", .name = role.name}, &before, nullptr);
    co_return Response{};
}

}  // namespace entrepot

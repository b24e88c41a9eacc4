#include "api/management/users_api.hpp"

#include "api/management/api_values.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

// Harbor's UserResp, and whether the user is disabled. admin_role_in_auth is for directories that make admins.
json::object as_json(const Account& account)
{
    return {
        {"user_id", account.id},
        {"username", account.name},
        {"email", account.email},
        {"realname", account.realname},
        {"comment", account.comment},
        {"sysadmin_flag", account.is_admin},
        {"admin_role_in_auth", false},
        {"disabled", account.disabled},
        {"creation_time", rfc3339(account.created_at)},
        {"update_time", rfc3339(account.updated_at)},
    };
}

void note(const ApiCall& call, const Account& account)
{
    call.audit->resource_type = "user";
    call.audit->resource = account.name;
}

void note_change(const ApiCall& call, const Account& before, const Account& after)
{
    note(call, before);
    call.audit->before = json::serialize(as_json(before));
    call.audit->after = json::serialize(as_json(after));
}

// What a secret was changed of, and that it was: never the secret.
void note_secret(const ApiCall& call, std::int64_t id, std::string_view what)
{
    call.audit->resource_type = "user";
    call.audit->resource = id == call.identity().user_id ? call.identity().name : std::to_string(id);
    call.audit->after = json::serialize(json::object{{"user_id", id}, {"changed", what}});
}

Result<UserProfile> profile_of(const JsonBody& body, const Account& before)
{
    UserProfile profile;
    TRY(const auto email, body.optional_text("email"));
    TRY(const auto realname, body.optional_text("realname"));
    TRY(const auto comment, body.optional_text("comment"));
    profile.email = email.value_or(before.email);
    profile.realname = realname.value_or(before.realname);
    profile.comment = comment.value_or(before.comment);
    return profile;
}

// Where permissions are asked for: "/project/1", "/tenant/1", and "/system" or nothing for the platform.
struct AskedScope {
    ObjectRef object;
    std::string prefix;
};
std::optional<AskedScope> scope_named(std::string_view text)
{
    if (text.empty() || text == "/system") {
        return AskedScope{{.kind = ObjectKind::platform, .id = 0, .name = {}}, "/system"};
    }
    for (const auto kind : {ObjectKind::project, ObjectKind::tenant}) {
        const auto prefix = "/" + std::string{name_of(kind)} + "/";
        if (!text.starts_with(prefix)) continue;
        const auto id = parse_id(text.substr(prefix.size()));
        if (id) return AskedScope{{.kind = kind, .id = *id, .name = {}}, std::string{text}};
    }
    return std::nullopt;
}

}  // namespace

void UsersApi::add_to(ApiRouter& router)
{
    router.get("users", [this](ApiCall call) { return list(std::move(call)); });
    router.post("users", [this](ApiCall call) { return create(std::move(call)); }, ApiAudience::anyone);
    router.get("users/search", [this](ApiCall call) { return search(std::move(call)); });
    router.get("users/current", [this](ApiCall call) { return current(std::move(call)); });
    router.get("users/current/permissions", [this](ApiCall call) { return permissions(std::move(call)); });
    router.get("users/{user_id}", [this](ApiCall call) { return read(std::move(call)); });
    router.put("users/{user_id}", [this](ApiCall call) { return update(std::move(call)); });
    router.del("users/{user_id}", [this](ApiCall call) { return remove(std::move(call)); });
    router.put("users/{user_id}/sysadmin", [this](ApiCall call) { return set_admin(std::move(call)); });
    router.put("users/{user_id}/password", [this](ApiCall call) { return set_password(std::move(call)); });
    router.put("users/{user_id}/cli_secret", [this](ApiCall call) { return set_cli_secret(std::move(call)); });
}

Task<Response> UsersApi::list(ApiCall call)
{
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await users_.list(query, call.caller));
    json::array items;
    for (const auto& account : page.items) items.push_back(as_json(account));
    co_return list_response(call.request, std::move(items), query, page.total);
}

// Fields that would give rights (sysadmin_flag, admin_role_in_auth, role ids) are not read at all.
Task<Response> UsersApi::create(ApiCall call)
{
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    Users::NewUser user;
    CO_TRY(user.name, body.text("username"));
    CO_TRY(user.password, body.text("password"));
    CO_TRY(user.profile, profile_of(body, {}));
    CO_TRY(const auto tenant, body.optional_integer("tenant_id"));
    user.tenant_id = tenant.value_or(AccountCatalog::default_tenant);
    call.audit->tenant_id = user.tenant_id;
    CO_TRY(const auto created, co_await users_.create(std::move(user), call.caller));
    note(call, created);
    call.audit->after = json::serialize(as_json(created));
    co_return created_response("/api/v2.0/users/" + std::to_string(created.id));
}

Task<Response> UsersApi::search(ApiCall call)
{
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(auto part, call.query.plain("username"));
    if (part.empty()) co_return fail(Errc::bad_request, "\"username\" is missing");
    CO_TRY(const auto page, co_await users_.search(std::move(part), query.offset, query.limit, call.caller));
    json::array items;
    for (const auto& account : page.items) {
        items.push_back(json::object{{"user_id", account.id}, {"username", account.name}});
    }
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> UsersApi::current(ApiCall call)
{
    CO_TRY(const auto account, co_await users_.current(call.caller));
    co_return json_response(as_json(account));
}

Task<Response> UsersApi::permissions(ApiCall call)
{
    CO_TRY(const auto text, call.query.plain("scope"));
    const bool relative = call.query.first("relative").value_or("false") == "true";
    json::array listed;
    // Like Harbor, an unknown scope is one in which nobody may do anything.
    if (const auto scope = scope_named(text)) {
        const auto held = policy_.permissions(call.caller, scope->object);
        const auto rows = all_permissions();
        for (std::uint16_t index = 0; index < rows.size(); ++index) {
            const auto& row = rows[index];
            if (row.kind != scope->object.kind || !held.has(Permission{index})) continue;
            // The object itself is "." in Harbor's relative form.
            const bool self = row.resource == name_of(row.kind);
            const std::string resource{row.resource};
            const auto below = relative ? (self ? "." : resource) : scope->prefix + (self ? "" : "/" + resource);
            listed.push_back(json::object{{"resource", below}, {"action", row.action}});
        }
    }
    co_return json_response(listed);
}

Task<Response> UsersApi::read(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto account, co_await users_.find(id, call.caller));
    co_return json_response(as_json(account));
}

Task<Response> UsersApi::update(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto before, co_await users_.find(id, call.caller));
    CO_TRY(auto profile, profile_of(body, before));
    CO_TRY(auto disabled, body.optional_boolean("disabled"));
    if (disabled == before.disabled) disabled.reset();
    CO_CHECK(co_await users_.change(id, std::move(profile), disabled, call.caller));
    CO_TRY(const auto after, co_await users_.find(id, call.caller));
    note_change(call, before, after);
    co_return Response{};
}

Task<Response> UsersApi::remove(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto before, co_await users_.remove(id, call.caller));
    note(call, before);
    call.audit->before = json::serialize(as_json(before));
    co_return Response{};
}

Task<Response> UsersApi::set_admin(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto flag, body.optional_boolean("sysadmin_flag"));
    if (!flag) co_return fail(Errc::bad_request, "\"sysadmin_flag\" is missing");
    CO_CHECK(co_await users_.set_admin(id, *flag, call.caller));
    call.audit->resource_type = "user";
    call.audit->resource = std::to_string(id);
    call.audit->after = json::serialize(json::object{{"user_id", id}, {"sysadmin_flag", *flag}});
    co_return Response{};
}

Task<Response> UsersApi::set_password(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    Users::PasswordChange change;
    CO_TRY(auto old_password, body.optional_text("old_password"));
    change.old_password = std::move(old_password).value_or("");
    CO_TRY(change.new_password, body.text("new_password"));
    change.client = call.request.origin().client;
    CO_CHECK(co_await users_.set_password(id, std::move(change), call.caller));
    note_secret(call, id, "password");
    co_return Response{};
}

Task<Response> UsersApi::set_cli_secret(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto secret, body.text("secret"));
    CO_CHECK(co_await users_.set_cli_secret(id, std::move(secret), call.caller));
    note_secret(call, id, "cli secret");
    co_return Response{};
}

}  // namespace entrepot

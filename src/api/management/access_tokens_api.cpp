#include "api/management/access_tokens_api.hpp"

#include "api/management/permission_json.hpp"
#include "api/management/short_list.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr Micros second = 1'000'000;
constexpr Micros day = 24 * 3600 * second;
constexpr std::int64_t default_days = 30;
constexpr std::int64_t most_days = 36'500;
constexpr std::int64_t never = -1;

json::object as_json(const AccessToken& token)
{
    json::object object{
        {"id", token.id},
        {"name", token.name},
        {"creation_time", rfc3339(token.created_at)},
        {"expires_at", token.expires_at == 0 ? never : token.expires_at / second},
    };
    if (token.last_used_at != 0) object["last_used_time"] = rfc3339(token.last_used_at);
    if (!token.scopes) return object;
    json::array scopes;
    for (const auto& scope : *token.scopes) {
        scopes.push_back(json::object{
            {"kind", name_of(scope.limit.kind)},
            {"namespace", scope.name},
            {"access", access_json(scope.limit.permissions)},
        });
    }
    object["scopes"] = std::move(scopes);
    return object;
}

void note(const ApiCall& call, const AccessToken& token)
{
    call.audit->resource_type = "access-token";
    call.audit->resource = token.name;
}

// Harbor's robots call the platform "system", and its namespace "/".
Result<AccessTokens::Scope> scope_of(const JsonBody& body)
{
    AccessTokens::Scope scope;
    TRY(const auto kind, body.text("kind"));
    const auto known = kind == "system" ? std::optional{ObjectKind::platform} : object_kind_named(kind);
    const bool taken = known == ObjectKind::platform || known == ObjectKind::tenant || known == ObjectKind::project;
    if (!taken) return fail(Errc::bad_request, "a scope's \"kind\" is platform, tenant or project");
    scope.kind = *known;
    TRY(const auto name, body.optional_text("namespace"));
    const bool platform = scope.kind == ObjectKind::platform;
    if (!platform && !name) return fail(Errc::bad_request, "\"namespace\" is missing: a name, or * for all");
    scope.name = platform && name.value_or("/") == "/" ? "*" : *name;
    TRY(const auto access, body.objects("access"));
    for (const auto& entry : access) {
        TRY(auto resource, entry.text("resource"));
        TRY(auto action, entry.text("action"));
        TRY(const auto effect, entry.optional_text("effect"));
        if (effect.value_or("allow") != "allow") return fail(Errc::bad_request, "a scope only allows");
        scope.permissions.emplace_back(std::move(resource), std::move(action));
    }
    return scope;
}

Result<std::int64_t> owner_of(const ApiCall& call)
{
    const auto& text = call.path.at(0);
    if (text == "current") return call.identity().user_id;
    return parse_id(text);
}

}  // namespace

void AccessTokensApi::add_to(ApiRouter& router)
{
    router.get("users/{user_id}/tokens", [this](ApiCall call) { return list(std::move(call)); });
    router.post("users/{user_id}/tokens", [this](ApiCall call) { return make(std::move(call)); });
    router.del("users/{user_id}/tokens/{token_id}", [this](ApiCall call) { return remove(std::move(call)); });
}

// There are 100 at most: the page is cut here.
Task<Response> AccessTokensApi::list(ApiCall call)
{
    CO_TRY(const auto query, short_list_query_of(call.query));
    CO_TRY(const auto owner, owner_of(call));
    CO_TRY(const auto tokens, co_await tokens_.of_user(owner, call.caller));
    co_return short_list_response(call.request, tokens, query, as_json);
}

Task<Response> AccessTokensApi::make(ApiCall call)
{
    CO_TRY(const auto owner, owner_of(call));
    if (owner != call.identity().user_id) co_return fail(Errc::denied, "everybody makes their own tokens");
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    AccessTokens::Wanted wanted;
    CO_TRY(wanted.name, body.text("name"));
    CO_TRY(wanted.expires_at, expiry_of(body));
    if (body.has("scopes")) {
        CO_TRY(const auto scopes, body.objects("scopes"));
        wanted.scopes.emplace();
        for (const auto& entry : scopes) {
            CO_TRY(auto scope, scope_of(entry));
            wanted.scopes->push_back(std::move(scope));
        }
    }
    CO_TRY(const auto made, co_await tokens_.make(std::move(wanted), call.caller));
    note(call, made.token);
    auto object = as_json(made.token);
    call.audit->after = json::serialize(object);
    object["token"] = made.text;
    auto response = json_response(object, 201);
    response.add("Cache-Control", "no-store");
    response.add("Location", "/api/v2.0/users/" + std::to_string(owner) + "/tokens/" + std::to_string(made.token.id));
    co_return response;
}

// "expires_at" in seconds since 1970, else "duration_days"; -1 is never.
Result<Micros> AccessTokensApi::expiry_of(const JsonBody& body) const
{
    TRY(const auto at, body.optional_integer("expires_at"));
    TRY(const auto days, body.optional_integer("duration_days"));
    if (at && days) return fail(Errc::bad_request, "give \"expires_at\" or \"duration_days\", not both");
    if (at.value_or(0) == never || days.value_or(0) == never) return Micros{0};
    const auto now = clock_.now();
    if (at) {
        if (*at <= now / second || *at > (now + most_days * day) / second) {
            return fail(Errc::bad_request, "\"expires_at\" has passed or is too far away");
        }
        return *at * second;
    }
    const auto count = days.value_or(default_days);
    if (count < 1 || count > most_days) return fail(Errc::bad_request, "\"duration_days\" is 1 to 36500, or -1");
    return now + count * day;
}

Task<Response> AccessTokensApi::remove(ApiCall call)
{
    CO_TRY(const auto owner, owner_of(call));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto token, co_await tokens_.remove(owner, id, call.caller));
    note(call, token);
    call.audit->before = json::serialize(as_json(token));
    co_return Response{};
}

}  // namespace entrepot

#include "tenancy/access_tokens.hpp"

#include "access/require.hpp"
#include "access/token_text.hpp"
#include "core/utf8.hpp"
#include "tenancy/users.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

const Permission read_users = need(ObjectKind::platform, "user", "read");
const Permission update_users = need(ObjectKind::platform, "user", "update");
const Permission read_tenants = need(ObjectKind::tenant, "tenant", "read");
constexpr ObjectRef platform{.kind = ObjectKind::platform, .id = 0, .name = {}};

constexpr std::size_t longest_name = 255;
constexpr std::size_t most_scopes = 100;
constexpr std::int64_t most_tokens = 100;
constexpr Micros kept_after_expiry = Micros{30} * 24 * 3600 * 1'000'000;

bool owns(const Caller& caller, std::int64_t user_id) noexcept
{
    return !caller.identity->anonymous() && caller.identity->user_id == user_id;
}

// Every permission of that resource and action on an object of the kind or below it; empty when there is none.
PermissionSet permissions_named(ObjectKind kind, std::string_view resource, std::string_view action)
{
    static constexpr std::array kinds{ObjectKind::platform, ObjectKind::tenant, ObjectKind::project};
    PermissionSet set;
    for (const auto below : kinds) {
        const auto permission = find_permission(below, resource, action);
        if (permission && permissions_within(kind).has(*permission)) set.add(*permission);
    }
    return set;
}

}  // namespace

Task<AccessTokens::Made> AccessTokens::make(Wanted wanted, Caller caller)
{
    CO_CHECK(require_person(caller));
    if (wanted.name.empty() || wanted.name.size() > longest_name || !is_plain_text(wanted.name)) {
        co_return fail(Errc::bad_request, "a token's name has 1 to 255 bytes and no control characters");
    }
    const auto now = parts_.clock.now();
    if (wanted.expires_at != 0 && wanted.expires_at <= now) co_return fail(Errc::bad_request, "the expiry has passed");
    Made made;
    if (wanted.scopes) {
        const auto count = wanted.scopes->size();
        if (count == 0) co_return fail(Errc::bad_request, "no scopes allow nothing: leave them out to allow all");
        if (count > most_scopes) co_return fail(Errc::bad_request, "a token has 100 scopes at most");
        made.token.scopes.emplace();
        for (const auto& scope : *wanted.scopes) {
            CO_TRY(auto resolved, resolve(scope, caller));
            made.token.scopes->push_back(std::move(resolved));
        }
    }
    made.text = make_access_token(parts_.random);
    made.token.hash = secret_hash(made.text);
    made.token.user_id = caller.identity->user_id;
    made.token.name = std::move(wanted.name);
    made.token.created_at = now;
    made.token.expires_at = wanted.expires_at;
    CO_TRY(made.token, co_await parts_.catalog.add(std::move(made.token), most_tokens));
    CO_CHECK(co_await parts_.directory.catch_up());
    co_return made;
}

Result<AccessTokenScope> AccessTokens::resolve(const Scope& scope, const Caller& caller) const
{
    AccessTokenScope resolved;
    resolved.name = scope.name;
    resolved.limit.kind = scope.kind;
    CHECK(resolve_name(scope, caller, resolved.limit));
    if (scope.permissions.empty()) return fail(Errc::bad_request, "a scope without \"access\" allows nothing");
    for (const auto& [resource, action] : scope.permissions) {
        const auto permissions = permissions_named(scope.kind, resource, action);
        if (permissions.empty()) {
            return fail(
                Errc::bad_request,
                "there is no permission " + resource + ":" + action + " on a " + std::string{name_of(scope.kind)}
            );
        }
        resolved.limit.permissions |= permissions;
    }
    return resolved;
}

// Only what the caller sees can be named: another answer would tell that it exists.
Result<> AccessTokens::resolve_name(const Scope& scope, const Caller& caller, AccessLimit::Entry& into) const
{
    if (scope.name == "*") return {};
    if (scope.kind == ObjectKind::project) {
        TRY(const auto project, require_project(parts_.policy, caller, parts_.policy.project(scope.name)));
        into.id = project->id;
        return {};
    }
    if (scope.kind == ObjectKind::tenant) {
        const auto tenant = parts_.policy.tenant(scope.name);
        const bool seen =
            tenant &&
            parts_.policy.may(caller, read_tenants, {.kind = ObjectKind::tenant, .id = tenant->id, .name = {}});
        if (!seen) return fail(Errc::not_found, "there is no such tenant");
        into.id = tenant->id;
        return {};
    }
    return fail(Errc::bad_request, "the namespace of the platform is \"*\"");
}

Task<std::vector<AccessToken>> AccessTokens::of_user(std::int64_t user_id, Caller caller)
{
    if (!owns(caller, user_id) || caller.limit) {
        CO_CHECK(require(parts_.policy, caller, read_users, platform));
        CO_CHECK(co_await parts_.accounts.find_by_id(user_id));
    }
    co_return co_await parts_.catalog.of_user(user_id);
}

Task<AccessToken> AccessTokens::remove(std::int64_t user_id, std::int64_t id, Caller caller)
{
    if (owns(caller, user_id)) {
        CO_CHECK(require_person(caller));
    } else {
        CO_CHECK(require(parts_.policy, caller, update_users, platform));
    }
    CO_TRY(auto token, co_await parts_.catalog.find_by_id(id));
    if (token.user_id != user_id) co_return fail(Errc::not_found, "no such access token");
    CO_CHECK(co_await parts_.catalog.remove(user_id, id, {caller.identity->user_id, parts_.clock.now()}));
    CO_CHECK(co_await parts_.directory.catch_up());
    co_return token;
}

Task<> AccessTokens::remove_expired()
{
    CO_CHECK(co_await parts_.catalog.remove_expired(parts_.clock.now() - kept_after_expiry));
    co_return co_await parts_.directory.catch_up();
}

}  // namespace entrepot

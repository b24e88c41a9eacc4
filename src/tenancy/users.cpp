#include "tenancy/users.hpp"

#include "access/may_grant.hpp"
#include "access/require.hpp"
#include "access/role.hpp"
#include "core/utf8.hpp"

namespace entrepot {
namespace {

const Permission list_users = need(ObjectKind::platform, "user", "list");
const Permission read_users = need(ObjectKind::platform, "user", "read");
const Permission create_users = need(ObjectKind::platform, "user", "create");
const Permission update_users = need(ObjectKind::platform, "user", "update");
const Permission delete_users = need(ObjectKind::platform, "user", "delete");
const Permission create_members = need(ObjectKind::tenant, "member", "create");
constexpr ObjectRef platform{.kind = ObjectKind::platform, .id = 0, .name = {}};

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_email = 255;
constexpr std::size_t longest_text = 255;

// Harbor's rule: ,"~#$% and ':' (which ends the name in Basic credentials) are in no name; robots' names hold '$'.
Result<> check_name(std::string_view name)
{
    if (name.empty() || name.size() > longest_name || !is_plain_text(name)) {
        return fail(Errc::bad_request, "a user name has 1 to 255 bytes and no control characters");
    }
    if (name.find_first_of(",\"~#$%:/ ") != std::string_view::npos) {
        return fail(Errc::bad_request, R"(a user name holds none of , " ~ # $ % : / and no space)");
    }
    return {};
}

Result<> check_profile(const UserProfile& profile)
{
    const auto at = profile.email.find('@');
    const bool has_email = !profile.email.empty();
    const bool shaped = at != std::string::npos && at > 0 && at + 1 < profile.email.size() &&
                        profile.email.find('@', at + 1) == std::string::npos &&
                        profile.email.find_first_of(" <>,;\"") == std::string::npos;
    if (has_email && (!shaped || profile.email.size() > longest_email)) {
        return fail(Errc::bad_request, "the email is not an address");
    }
    if (profile.realname.size() > longest_text)
        return fail(Errc::bad_request, "the real name is longer than 255 bytes");
    if (profile.comment.size() > longest_text) return fail(Errc::bad_request, "the comment is longer than 255 bytes");
    for (const auto* text : {&profile.email, &profile.realname, &profile.comment}) {
        if (!is_plain_text(*text)) return fail(Errc::bad_request, "a profile has no control characters");
    }
    return {};
}

bool is_self(const Caller& caller, std::int64_t id) noexcept
{
    return !caller.identity->anonymous() && caller.identity->user_id == id;
}

}  // namespace

Result<> require_person(const Caller& caller)
{
    if (caller.identity->anonymous()) return fail(Errc::unauthorized, "authentication required");
    if (caller.identity->kind != PrincipalKind::user) return fail(Errc::denied, "this is for people alone");
    if (caller.access_token_id != 0 || caller.limit) {
        return fail(Errc::denied, "a personal access token can't do this: log in with your password");
    }
    return {};
}

Task<ListPage<Account>> Users::list(ListQuery query, Caller caller)
{
    CO_CHECK(require(parts_.policy, caller, list_users, platform));
    co_return co_await parts_.people.list(std::move(query));
}

Task<ListPage<Account>> Users::search(std::string part, std::int64_t offset, std::int64_t limit, Caller caller)
{
    const bool all = parts_.policy.may(caller, list_users, platform);
    if (!all && caller.limit) co_return fail(Errc::denied, "the access token's scopes don't include this");
    const auto seen_by = all ? PeopleCatalog::everybody : caller.identity->user_id;
    co_return co_await parts_.people.search(std::move(part), seen_by, offset, limit);
}

Task<Account> Users::find(std::int64_t id, Caller caller)
{
    if (!is_self(caller, id)) CO_CHECK(require(parts_.policy, caller, read_users, platform));
    co_return co_await person(id);
}

Task<Account> Users::current(Caller caller)
{
    if (caller.identity->kind != PrincipalKind::user) {
        co_return fail(Errc::precondition_failed, "the caller is no person");
    }
    co_return co_await person(caller.identity->user_id);
}

// Robots and workloads have an id of the same space, and verbs of their own.
Task<Account> Users::person(std::int64_t id)
{
    CO_TRY(auto account, co_await parts_.accounts.find_by_id(id));
    if (account.kind != PrincipalKind::user) co_return fail(Errc::not_found, "no such user");
    co_return account;
}

Task<Account> Users::create(NewUser user, Caller caller)
{
    const bool stranger = caller.identity->anonymous() && open_to_strangers();
    if (!stranger) CO_CHECK(require(parts_.policy, caller, create_users, platform));
    if (stranger) user.tenant_id = AccountCatalog::default_tenant;
    if (!stranger) CO_CHECK(co_await check_may_let_in(caller, user.tenant_id));
    co_return co_await make(std::move(user), actor(caller));
}

// Whoever becomes a member of a tenant has what its team of all members has.
Task<> Users::check_may_let_in(Caller caller, std::int64_t tenant_id)
{
    if (tenant_id != AccountCatalog::default_tenant) {
        CO_CHECK(
            require(parts_.policy, caller, create_members, {.kind = ObjectKind::tenant, .id = tenant_id, .name = {}})
        );
    }
    CO_TRY(const auto everyone, co_await parts_.teams.implicit(tenant_id));
    co_return co_await parts_.granting.expect_holds_all_of(caller, SubjectType::team, everyone.id);
}

Task<std::int64_t> Users::make_member(Caller caller, std::int64_t tenant_id, NewTenantUser user)
{
    NewUser wanted;
    wanted.name = std::move(user.name);
    wanted.password = std::move(user.password);
    wanted.profile.email = std::move(user.email);
    wanted.profile.realname = std::move(user.realname);
    wanted.tenant_id = tenant_id;
    CO_TRY(const auto made, co_await make(std::move(wanted), actor(caller)));
    co_return made.id;
}

Task<Account> Users::make(NewUser user, Actor actor)
{
    CO_CHECK(check_name(user.name));
    CO_CHECK(check_profile(user.profile));
    Account account;
    CO_TRY(account.password_hash, co_await parts_.hasher.hash(std::move(user.password)));
    account.name = std::move(user.name);
    account.email = std::move(user.profile.email);
    account.realname = std::move(user.profile.realname);
    account.comment = std::move(user.profile.comment);
    account.credential_version = 1;
    account.created_at = parts_.clock.now();
    CO_TRY(auto created, co_await parts_.accounts.create_in(user.tenant_id, std::move(account), actor));
    CO_CHECK(co_await parts_.directory.catch_up());
    co_return created;
}

Task<> Users::change(std::int64_t id, UserProfile profile, std::optional<bool> disabled, Caller caller)
{
    const bool self = is_self(caller, id);
    if (self) {
        CO_CHECK(require_person(caller));
    } else {
        CO_CHECK(check_may_change(caller));
    }
    CO_CHECK(check_profile(profile));
    if (disabled) {
        CO_CHECK(check_may_change(caller));
        if (self) co_return fail(Errc::denied, "nobody disables themselves");
        CO_TRY(const auto account, co_await person(id));
        if (account.is_admin) CO_CHECK(check_all_rights(caller));
    }
    CO_CHECK(co_await parts_.people.set_profile(id, std::move(profile), disabled, actor(caller)));
    co_return co_await parts_.directory.catch_up();
}

Task<> Users::set_admin(std::int64_t id, bool admin, Caller caller)
{
    CO_CHECK(check_may_change(caller));
    CO_CHECK(check_all_rights(caller));
    CO_CHECK(co_await parts_.people.set_admin(id, admin, actor(caller)));
    co_return co_await parts_.directory.catch_up();
}

Task<Account> Users::remove(std::int64_t id, Caller caller)
{
    CO_CHECK(require(parts_.policy, caller, delete_users, platform));
    if (is_self(caller, id)) co_return fail(Errc::denied, "nobody deletes themselves");
    CO_TRY(auto account, co_await person(id));
    if (account.is_admin) CO_CHECK(check_all_rights(caller));
    CO_CHECK(co_await parts_.people.remove(id, actor(caller)));
    CO_CHECK(co_await parts_.directory.catch_up());
    co_return account;
}

Task<> Users::set_password(std::int64_t id, PasswordChange change, Caller caller)
{
    const bool self = is_self(caller, id);
    if (self) {
        CO_CHECK(require_person(caller));
        const auto right = co_await parts_.hasher.check(
            caller.identity->name, std::move(change.old_password), std::move(change.client)
        );
        if (!right && right.error().code() == Errc::unauthorized) {
            co_return fail(Errc::denied, "the old password is not correct");
        }
        CO_CHECK(right);
    } else {
        CO_CHECK(check_may_change(caller));
        CO_CHECK(check_all_rights(caller));
        CO_CHECK(co_await person(id));
    }
    CO_TRY(auto hash, co_await parts_.hasher.hash(std::move(change.new_password)));
    CO_CHECK(co_await parts_.accounts.set_password(id, std::move(hash), actor(caller)));
    co_return co_await parts_.directory.catch_up();
}

Task<> Users::set_cli_secret(std::int64_t id, std::string secret, Caller caller)
{
    if (is_self(caller, id)) {
        CO_CHECK(require_person(caller));
    } else {
        CO_CHECK(check_may_change(caller));
        CO_CHECK(check_all_rights(caller));
        CO_CHECK(co_await person(id));
    }
    CO_TRY(auto hash, co_await parts_.hasher.hash(std::move(secret)));
    CO_CHECK(co_await parts_.accounts.set_cli_secret(id, std::move(hash), actor(caller)));
    co_return co_await parts_.directory.catch_up();
}

Task<bool> Users::has_name(std::string name, Caller caller)
{
    CO_CHECK(check_may_ask(caller));
    co_return co_await parts_.people.has_name(std::move(name));
}

Task<bool> Users::has_email(std::string email, Caller caller)
{
    CO_CHECK(check_may_ask(caller));
    co_return co_await parts_.people.has_email(std::move(email));
}

Result<> Users::check_may_ask(const Caller& caller) const
{
    if (open_to_strangers()) return {};
    return require(parts_.policy, caller, list_users, platform);
}

Result<> Users::check_may_change(const Caller& caller) const
{
    return require(parts_.policy, caller, update_users, platform);
}

Result<> Users::check_all_rights(const Caller& caller) const
{
    if (may_grant(parts_.policy, caller, role::platform_admin, platform)) return {};
    return fail(Errc::denied, "only somebody who holds every right on the platform may do this");
}

}  // namespace entrepot

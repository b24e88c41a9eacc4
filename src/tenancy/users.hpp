#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/password_hasher.hpp"
#include "ports/people_catalog.hpp"
#include "ports/tenant_catalog.hpp"
#include "tenancy/access_directory.hpp"
#include "tenancy/granting.hpp"
#include "tenancy/tenant_user_maker.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// People as they manage themselves and as others manage them. Whoever lacks a permission gets the same answer for
// users that exist and users that don't. What a personal access token or a robot may never do: change secrets, tokens,
// profiles of its owner. Nobody becomes more than who changes them: secrets, rights and the removal of a platform admin
// need everything that a platform admin may. Changes count before they are acknowledged.
class Users final : public TenantUserMaker {
public:
    struct Parts {
        AccountCatalog& accounts;
        PeopleCatalog& people;
        PasswordHasher& hasher;
        TeamCatalog& teams;
        Granting granting;
        const AccessPolicy& policy;
        AccessDirectory& directory;
        const Clock& clock;
        std::function<bool()> self_registration;  // whether strangers may make themselves users; from any thread
    };
    explicit Users(Parts parts) : parts_{std::move(parts)} {}

    Task<ListPage<Account>> list(ListQuery query, Caller caller);  // user:list
    // Names that contain `part`: of those who share a tenant with the caller, or with user:list of everybody. A token
    // with scopes needs user:list among them.
    Task<ListPage<Account>> search(std::string part, std::int64_t offset, std::int64_t limit, Caller caller);
    Task<Account> find(std::int64_t id, Caller caller);  // oneself, or user:read
    Task<Account> current(Caller caller);                // precondition_failed for who is no person

    struct NewUser {
        std::string name;
        std::string password;
        UserProfile profile;
        std::int64_t tenant_id = AccountCatalog::default_tenant;  // strangers: of this one only
    };
    // user:create, or anonymous while self-registration is on. Into another tenant than the default one also what
    // letting a member in takes there. bad_request, conflict.
    Task<Account> create(NewUser user, Caller caller);
    // A tenant's admin may make members of that tenant; that they may has been checked.
    Task<std::int64_t> make_member(Caller caller, std::int64_t tenant_id, NewTenantUser user) override;
    // Oneself, or user:update; `disabled`: user:update, not oneself. All of it or nothing.
    Task<> change(std::int64_t id, UserProfile profile, std::optional<bool> disabled, Caller caller);
    Task<> set_admin(std::int64_t id, bool admin, Caller caller);
    Task<Account> remove(std::int64_t id, Caller caller);  // user:delete, not oneself; answers who it was

    // `old_password` counts for oneself alone, and `client` is the address that wrong ones are counted for.
    struct PasswordChange {
        std::string old_password;
        std::string new_password;
        std::string client;
    };
    Task<> set_password(std::int64_t id, PasswordChange change, Caller caller);
    Task<> set_cli_secret(std::int64_t id, std::string secret, Caller caller);

    // What log-in pages ask: whether a name or an email is taken. Only for those who could find out anyway: with
    // user:list, or while self-registration is on.
    Task<bool> has_name(std::string name, Caller caller);
    Task<bool> has_email(std::string email, Caller caller);

private:
    bool open_to_strangers() const { return parts_.self_registration && parts_.self_registration(); }
    Result<> check_may_ask(const Caller& caller) const;
    Result<> check_may_change(const Caller& caller) const;
    Result<> check_all_rights(const Caller& caller) const;
    Task<> check_may_let_in(Caller caller, std::int64_t tenant_id);
    Task<Account> make(NewUser user, Actor actor);
    Task<Account> person(std::int64_t id);
    Actor actor(const Caller& caller) const { return {.user_id = caller.identity->user_id, .at = parts_.clock.now()}; }

    Parts parts_;
};

// A session, password or CLI secret of a person: what may change their own secrets. denied for robots and for personal
// access tokens, which could make themselves wider or longer-lived otherwise.
Result<> require_person(const Caller& caller);

}  // namespace entrepot

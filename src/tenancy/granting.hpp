#pragma once

#include "access/policy.hpp"
#include "access/require.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/grant_catalog.hpp"
#include "tenancy/access_directory.hpp"

#include <string>
#include <vector>

namespace entrepot {

// By id, or by name where that is 0.
struct SubjectRef {
    SubjectType type = SubjectType::user;
    std::int64_t id = 0;
    std::string name;
};
struct RoleRef {
    std::int64_t id = 0;
    std::string name;
};

// What every verb that gives rights away does alike. Nobody gives what they do not hold, and nobody gives anything to
// somebody whom they can't see.
class Granting {
public:
    Granting(
        GrantCatalog& grants,
        RoleCatalog& roles,
        const AccessPolicy& policy,
        AccessDirectory& directory,
        const Clock& clock
    )
        : grants_{grants}, roles_{roles}, policy_{policy}, directory_{directory}, clock_{clock}
    {
    }

    // A subject that the caller may know of: not_found for the others. `tenant_id` says whose teams are named.
    Task<GrantSubject> subject(Caller caller, SubjectRef wanted, std::int64_t tenant_id);
    Task<GrantSubject> any_subject(SubjectRef wanted, std::int64_t tenant_id);  // not_found
    Task<Role> role(RoleRef wanted);                                            // not_found, bad_request

    // Success when the caller holds on the object all that the role gives there; denied, or bad_request for a role that
    // gives nothing there.
    Result<> expect_holds(const Caller& caller, const Role& role, const ObjectRef& object) const;
    // The same for everything that a team or group holds: who joins it gets all of it.
    Task<> expect_holds_all_of(Caller caller, SubjectType type, std::int64_t subject_id);

    // Stores the grant, whose right to be given has been established, and lets the policy know.
    Task<Grant> give(Caller caller, GrantSubject subject, NewGrant grant);
    Task<> take(Caller caller, std::int64_t grant_id);
    Task<Grant> set_role(Caller caller, std::int64_t grant_id, std::int64_t role_id);

    GrantCatalog& grants() noexcept { return grants_; }
    RoleCatalog& roles() noexcept { return roles_; }
    const AccessPolicy& policy() const noexcept { return policy_; }
    AccessDirectory& directory() noexcept { return directory_; }
    Micros now() const noexcept { return clock_.now(); }
    Actor actor(const Caller& caller) const { return {.user_id = caller.identity->user_id, .at = clock_.now()}; }
    // The tenant that an object belongs to; 0 for the platform.
    std::int64_t tenant_of(const ObjectRef& object) const;

private:
    bool may_know(const Caller& caller, const GrantSubject& subject) const;

    GrantCatalog& grants_;
    RoleCatalog& roles_;
    const AccessPolicy& policy_;
    AccessDirectory& directory_;
    const Clock& clock_;
};

// Where the right to give rights on a kind of object is held: the platform, the object's tenant or its project.
ObjectRef administered_at(ObjectKind kind, std::int64_t object_id) noexcept;

}  // namespace entrepot

#pragma once

#include "ports/tenant_catalog.hpp"
#include "tenancy/granting.hpp"
#include "tenancy/tenant_user_maker.hpp"
#include "tenancy/tenants.hpp"

namespace entrepot {

// Who belongs to a tenant. What all its members get they get by joining, so nobody lets others in who has not got it.
class TenantMembers {
public:
    TenantMembers(TenantCatalog& catalog, TeamCatalog& teams, TenantUserMaker& maker, Granting& granting)
        : catalog_{catalog}, teams_{teams}, maker_{maker}, granting_{granting}
    {
    }

    Task<ListPage<TenantMember>> list(Caller caller, std::int64_t tenant_id, ListQuery query);
    Task<TenantMember> find(Caller caller, std::int64_t tenant_id, std::int64_t user_id);
    // With a role on the tenant where `role` names one. not_found (user, role), denied, conflict.
    Task<TenantMember> add(Caller caller, std::int64_t tenant_id, SubjectRef user, RoleRef role);
    Task<TenantMember> create(Caller caller, std::int64_t tenant_id, NewTenantUser user, RoleRef role);
    // Also from its teams, with all that was granted to the user in the tenant. What it was; not_found, denied.
    Task<TenantMember> remove(Caller caller, std::int64_t tenant_id, std::int64_t user_id);

private:
    Task<std::int64_t> role_to_give(Caller caller, std::int64_t tenant_id, RoleRef wanted);

    TenantCatalog& catalog_;
    TeamCatalog& teams_;
    TenantUserMaker& maker_;
    Granting& granting_;
};

}  // namespace entrepot

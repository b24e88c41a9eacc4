#pragma once

#include "ports/metadata_store.hpp"
#include "tenancy/explain_access.hpp"
#include "tenancy/grants.hpp"
#include "tenancy/project_members.hpp"
#include "tenancy/roles.hpp"
#include "tenancy/teams.hpp"
#include "tenancy/tenant_members.hpp"
#include "tenancy/tenants.hpp"
#include "tenancy/user_groups.hpp"

namespace entrepot {

// The verbs of tenants, teams, grants, roles and groups, which all give rights away by the same rules. What they are
// made from outlives them.
struct TenancyVerbs {
    TenancyVerbs(
        MetadataStore& store,
        const AccessPolicy& policy,
        AccessDirectory& directory,
        TenantUserMaker& maker,
        const Clock& clock
    )
        : roles_kept{store.roles()},
          granting{store.grants(), store.roles(), policy, directory, clock},
          tenants{store.tenants(), granting},
          tenant_members{store.tenants(), store.teams(), maker, granting},
          teams{store.teams(), granting},
          grants{granting},
          project_members{granting, store.groups()},
          user_groups{store.groups(), granting},
          roles{granting},
          explain{granting}
    {
    }

    RoleCatalog& roles_kept;
    Granting granting;
    Tenants tenants;
    TenantMembers tenant_members;
    Teams teams;
    Grants grants;
    ProjectMembers project_members;
    UserGroups user_groups;
    Roles roles;
    ExplainAccess explain;
};

}  // namespace entrepot

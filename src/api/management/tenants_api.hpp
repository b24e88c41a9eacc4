#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "tenancy/tenant_members.hpp"
#include "tenancy/tenants.hpp"

namespace entrepot {

// /tenants, /tenants/{}/quota and /tenants/{}/members: our own resources in Harbor's style.
class TenantsApi {
public:
    TenantsApi(Tenants& tenants, TenantMembers& members, RoleCatalog& roles, const AccessPolicy& policy)
        : tenants_{tenants}, members_{members}, roles_{roles}, policy_{policy}
    {
    }

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> one(ApiCall call);
    Task<Response> change(ApiCall call);
    Task<Response> remove(ApiCall call);
    Task<Response> quota(ApiCall call);
    Task<Response> allocate(ApiCall call);
    Task<Response> list_members(ApiCall call);
    Task<Response> add_member(ApiCall call);
    Task<Response> one_member(ApiCall call);
    Task<Response> remove_member(ApiCall call);

    Tenants& tenants_;
    TenantMembers& members_;
    RoleCatalog& roles_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

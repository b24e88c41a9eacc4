#pragma once

#include "ports/tenant_catalog.hpp"
#include "tenancy/granting.hpp"

#include <string>
#include <vector>

namespace entrepot {

struct TenantWish {
    std::string name;
    std::string display_name;
    std::string description;
    std::int64_t quota_bytes = -1;
    std::int64_t quota_artifacts = -1;
    bool with_templates = false;      // also the teams of team_templates()
    std::vector<std::string> admins;  // users who become its admins
};

// Tenants as platform admins make them and as their admins see them. A tenant that the caller may not read is not
// found. Freezing, protection and quota are the platform's business, since a tenant's admin could undo them else.
class Tenants {
public:
    Tenants(TenantCatalog& catalog, Granting& granting) : catalog_{catalog}, granting_{granting} {}

    Task<ListPage<Tenant>> list(Caller caller, ListQuery query);  // bad_request
    Task<Tenant> find(Caller caller, std::int64_t id);            // not_found
    Task<Tenant> create(Caller caller, TenantWish wish);          // denied, conflict, bad_request, not_found (an admin)
    struct Changed {
        Tenant before;
        Tenant after;
    };
    Task<Changed> change(Caller caller, std::int64_t id, TenantChange change);  // not_found, denied, bad_request
    Task<Tenant> remove(Caller caller, std::int64_t id);  // what it was; not_found, denied, precondition_failed

    Task<TenantQuota> quota(Caller caller, std::int64_t id);  // not_found, denied
    // What was allocated before. bad_request below -1; unprocessable when its projects have been given more.
    Task<TenantQuota> allocate(Caller caller, std::int64_t id, std::int64_t bytes, std::int64_t artifacts);

private:
    TenantCatalog& catalog_;
    Granting& granting_;
};

inline ObjectRef tenant_ref(std::int64_t id) noexcept
{
    return {.kind = ObjectKind::tenant, .id = id, .name = {}};
}

}  // namespace entrepot

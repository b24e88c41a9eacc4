#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "tenancy/teams.hpp"

namespace entrepot {

// /tenants/{}/teams and their members.
class TeamsApi {
public:
    TeamsApi(Teams& teams, const AccessPolicy& policy) : teams_{teams}, policy_{policy} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> one(ApiCall call);
    Task<Response> change(ApiCall call);
    Task<Response> remove(ApiCall call);
    Task<Response> list_members(ApiCall call);
    Task<Response> add_member(ApiCall call);
    Task<Response> remove_member(ApiCall call);

    Teams& teams_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

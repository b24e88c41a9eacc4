#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "tenancy/explain_access.hpp"
#include "tenancy/grants.hpp"

namespace entrepot {

// /grants, /object-kinds and /permissions/explain.
class GrantsApi {
public:
    GrantsApi(Grants& grants, ExplainAccess& explain, const AccessPolicy& policy)
        : grants_{grants}, explain_{explain}, policy_{policy}
    {
    }

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> one(ApiCall call);
    Task<Response> remove(ApiCall call);
    Task<Response> explain(ApiCall call);
    Task<Response> kinds(ApiCall call);

    Grants& grants_;
    ExplainAccess& explain_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "tenancy/project_members.hpp"

namespace entrepot {

// /projects/{}/members in Harbor's shapes.
class MembersApi {
public:
    MembersApi(ProjectMembers& members, const AccessPolicy& policy) : members_{members}, policy_{policy} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> one(ApiCall call);
    Task<Response> change(ApiCall call);
    Task<Response> remove(ApiCall call);

    ProjectMembers& members_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

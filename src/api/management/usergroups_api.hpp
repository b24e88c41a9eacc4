#pragma once

#include "api/management/api_router.hpp"
#include "tenancy/user_groups.hpp"

namespace entrepot {

// /usergroups in Harbor's shapes.
class UsergroupsApi {
public:
    explicit UsergroupsApi(UserGroups& groups) : groups_{groups} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> search(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> one(ApiCall call);
    Task<Response> change(ApiCall call);
    Task<Response> remove(ApiCall call);

    UserGroups& groups_;
};

}  // namespace entrepot

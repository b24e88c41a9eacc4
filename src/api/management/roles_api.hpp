#pragma once

#include "api/management/api_router.hpp"
#include "tenancy/roles.hpp"

namespace entrepot {

// /roles: permissions are written "kind:resource:action".
class RolesApi {
public:
    explicit RolesApi(Roles& roles) : roles_{roles} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> one(ApiCall call);
    Task<Response> change(ApiCall call);
    Task<Response> remove(ApiCall call);

    Roles& roles_;
};

}  // namespace entrepot

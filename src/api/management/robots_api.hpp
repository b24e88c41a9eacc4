#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "tenancy/robots.hpp"

namespace entrepot {

// /robots, and /permissions: what robots can be given (Harbor API v2.0, Robot and RobotCreate), with tenants as a
// level of their own.
class RobotsApi {
public:
    RobotsApi(Robots& robots, const AccessPolicy& policy) : robots_{robots}, policy_{policy} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> one(ApiCall call);
    Task<Response> change(ApiCall call);
    Task<Response> rotate(ApiCall call);
    Task<Response> remove(ApiCall call);
    Task<Response> permissions(ApiCall call);

    void note(const ApiCall& call, const Robot& robot) const;

    Robots& robots_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

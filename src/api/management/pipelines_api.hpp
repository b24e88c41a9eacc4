#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "registry/pipelines.hpp"

namespace entrepot {

// Chains of projects, and where an artifact is in them.
class PipelinesApi {
public:
    PipelinesApi(Pipelines& pipelines, const AccessPolicy& policy) : pipelines_{pipelines}, policy_{policy} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> pipeline(ApiCall call);
    Task<Response> journey(ApiCall call);

    Pipelines& pipelines_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

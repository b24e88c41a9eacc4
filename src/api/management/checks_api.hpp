#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "registry/checks.hpp"

namespace entrepot {

// What tests and others report of artifacts.
class ChecksApi {
public:
    ChecksApi(Checks& checks, const AccessPolicy& policy) : checks_{checks}, policy_{policy} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> report(ApiCall call);
    Task<Response> remove(ApiCall call);

    Checks& checks_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

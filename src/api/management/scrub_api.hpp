#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "api/management/system_jobs_api.hpp"
#include "ports/scrub_catalog.hpp"

namespace entrepot {

// What scrubs have found. Starting and following them is a SystemJobsApi's matter.
class ScrubApi {
public:
    ScrubApi(ScrubCatalog& catalog, const AccessPolicy& policy) : catalog_{catalog}, policy_{policy} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> findings(ApiCall call);

    ScrubCatalog& catalog_;
    const AccessPolicy& policy_;
};

SystemJob scrub_job();

}  // namespace entrepot

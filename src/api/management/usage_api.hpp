#pragma once

#include "api/management/api_router.hpp"
#include "upkeep/accounting/usage_reports.hpp"

namespace entrepot {

// /tenants/{}/usage, /tenants/{}/usage/projects and /projects/{}/usage: what was used day by day, for charge-back.
class UsageApi {
public:
    struct Needs {
        UsageReports& reports;
        const AccessPolicy& policy;
        const Clock& clock;
    };
    explicit UsageApi(const Needs& needs) : needs_{needs} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> of_tenant(ApiCall call);
    Task<Response> projects_of_tenant(ApiCall call);
    Task<Response> of_project(ApiCall call);
    Task<Response> days(ApiCall call, UsageSpan span);
    // `from` and `to`, both inclusive: the last 31 days where they are left out. bad_request.
    Result<> read_days(const ApiCall& call, UsageSpan& span) const;

    const Needs needs_;
};

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "ports/usage_ledger.hpp"

namespace entrepot {

// What was used, for whoever may read the quota of the tenant or project of the span; denied, not_found for others.
class UsageReports {
public:
    UsageReports(UsageLedger& ledger, const AccessPolicy& policy) : ledger_{ledger}, policy_{policy} {}

    Task<std::vector<UsageDay>> by_day(Caller caller, UsageSpan span);
    Task<ListPage<ProjectUsage>> by_project(Caller caller, UsageSpan span, ListQuery query);

private:
    Result<> require_on(const Caller& caller, const UsageSpan& span) const;

    UsageLedger& ledger_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

#include "upkeep/accounting/usage_reports.hpp"

#include "access/require.hpp"

namespace entrepot {
namespace {

const Permission read_of_tenant = need(ObjectKind::tenant, "quota", "read");
const Permission read_of_project = need(ObjectKind::project, "quota", "read");

}  // namespace

Result<> UsageReports::require_on(const Caller& caller, const UsageSpan& span) const
{
    if (span.tenant_id != 0) {
        return require(policy_, caller, read_of_tenant, {.kind = ObjectKind::tenant, .id = span.tenant_id, .name = {}});
    }
    return require(policy_, caller, read_of_project, {.kind = ObjectKind::project, .id = span.project_id, .name = {}});
}

Task<std::vector<UsageDay>> UsageReports::by_day(Caller caller, UsageSpan span)
{
    CO_CHECK(require_on(caller, span));
    co_return co_await ledger_.by_day(span);
}

Task<ListPage<ProjectUsage>> UsageReports::by_project(Caller caller, UsageSpan span, ListQuery query)
{
    CO_CHECK(require_on(caller, span));
    co_return co_await ledger_.by_project(span, std::move(query));
}

}  // namespace entrepot

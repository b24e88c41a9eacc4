#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "events/audit/audit_reader.hpp"

#include <span>

namespace entrepot {

// The kinds that Harbor's clients offer for filters, in its words.
std::span<const char* const> audit_event_types() noexcept;

// The audit trail as lists: /audit-logs and /auditlog-exts (Harbor API v2.0), the same of a project, and of a tenant.
// Platform auditors see everything; others what happened in the projects and tenants whose logs they may list.
class AuditApi {
public:
    AuditApi(AuditReader& reader, const AccessPolicy& policy) : reader_{reader}, policy_{policy} {}
    void add_to(ApiRouter& router);

private:
    enum class Shape { plain, extended };

    Task<Response> list(ApiCall call, Shape shape);
    Task<Response> event_types(ApiCall call);
    Task<Response> of_project(ApiCall call, Shape shape);
    Task<Response> of_tenant(ApiCall call);
    Task<Response> answer(const Request& request, const Query& query, AuditQuery wanted, Shape shape);
    Result<> narrow(AuditQuery& query, const Caller& caller) const;

    AuditReader& reader_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

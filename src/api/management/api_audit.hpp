#pragma once

#include "access/identity.hpp"
#include "api/token/login_audit.hpp"
#include "core/task.hpp"
#include "http/message.hpp"
#include "ports/audit_trail.hpp"

#include <memory>
#include <string_view>

namespace entrepot {

// What a request to the management API was, as it becomes known.
struct ApiTrace {
    std::shared_ptr<const Identity> who;  // null until the caller is known
    std::shared_ptr<AuditRecord> change;  // what the handler says of it; null for reads
    std::string_view pattern;             // the route's
};

// Tells the audit trail of every change through the management API and of every denial there.
class ApiAudit {
public:
    ApiAudit(AuditTrail& trail, const Clock& clock) : trail_{trail}, clock_{clock}, logins_{trail, clock} {}

    // Before a change: whether it can be recorded.
    Task<> ready() { return trail_.ready(); }
    // After the handler, before the answer leaves: the answer itself, or the error of a change that was made but could
    // not be recorded, and so is not acknowledged.
    Task<Response> settle(const Request& request, ApiTrace trace, Result<Response> answer);

private:
    Task<> refused(const Request& request, const ApiTrace& trace, const Error& error);

    AuditTrail& trail_;
    const Clock& clock_;
    LoginAudit logins_;
};

}  // namespace entrepot

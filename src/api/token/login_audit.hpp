#pragma once

#include "access/identity.hpp"
#include "core/task.hpp"
#include "http/message.hpp"
#include "ports/audit_trail.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// Tells the audit trail of log-ins and log-outs, whichever surface they came through. Nothing here fails: a log-in that
// can't be recorded is counted as dropped. Safe from any thread.
class LoginAudit {
public:
    LoginAudit(AuditTrail& trail, const Clock& clock) : trail_{trail}, clock_{clock} {}

    // Once for each session or token. `how`: "password", "refresh token", "session".
    Task<> succeeded(const Request& request, const Identity& who, std::string_view how);
    // A token for somebody who is remembered: gathered, so that the answer need not wait.
    void repeated(const Request& request, const Identity& who) noexcept;
    // Wrong, or throttled. `user` is the name as given.
    Task<> failed(const Request& request, std::string_view user, const Error& error);
    Task<> logged_out(const Request& request, const Identity& who);

    // Whether an error is about credentials: wrong ones, or too many of them.
    static bool is_failure(const Error& error) noexcept;

private:
    AuditRecord record_of(const Request& request, std::string_view operation, std::string_view user) const;

    AuditTrail& trail_;
    const Clock& clock_;
};

// Who, when and from where, as every record of a request has it.
void describe_request(AuditRecord& record, const Request& request, const Clock& clock);
// The user name of Basic credentials, not checked; empty where there are none.
std::string claimed_user(const Request& request);

}  // namespace entrepot

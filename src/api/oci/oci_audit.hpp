#pragma once

#include "access/policy.hpp"
#include "api/oci/route.hpp"
#include "api/token/login_audit.hpp"
#include "core/task.hpp"
#include "http/message.hpp"
#include "oci/names.hpp"
#include "ports/audit_trail.hpp"

#include <memory>
#include <optional>
#include <string>

namespace entrepot {

// Tells the audit trail what happens through the distribution API: pulls and pushes of manifests, deletes, mounts, and
// denials. Blobs are not recorded one by one: nobody sees them without their manifest. A request without credentials
// is answered with a challenge, and that is no denial. Safe from any loop.
class OciAudit {
public:
    OciAudit(AuditTrail& trail, const AccessPolicy& policy, const Clock& clock)
        : trail_{trail}, policy_{policy}, clock_{clock}, logins_{trail, clock}
    {
    }

    // A change that is recorded.
    struct Change {
        const char* operation;
        const char* type;
        std::string resource;
        bool only_created = false;  // another answer than 201 means that it was not done
    };
    static std::optional<Change> change_of(const Request& request, const OciRoute& route);

    // Before a change: whether it can be recorded.
    Task<> ready() { return trail_.ready(); }
    // After a change, before the answer leaves: the answer, or the error of a change that could not be recorded.
    Task<Response> settle(
        const Request& request,
        Change change,
        std::string repository,
        std::shared_ptr<const Identity> who,
        Result<Response> answer
    );
    // After an error of the gate's. `caller`: where that is known.
    Task<> refused(const Request& request, const OciRoute& route, std::optional<Caller> caller, const Error& error);

    // On the hot path: works out nothing that is not needed.
    void pulled(
        const Request& request,
        const Caller& caller,
        const RepositoryName& repository,
        const Reference& reference,
        const StoredManifest& manifest
    ) noexcept;

private:
    AuditRecord record_of(const Request& request, std::string_view repository, const Identity* who) const;

    AuditTrail& trail_;
    const AccessPolicy& policy_;
    const Clock& clock_;
    LoginAudit logins_;
};

}  // namespace entrepot

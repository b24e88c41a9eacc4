#pragma once

#include "events/audit/audit_log.hpp"
#include "ports/audit_store.hpp"

#include <cstdint>

namespace entrepot {

// Has the metadata store attest where the chain stands, so that nobody can shorten or rewrite it without a trace there.
// One anchor a segment is kept. One call at a time.
class AuditAnchoring {
public:
    AuditAnchoring(const AuditLog& log, AuditAnchors& anchors, const Clock& clock)
        : log_{log}, anchors_{anchors}, clock_{clock}
    {
    }

    // At start: logs it when the chain is not the one that was attested.
    Task<> check();
    // Once a second and at the end. Writes only where the chain has grown.
    Task<> run();

private:
    const AuditLog& log_;
    AuditAnchors& anchors_;
    const Clock& clock_;
    std::uint64_t anchored_ = 0;  // block
    bool failing_ = false;
};

}  // namespace entrepot

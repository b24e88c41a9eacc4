#pragma once

#include "access/policy.hpp"
#include "app/config.hpp"
#include "core/metrics.hpp"
#include "core/random.hpp"
#include "drivers/audit_files/audit_files.hpp"
#include "events/audit/audit_anchoring.hpp"
#include "events/audit/audit_forwarder.hpp"
#include "events/audit/audit_log.hpp"
#include "events/audit/audit_reader.hpp"

#include <list>
#include <memory>
#include <string>

namespace entrepot {

// The audit trail of this instance: its files, its chain, its readers, and whom it is forwarded to.
class AuditParts {
public:
    // Opens the chain, cutting off what was never acknowledged. Throws std::runtime_error.
    AuditParts(
        const Config& config, AuditAnchors& anchors, const AccessPolicy& policy, const Clock& clock, Random& random
    );
    ~AuditParts();
    AuditParts(const AuditParts&) = delete;
    AuditParts& operator=(const AuditParts&) = delete;

    AuditTrail& trail() noexcept { return *log_; }
    AuditReader& reader() noexcept { return reader_; }
    Task<> anchor() { return anchoring_->run(); }
    // Before the metadata store stops: writes what was gathered, and anchors it. Blocks.
    void stop();
    void add_metrics(MetricsText& text) const;

private:
    struct Forward {
        std::string name;
        std::unique_ptr<AuditSink> sink;
        std::unique_ptr<AuditForwarder> forwarder;
    };
    void forward_to(std::string name, std::unique_ptr<AuditSink> sink);

    AuditFiles files_;
    std::unique_ptr<AuditFileWriter> writer_;
    std::unique_ptr<AuditLog> log_;
    std::unique_ptr<AuditAnchoring> anchoring_;
    AuditReader reader_;
    std::list<Forward> forwards_;
    bool stopped_ = false;
};

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "app/config.hpp"
#include "core/metrics.hpp"
#include "core/random.hpp"
#include "drivers/audit_files/audit_files.hpp"
#include "events/audit/audit_anchoring.hpp"
#include "events/audit/audit_forwarder.hpp"
#include "events/audit/audit_log.hpp"
#include "events/audit/audit_purge.hpp"
#include "events/audit/audit_reader.hpp"

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <string_view>

namespace entrepot {

std::string local_chain_of(std::string_view instance);

// The audit trail of this instance: its files, its chain, its readers, and whom it is forwarded to.
class AuditParts {
public:
    // A command beside the server writes the instance's own chain, or, while the instance runs, one beside it:
    // local_chain_of(instance).
    enum class Chain { own, own_or_local };

    // Opens the chain, cutting off what was never acknowledged. Throws std::runtime_error.
    AuditParts(
        const Config& config,
        AuditAnchors& anchors,
        SettingsCatalog& settings,
        const AccessPolicy& policy,
        const Clock& clock,
        Random& random,
        Chain chain = Chain::own
    );
    ~AuditParts();
    AuditParts(const AuditParts&) = delete;
    AuditParts& operator=(const AuditParts&) = delete;

    AuditTrail& trail() noexcept { return *log_; }
    void choose(const AuditChoice& choice) noexcept { log_->choose(choice); }
    AuditReader& reader() noexcept { return reader_; }
    AuditPurge& purge() noexcept { return *purge_; }
    Task<> anchor() { return anchoring_->run(); }
    // Before the metadata store stops: writes what was gathered, and anchors it. Blocks.
    void stop();
    // Waits until all is forwarded, so long at most; whether it is.
    bool forwarded_within(std::chrono::milliseconds time) const;
    void add_metrics(MetricsText& text) const;

private:
    struct Forward {
        std::string name;
        std::unique_ptr<AuditSink> sink;
        std::unique_ptr<AuditForwarder> forwarder;
    };
    std::string open_chain(const Config& config, Random& random, Chain chain);
    void forward_to(std::string name, std::unique_ptr<AuditSink> sink);

    AuditFiles files_;
    std::unique_ptr<AuditFileWriter> writer_;
    std::unique_ptr<AuditLog> log_;
    std::unique_ptr<AuditAnchoring> anchoring_;
    std::unique_ptr<AuditPurge> purge_;
    AuditReader reader_;
    std::list<Forward> forwards_;
    bool stopped_ = false;
};

}  // namespace entrepot

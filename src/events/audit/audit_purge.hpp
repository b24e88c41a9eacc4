#pragma once

#include "events/audit/audit_log.hpp"
#include "ports/audit_store.hpp"
#include "ports/job_handler.hpp"
#include "ports/settings_catalog.hpp"

#include <boost/asio/thread_pool.hpp>

namespace entrepot {

// The job that drops the audit trail's old segments: Harbor's purge of audit logs. Records are in a chain, so they go
// by whole segments. It writes down the time before which everything goes; each instance obeys for the chain that it
// writes. Parameters: {"audit_retention_hour": 24, "dry_run": false}.
class AuditPurge final : public JobHandler {
public:
    AuditPurge(AuditLog& log, AuditSegments& segments, SettingsCatalog& settings, const Clock& clock)
        : log_{log}, segments_{segments}, settings_{settings}, clock_{clock}
    {
    }

    Task<JobEnd> run(JobRun& run) override;
    // A chore of every instance.
    Task<> obey();

private:
    struct Found {
        std::int64_t segments = 0;
        std::int64_t bytes = 0;
        std::vector<std::string> lines;
    };
    Result<Found> find(Micros limit) const;

    AuditLog& log_;
    AuditSegments& segments_;
    SettingsCatalog& settings_;
    const Clock& clock_;
    asio::thread_pool reading_{1};
};

}  // namespace entrepot

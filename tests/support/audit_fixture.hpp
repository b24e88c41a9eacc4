#pragma once

#include "core/log.hpp"
#include "core/run_to_end.hpp"
#include "events/audit/audit_log.hpp"
#include "events/audit/audit_verify.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_audit.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace entrepot {

inline AuditRecord audit_example(std::string resource, std::string user = "alice")
{
    AuditRecord record;
    record.at = 1'790'000'000'000'000;
    record.user_id = 7;
    record.user = std::move(user);
    record.tenant_id = 2;
    record.project_id = 3;
    record.operation = "create";
    record.resource_type = "project";
    record.resource = std::move(resource);
    record.request_id = "r1";
    record.client = "192.0.2.1";
    return record;
}

// A log on segments in memory; the clock moves by hand, so nothing is flushed but by flush().
class AuditTest : public testing::Test {
protected:
    AuditTest() { log::configure(log::Level::error, log::Format::text); }
    std::unique_ptr<AuditLog> opened(std::uint64_t segment_bytes = std::uint64_t{64} << 20U)
    {
        AuditLog::Settings settings;
        settings.instance = "one";
        settings.segment_bytes = segment_bytes;
        settings.reserve = 10'000;
        auto log = std::make_unique<AuditLog>(store, store, policy, clock, settings);
        EXPECT_TRUE(log->open());
        return log;
    }
    static Result<> put(AuditLog& log, std::string resource, std::string user = "alice")
    {
        return run_to_end(log.record(audit_example(std::move(resource), std::move(user))));
    }
    AuditProof proof(std::vector<AuditAnchor> anchors = {}) { return *verify_chain(store, "one", anchors); }
    static AuditAnchor anchor_at(const AuditHead& head)
    {
        return {static_cast<std::int64_t>(head.block), head.hash, static_cast<std::int64_t>(head.record), 0};
    }
    std::string text()
    {
        std::string all;
        for (const auto& [number, bytes] : store.files()) all += bytes;
        return all;
    }

    FakeClock clock;
    AccessPolicy policy{ProjectCreation::admins, clock};
    MemoryAuditStore store;
};

}  // namespace entrepot

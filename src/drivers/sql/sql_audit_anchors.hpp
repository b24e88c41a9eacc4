#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/audit_store.hpp"

namespace entrepot {

// In the session's own transaction.
Result<std::vector<AuditAnchor>> audit_anchors_in(SqlSession& session, const std::string& instance);

// What the database attests of audit chains, on any SqlEngine, which outlives it.
class SqlAuditAnchors final : public AuditAnchors {
public:
    explicit SqlAuditAnchors(SqlEngine& engine) : engine_{engine} {}

    Task<> anchor(std::string instance, AuditAnchor anchor, std::int64_t from) override;
    Task<std::vector<AuditAnchor>> anchors(std::string instance) override;
    Task<std::vector<std::string>> instances() override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot

#pragma once

namespace entrepot {

// Schema version 8: how full projects and tenants were when that was last told, and what projects have used day by day
// (docs/quotas.md). What was used stays when its project goes, so nothing here refers to it.
inline constexpr const char* sqlite_accounting_schema = R"sql(
-- kind: 0 a project, 1 a tenant
CREATE TABLE quota_levels (
    kind    INTEGER NOT NULL,
    id      INTEGER NOT NULL,
    percent INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- day: since 1970-01-01, UTC
CREATE TABLE usage_days (
    project_id       INTEGER NOT NULL,
    day              INTEGER NOT NULL,
    tenant_id        INTEGER NOT NULL,
    project          TEXT    NOT NULL,
    charged_bytes    INTEGER NOT NULL,
    referenced_bytes INTEGER NOT NULL,
    stored_bytes     INTEGER NOT NULL,
    artifacts        INTEGER NOT NULL,
    PRIMARY KEY (project_id, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_of_tenant ON usage_days (tenant_id, day);
CREATE INDEX usage_by_day ON usage_days (day);
)sql";

}  // namespace entrepot

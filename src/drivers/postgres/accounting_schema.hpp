#pragma once

namespace entrepot {

// Schema version 8: how full projects and tenants were when that was last told, and what projects have used day by day
// (docs/quotas.md). What was used stays when its project goes, so nothing here refers to it.
inline constexpr const char* postgres_accounting_schema = R"sql(
-- kind: 0 a project, 1 a tenant
CREATE TABLE quota_levels (
    kind    BIGINT NOT NULL,
    id      BIGINT NOT NULL,
    percent BIGINT NOT NULL,
    PRIMARY KEY (kind, id)
);

-- day: since 1970-01-01, UTC
CREATE TABLE usage_days (
    project_id       BIGINT NOT NULL,
    day              BIGINT NOT NULL,
    tenant_id        BIGINT NOT NULL,
    project          TEXT   NOT NULL,
    charged_bytes    BIGINT NOT NULL,
    referenced_bytes BIGINT NOT NULL,
    stored_bytes     BIGINT NOT NULL,
    artifacts        BIGINT NOT NULL,
    PRIMARY KEY (project_id, day)
);
CREATE INDEX usage_of_tenant ON usage_days (tenant_id, day);
CREATE INDEX usage_by_day ON usage_days (day);
)sql";

}  // namespace entrepot

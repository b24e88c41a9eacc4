#pragma once

namespace entrepot {

// Schema version 7: what transactions leave to be added up, and claims on quotas (drivers/sql/project_budget.hpp).
// Neither refers to its project, lest a push touch the project's row.
inline constexpr const char* postgres_quota_schema = R"sql(
CREATE TABLE project_deltas (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    chunk      BIGINT NOT NULL,
    artifacts  BIGINT NOT NULL
);
CREATE INDEX deltas_of_project ON project_deltas (project_id);

CREATE TABLE quota_claims (
    id         TEXT COLLATE "C" PRIMARY KEY,
    project_id BIGINT NOT NULL,
    bytes      BIGINT NOT NULL,
    artifacts  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX claims_of_project ON quota_claims (project_id);
CREATE INDEX claims_by_expiry ON quota_claims (expires_at);
)sql";

}  // namespace entrepot

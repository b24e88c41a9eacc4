#pragma once

namespace entrepot {

// Schema version 7: what rivals leave to be added up (always empty here), and claims on quotas.
inline constexpr const char* sqlite_quota_schema = R"sql(
CREATE TABLE project_deltas (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    chunk      INTEGER NOT NULL,
    artifacts  INTEGER NOT NULL
) STRICT;
CREATE INDEX deltas_of_project ON project_deltas (project_id);

CREATE TABLE quota_claims (
    id         TEXT    PRIMARY KEY NOT NULL,
    project_id INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    artifacts  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_of_project ON quota_claims (project_id);
CREATE INDEX claims_by_expiry ON quota_claims (expires_at);
)sql";

}  // namespace entrepot

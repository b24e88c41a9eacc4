#pragma once

namespace entrepot {

// Schema version 18: which instances of the registry track swarms (docs/decisions/0032-swarm-shards.md).
inline constexpr const char* sqlite_instances_schema = R"sql(
-- `endpoint` is where nodes find the instance. Times are the database's own: instances' clocks may differ.
CREATE TABLE swarm_instances (
    endpoint TEXT    NOT NULL PRIMARY KEY,
    beat_at  INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace entrepot

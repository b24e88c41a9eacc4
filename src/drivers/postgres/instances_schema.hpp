#pragma once

namespace entrepot {

// Schema version 18: which instances of the registry track swarms (docs/decisions/0032-swarm-shards.md).
inline constexpr const char* postgres_instances_schema = R"sql(
-- `endpoint` is where nodes find the instance. Times are the database's own: instances' clocks may differ.
CREATE TABLE swarm_instances (
    endpoint TEXT COLLATE "C" PRIMARY KEY,
    beat_at  BIGINT NOT NULL DEFAULT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)
);
)sql";

}  // namespace entrepot

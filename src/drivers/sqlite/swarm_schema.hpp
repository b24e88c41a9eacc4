#pragma once

namespace entrepot {

// Schema version 16: the nodes of the swarm, and the hashes of blobs' chunks (docs/formats/swarm-identity.md,
// docs/formats/swarm-descriptor.md).
inline constexpr const char* sqlite_swarm_schema = R"sql(
-- What all instances vouch with for their nodes, sealed under the master key.
CREATE TABLE swarm_secrets (
    name   TEXT NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- `zones` is a JSON list, empty: any.
CREATE TABLE node_tokens (
    id          TEXT    NOT NULL PRIMARY KEY,
    hash        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    zones       TEXT    NOT NULL,
    nodes       INTEGER NOT NULL,
    used        INTEGER NOT NULL CHECK (used >= 0 AND used <= nodes),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    created_by  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- `token_id` may be of a token that is gone. `admissions`: how often the node came with a token; the first is charged.
CREATE TABLE nodes (
    id           TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    zone         TEXT    NOT NULL,
    token_id     TEXT    NOT NULL,
    admissions   INTEGER NOT NULL,
    admitted_at  INTEGER NOT NULL,
    certified_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX nodes_by_name ON nodes (name, id);
CREATE INDEX nodes_of_zone ON nodes (zone, name, id);

-- Roots are read for each image that is asked for and lie close together: the hashes, up to megabytes of a blob, stand
-- elsewhere. Both go with the blob's row, by their keys.
CREATE TABLE chunk_roots (
    blob_id INTEGER PRIMARY KEY REFERENCES blobs (id) ON DELETE CASCADE,
    root    BLOB    NOT NULL
) STRICT;
CREATE TABLE chunk_hashes (
    blob_id INTEGER PRIMARY KEY REFERENCES chunk_roots (blob_id) ON DELETE CASCADE,
    hashes  BLOB    NOT NULL
) STRICT;
)sql";

}  // namespace entrepot

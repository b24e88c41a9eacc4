#pragma once

namespace entrepot {

// Schema version 16: the nodes of the swarm, and the hashes of blobs' chunks (docs/formats/swarm-identity.md,
// docs/formats/swarm-descriptor.md).
inline constexpr const char* postgres_swarm_schema = R"sql(
-- What all instances vouch with for their nodes, sealed under the master key.
CREATE TABLE swarm_secrets (
    name   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL
);

-- `zones` is a JSON list, empty: any.
CREATE TABLE node_tokens (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hash        TEXT   NOT NULL,
    description TEXT   NOT NULL,
    zones       TEXT   NOT NULL,
    nodes       BIGINT NOT NULL,
    used        BIGINT NOT NULL CHECK (used >= 0 AND used <= nodes),
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    created_by  TEXT   NOT NULL
);

-- `token_id` may be of a token that is gone. `admissions`: how often the node came with a token; the first is charged.
CREATE TABLE nodes (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL,
    zone         TEXT COLLATE "C" NOT NULL,
    token_id     TEXT   NOT NULL,
    admissions   BIGINT NOT NULL,
    admitted_at  BIGINT NOT NULL,
    certified_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX nodes_by_name ON nodes (name, id);
CREATE INDEX nodes_of_zone ON nodes (zone, name, id);

-- Roots are read for each image that is asked for and lie close together: the hashes, up to megabytes of a blob, stand
-- elsewhere. Both go with the blob's row, by their keys.
CREATE TABLE chunk_roots (
    blob_id BIGINT NOT NULL PRIMARY KEY REFERENCES blobs (id) ON DELETE CASCADE,
    root    BYTEA  NOT NULL
);
CREATE TABLE chunk_hashes (
    blob_id BIGINT NOT NULL PRIMARY KEY REFERENCES chunk_roots (blob_id) ON DELETE CASCADE,
    hashes  BYTEA  NOT NULL
);
-- Hashes don't compress: it isn't tried.
ALTER TABLE chunk_hashes ALTER COLUMN hashes SET STORAGE EXTERNAL;
)sql";

}  // namespace entrepot

#include "drivers/sqlite/migrations.hpp"

#include "drivers/sqlite/accounting_schema.hpp"
#include "drivers/sqlite/environments_schema.hpp"
#include "drivers/sqlite/events_schema.hpp"
#include "drivers/sqlite/exchange_schema.hpp"
#include "drivers/sqlite/garbage_schema.hpp"
#include "drivers/sqlite/instances_schema.hpp"
#include "drivers/sqlite/jobs_schema.hpp"
#include "drivers/sqlite/preheat_schema.hpp"
#include "drivers/sqlite/promotion_schema.hpp"
#include "drivers/sqlite/quota_schema.hpp"
#include "drivers/sqlite/rules_schema.hpp"
#include "drivers/sqlite/scrub_schema.hpp"
#include "drivers/sqlite/swarm_schema.hpp"
#include "drivers/sqlite/synchronous_schema.hpp"
#include "drivers/sqlite/tenancy_schema.hpp"
#include "drivers/sqlite/trash_schema.hpp"

#include <array>

namespace entrepot {

namespace {

constexpr const char* first_schema = R"sql(
CREATE TABLE projects (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    NOT NULL UNIQUE,
    is_public   INTEGER NOT NULL,
    bytes       INTEGER NOT NULL CHECK (bytes >= 0),
    owner_id    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE repositories (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  INTEGER NOT NULL REFERENCES projects (id),
    name        TEXT    NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL,
    pull_count  INTEGER NOT NULL DEFAULT 0,
    last_pulled INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX repositories_of_project ON repositories (project_id);

CREATE TABLE blobs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    digest      TEXT    NOT NULL UNIQUE,
    size        INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE repository_blobs (
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    blob_id       INTEGER NOT NULL REFERENCES blobs (id),
    linked_at     INTEGER NOT NULL,
    PRIMARY KEY (repository_id, blob_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX repositories_of_blob ON repository_blobs (blob_id, repository_id);

CREATE TABLE project_blobs (
    project_id INTEGER NOT NULL REFERENCES projects (id),
    blob_id    INTEGER NOT NULL REFERENCES blobs (id),
    links      INTEGER NOT NULL CHECK (links >= 0),
    PRIMARY KEY (project_id, blob_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX projects_of_blob ON project_blobs (blob_id);

CREATE TABLE manifests (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id  INTEGER NOT NULL REFERENCES repositories (id),
    digest         TEXT    NOT NULL,
    media_type     TEXT    NOT NULL,
    artifact_type  TEXT    NOT NULL,
    size           INTEGER NOT NULL,
    subject_digest TEXT,
    annotations    TEXT    NOT NULL,
    pushed_at      INTEGER NOT NULL,
    pushed_by      INTEGER NOT NULL,
    pull_count     INTEGER NOT NULL DEFAULT 0,
    last_pulled    INTEGER NOT NULL DEFAULT 0,
    body           BLOB    NOT NULL,
    UNIQUE (repository_id, digest)
) STRICT;
CREATE INDEX referrers ON manifests (repository_id, subject_digest, digest) WHERE subject_digest IS NOT NULL;

CREATE TABLE manifest_blobs (
    manifest_id INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
    blob_id     INTEGER NOT NULL REFERENCES blobs (id),
    PRIMARY KEY (manifest_id, blob_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX manifests_of_blob ON manifest_blobs (blob_id, manifest_id);

CREATE TABLE manifest_children (
    manifest_id INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
    digest      TEXT    NOT NULL,
    PRIMARY KEY (manifest_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE tags (
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    name          TEXT    NOT NULL,
    manifest_id   INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
    pushed_at     INTEGER NOT NULL,
    pushed_by     INTEGER NOT NULL,
    PRIMARY KEY (repository_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_of_manifest ON tags (manifest_id);

CREATE TABLE uploads (
    id            TEXT    PRIMARY KEY NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    algorithm     TEXT    NOT NULL,
    written       INTEGER NOT NULL,
    hash_state    BLOB    NOT NULL,
    fence         INTEGER NOT NULL,
    user_id       INTEGER NOT NULL,
    started_at    INTEGER NOT NULL,
    touched_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_of_user ON uploads (user_id);
CREATE INDEX uploads_of_repository ON uploads (repository_id);
CREATE INDEX uploads_by_touch ON uploads (touched_at);

CREATE TABLE users (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL UNIQUE,
    is_admin   INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE credentials (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind    TEXT    NOT NULL,
    secret  TEXT    NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_password ON credentials (user_id) WHERE kind = 'password';
CREATE INDEX credentials_of_user ON credentials (user_id);

CREATE TABLE signing_keys (
    id         TEXT    PRIMARY KEY NOT NULL,
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    retires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE refresh_tokens (
    hash               TEXT    PRIMARY KEY NOT NULL,
    user_id            INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    service            TEXT    NOT NULL,
    client_id          TEXT    NOT NULL,
    credential_version INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);
CREATE INDEX refresh_tokens_of_user ON refresh_tokens (user_id);
)sql";

// Where pulls of a project look for what it doesn't have itself, a JSON list; empty: nowhere.
constexpr const char* sources_schema = "ALTER TABLE projects ADD COLUMN sources TEXT NOT NULL DEFAULT ''";

constexpr std::array migrations{
    Migration{.version = 1, .name = "first schema", .script = first_schema, .oldest_binary = 1},
    Migration{.version = 2, .name = "tenancy", .script = sqlite_tenancy_schema, .oldest_binary = 2},
    Migration{.version = 3, .name = "jobs", .script = sqlite_jobs_schema, .oldest_binary = 2},
    Migration{.version = 4, .name = "events", .script = sqlite_events_schema, .oldest_binary = 2},
    Migration{.version = 5, .name = "garbage collection", .script = sqlite_garbage_schema, .oldest_binary = 5},
    Migration{.version = 6, .name = "rules", .script = sqlite_rules_schema, .oldest_binary = 6},
    Migration{.version = 7, .name = "quotas", .script = sqlite_quota_schema, .oldest_binary = 7},
    Migration{.version = 8, .name = "accounting", .script = sqlite_accounting_schema, .oldest_binary = 7},
    Migration{.version = 9, .name = "renames and promotions", .script = sqlite_promotion_schema, .oldest_binary = 9},
    Migration{.version = 10, .name = "trash", .script = sqlite_trash_schema, .oldest_binary = 10},
    Migration{.version = 11, .name = "scrub", .script = sqlite_scrub_schema, .oldest_binary = 11},
    Migration{.version = 12, .name = "exchange", .script = sqlite_exchange_schema, .oldest_binary = 11},
    Migration{.version = 13, .name = "synchronous projects", .script = sqlite_synchronous_schema, .oldest_binary = 13},
    Migration{.version = 14, .name = "environments", .script = sqlite_environments_schema, .oldest_binary = 13},
    Migration{.version = 15, .name = "sources of projects", .script = sources_schema, .oldest_binary = 13},
    Migration{.version = 16, .name = "swarm", .script = sqlite_swarm_schema, .oldest_binary = 13},
    Migration{.version = 17, .name = "preheats", .script = sqlite_preheat_schema, .oldest_binary = 13},
    Migration{.version = 18, .name = "swarm instances", .script = sqlite_instances_schema, .oldest_binary = 13},
};

}  // namespace

std::span<const Migration> sqlite_migrations()
{
    return migrations;
}

}  // namespace entrepot

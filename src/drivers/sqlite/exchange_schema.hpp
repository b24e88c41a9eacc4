#pragma once

namespace entrepot {

// Schema version 12: registries elsewhere, what is copied to and from them, and projects that cache what they have
// (docs/decisions/0022-copying-between-sites.md).
inline constexpr const char* sqlite_exchange_schema = R"sql(
CREATE TABLE registries (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    name              TEXT NOT NULL UNIQUE,
    description       TEXT NOT NULL,
    type              TEXT NOT NULL,
    url               TEXT NOT NULL,
    credential_type   TEXT NOT NULL,
    access_key        TEXT NOT NULL,
    access_secret     TEXT NOT NULL,
    insecure          INTEGER NOT NULL,
    ca_certificate    TEXT NOT NULL,
    certificate_pin   TEXT NOT NULL,
    token_host        TEXT NOT NULL,
    bytes_per_second  INTEGER NOT NULL,
    requests_at_once  INTEGER NOT NULL,
    tenant_id         INTEGER NOT NULL,
    status            TEXT NOT NULL,
    status_detail     TEXT NOT NULL,
    checked_at        INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    version           INTEGER NOT NULL
) STRICT;
CREATE INDEX registries_of_tenant ON registries (tenant_id) WHERE tenant_id <> 0;

CREATE TABLE registry_health (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    registry_id INTEGER NOT NULL REFERENCES registries (id) ON DELETE CASCADE,
    at          INTEGER NOT NULL,
    status      TEXT NOT NULL,
    detail      TEXT NOT NULL
) STRICT;
CREATE INDEX health_of_registry ON registry_health (registry_id, id);

-- A missing source or target is this registry. Filters and platforms are JSON arrays, the window's ends minutes of the
-- day.
CREATE TABLE replication_policies (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    name                 TEXT NOT NULL UNIQUE,
    description          TEXT NOT NULL,
    source_id            INTEGER REFERENCES registries (id),
    target_id            INTEGER REFERENCES registries (id),
    namespace_there      TEXT NOT NULL,
    replaced_levels      INTEGER NOT NULL,
    filters              TEXT NOT NULL,
    trigger_type         TEXT NOT NULL,
    cron                 TEXT NOT NULL,
    replicates_deletion  INTEGER NOT NULL,
    overrides            INTEGER NOT NULL,
    enabled              INTEGER NOT NULL,
    kilobytes_per_second INTEGER NOT NULL,
    by_chunks            INTEGER NOT NULL,
    single_active        INTEGER NOT NULL,
    confirm_all          INTEGER NOT NULL,
    platforms            TEXT NOT NULL,
    version_range        TEXT NOT NULL,
    signed_only          INTEGER NOT NULL,
    with_referrers       INTEGER NOT NULL,
    priority             INTEGER NOT NULL,
    window_from          INTEGER NOT NULL,
    window_until         INTEGER NOT NULL,
    bytes_per_second     INTEGER NOT NULL,
    tenant_id            INTEGER NOT NULL,
    creator_id           INTEGER NOT NULL,
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL
) STRICT;
CREATE INDEX replication_policies_by_source ON replication_policies (source_id) WHERE source_id IS NOT NULL;
CREATE INDEX replication_policies_by_target ON replication_policies (target_id) WHERE target_id IS NOT NULL;
CREATE INDEX replication_policies_by_event ON replication_policies (id)
    WHERE trigger_type = 'event_based' AND enabled = 1;

CREATE TABLE replication_pending (
    policy_id  INTEGER NOT NULL REFERENCES replication_policies (id) ON DELETE CASCADE,
    repository TEXT NOT NULL,
    reference  TEXT NOT NULL,
    removal    INTEGER NOT NULL,
    digest     TEXT NOT NULL,
    bytes      INTEGER NOT NULL,
    since      INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    last_error TEXT NOT NULL,
    PRIMARY KEY (policy_id, repository, reference)
) STRICT, WITHOUT ROWID;

-- What makes a project a proxy cache, and a JSON object with how it is one.
ALTER TABLE projects ADD COLUMN registry_id INTEGER REFERENCES registries (id);
ALTER TABLE projects ADD COLUMN proxy_settings TEXT NOT NULL DEFAULT '';
CREATE INDEX projects_of_registry ON projects (registry_id) WHERE registry_id IS NOT NULL;

-- What a tag led to at the project's upstream when that was asked last; no digest: there was no such tag.
CREATE TABLE cached_tags (
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    tag           TEXT NOT NULL,
    digest        TEXT NOT NULL,
    checked_at    INTEGER NOT NULL,
    upstream_etag TEXT NOT NULL,
    PRIMARY KEY (repository_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX cached_tags_by_check ON cached_tags (checked_at);

-- A row is one fetch from upstream under way: its owner holds it until it expires, and whoever takes it over then
-- raises the fence and goes on in the same upload (`place`).
CREATE TABLE blob_fetches (
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    digest     TEXT NOT NULL,
    repository TEXT NOT NULL,
    owner      TEXT NOT NULL,
    fence      INTEGER NOT NULL,
    place      TEXT NOT NULL,
    size       INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_fetches_by_expiry ON blob_fetches (expires_at);
)sql";

}  // namespace entrepot

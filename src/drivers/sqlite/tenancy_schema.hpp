#pragma once

namespace entrepot {

// Schema version 2: tenants, teams, grants, robots, credentials, the rows that lists show, labels, settings and audit
// anchors; what version 1 knew of owners and admins becomes grants.
inline constexpr const char* sqlite_tenancy_schema = R"sql(
CREATE TABLE tenants (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    name            TEXT    NOT NULL UNIQUE,
    display_name    TEXT    NOT NULL,
    description     TEXT    NOT NULL,
    frozen          INTEGER NOT NULL DEFAULT 0,
    protected       INTEGER NOT NULL DEFAULT 0,
    quota_bytes     INTEGER NOT NULL DEFAULT -1,
    quota_artifacts INTEGER NOT NULL DEFAULT -1,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;
INSERT INTO tenants (name, display_name, description, created_at, updated_at) VALUES ('default', 'Default', '', 0, 0);

CREATE TABLE tenant_members (
    tenant_id INTEGER NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    user_id   INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    joined_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tenants_of_member ON tenant_members (user_id);
INSERT INTO tenant_members (tenant_id, user_id, joined_at) SELECT 1, id, created_at FROM users;

CREATE TABLE teams (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id   INTEGER NOT NULL REFERENCES tenants (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    implicit    INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (tenant_id, name)
) STRICT;
INSERT INTO teams (tenant_id, name, description, implicit, created_at, updated_at)
    VALUES (1, 'everyone', 'All members of the tenant', 1, 0, 0);

CREATE TABLE team_members (
    team_id  INTEGER NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    added_at INTEGER NOT NULL,
    PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX teams_of_member ON team_members (user_id);

CREATE TABLE external_groups (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,
    type       INTEGER NOT NULL,
    ldap_dn    TEXT    NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    UNIQUE (type, name, ldap_dn)
) STRICT;

CREATE TABLE external_group_members (
    group_id INTEGER NOT NULL REFERENCES external_groups (id) ON DELETE CASCADE,
    user_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX groups_of_member ON external_group_members (user_id);

CREATE TABLE roles (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL UNIQUE,
    description TEXT    NOT NULL,
    permissions TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE grants (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    subject_kind TEXT    NOT NULL,
    subject_id   INTEGER NOT NULL,
    object_kind  TEXT    NOT NULL,
    object_id    INTEGER NOT NULL,
    pattern      TEXT    NOT NULL DEFAULT '',
    role_id      INTEGER NOT NULL,
    permissions  TEXT    NOT NULL DEFAULT '',
    expires_at   INTEGER NOT NULL DEFAULT 0,
    origin       TEXT    NOT NULL,
    created_by   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    UNIQUE (subject_kind, subject_id, object_kind, object_id, pattern, role_id)
) STRICT;
CREATE INDEX grants_on_object ON grants (object_kind, object_id);
CREATE INDEX grants_by_expiry ON grants (expires_at) WHERE expires_at > 0;

CREATE TABLE access_state (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL,
    oldest  INTEGER NOT NULL
) STRICT;
INSERT INTO access_state (one, version, oldest) VALUES (1, 1, 1);

CREATE TABLE access_changes (
    version INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    id      INTEGER NOT NULL,
    PRIMARY KEY (version, kind, id)
) STRICT, WITHOUT ROWID;

ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'user';
ALTER TABLE users ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN realname TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN comment TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX users_by_email ON users (email) WHERE email <> '';
ALTER TABLE credentials ADD COLUMN provider TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN external_id TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX credentials_of_provider ON credentials (provider, external_id) WHERE provider <> '';

INSERT INTO grants (subject_kind, subject_id, object_kind, object_id, role_id, origin, created_by, created_at)
    SELECT 'user', id, 'platform', 0, 6, 'first-user', id, created_at FROM users WHERE is_admin = 1;
INSERT INTO grants (subject_kind, subject_id, object_kind, object_id, role_id, origin, created_by, created_at)
    SELECT 'user', u.id, 'project', p.id, 1, 'owner', u.id, p.created_at
    FROM projects p JOIN users u ON u.id = p.owner_id;

CREATE TABLE robots (
    user_id        INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    level          TEXT    NOT NULL,
    tenant_id      INTEGER NOT NULL DEFAULT 0,
    project_id     INTEGER NOT NULL DEFAULT 0,
    description    TEXT    NOT NULL,
    duration_days  INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    created_by     INTEGER NOT NULL,
    secret_hash    TEXT    NOT NULL,
    previous_hash  TEXT    NOT NULL DEFAULT '',
    previous_until INTEGER NOT NULL DEFAULT 0,
    last_used_at   INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX robots_of_project ON robots (project_id, user_id);
CREATE INDEX robots_of_tenant ON robots (tenant_id, user_id);

CREATE TABLE access_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    hash         TEXT    NOT NULL UNIQUE,
    limits       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL DEFAULT 0,
    UNIQUE (user_id, name)
) STRICT;

CREATE TABLE sessions (
    hash               TEXT    PRIMARY KEY NOT NULL,
    user_id            INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_version INTEGER NOT NULL,
    client             TEXT    NOT NULL,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

ALTER TABLE projects ADD COLUMN tenant_id INTEGER NOT NULL DEFAULT 1;
ALTER TABLE projects ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN frozen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN protected INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN quota_bytes INTEGER NOT NULL DEFAULT -1;
ALTER TABLE projects ADD COLUMN quota_artifacts INTEGER NOT NULL DEFAULT -1;
ALTER TABLE projects ADD COLUMN repository_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN artifact_count INTEGER NOT NULL DEFAULT 0;
CREATE INDEX projects_of_tenant ON projects (tenant_id, name);

CREATE TABLE project_metadata (
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    PRIMARY KEY (project_id, name)
) STRICT, WITHOUT ROWID;

ALTER TABLE repositories ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE repositories ADD COLUMN updated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN artifact_count INTEGER NOT NULL DEFAULT 0;
CREATE INDEX repositories_of_project_by_name ON repositories (project_id, name);

-- One row a manifest with everything that a list shows of it, so that a page is one walk along an index. `tags` and
-- `labels` are JSON arrays as the API shows them, NULL when there are too many to keep here; `children` likewise, and
-- empty then. The order of `manifest_id` is that of pushing.
CREATE TABLE artifacts (
    manifest_id       INTEGER PRIMARY KEY REFERENCES manifests (id) ON DELETE CASCADE,
    repository_id     INTEGER NOT NULL REFERENCES repositories (id),
    project_id        INTEGER NOT NULL REFERENCES projects (id),
    digest            TEXT    NOT NULL,
    media_type        TEXT    NOT NULL,
    config_media_type TEXT    NOT NULL,
    artifact_type     TEXT    NOT NULL,
    type              TEXT    NOT NULL,
    size              INTEGER NOT NULL,
    subject_digest    TEXT,
    accessory_type    TEXT    NOT NULL,
    parents           INTEGER NOT NULL,
    listed            INTEGER NOT NULL,
    pushed_at         INTEGER NOT NULL,
    pulled_at         INTEGER NOT NULL,
    pull_count        INTEGER NOT NULL,
    icon              TEXT    NOT NULL,
    extra             TEXT    NOT NULL,
    annotations       TEXT    NOT NULL,
    children          TEXT    NOT NULL,
    accessories       INTEGER NOT NULL,
    tag_count         INTEGER NOT NULL,
    tags              TEXT,
    labels            TEXT
) STRICT;
CREATE INDEX listed_artifacts_of_repository ON artifacts (repository_id, manifest_id) WHERE listed = 1;
CREATE INDEX listed_artifacts_of_project ON artifacts (project_id, manifest_id) WHERE listed = 1;
CREATE INDEX accessories_of_artifact ON artifacts (repository_id, subject_digest, manifest_id)
    WHERE subject_digest IS NOT NULL;
CREATE INDEX parents_of_child ON manifest_children (digest, manifest_id);

-- How many entries of a list have ids from chunk * 4096 on, so that a page deep in a long list is found without
-- walking there. Lists are in the order of their ids: 'repository' and 'project' the listed artifacts of one,
-- 'repositories' those of a project, 'catalog' those of all (id 0).
CREATE TABLE list_chunks (
    list    TEXT    NOT NULL,
    id      INTEGER NOT NULL,
    chunk   INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    PRIMARY KEY (list, id, chunk)
) STRICT, WITHOUT ROWID;

CREATE TABLE labels (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    color       TEXT    NOT NULL,
    scope       TEXT    NOT NULL,
    project_id  INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (scope, project_id, name)
) STRICT;

CREATE TABLE artifact_labels (
    manifest_id INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
    label_id    INTEGER NOT NULL REFERENCES labels (id) ON DELETE CASCADE,
    PRIMARY KEY (manifest_id, label_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifacts_of_label ON artifact_labels (label_id);

CREATE TABLE settings (
    name       TEXT    PRIMARY KEY NOT NULL,
    value      TEXT    NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    user_id    INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    request    TEXT    NOT NULL,
    status     INTEGER NOT NULL,
    headers    TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE audit_anchors (
    instance TEXT    NOT NULL,
    block    INTEGER NOT NULL,
    hash     TEXT    NOT NULL,
    records  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (instance, block)
) STRICT, WITHOUT ROWID;

UPDATE repositories SET updated_at = created_at;
UPDATE users SET updated_at = created_at;
INSERT INTO artifacts (manifest_id, repository_id, project_id, digest, media_type, config_media_type, artifact_type,
        type, size, subject_digest, accessory_type, parents, listed, pushed_at, pulled_at, pull_count, icon, extra,
        annotations, children, accessories, tag_count, tags, labels)
    SELECT m.id, m.repository_id, r.project_id, m.digest, m.media_type, '', m.artifact_type,
        CASE WHEN m.artifact_type = 'application/vnd.cncf.helm.config.v1+json' THEN 'CHART' ELSE 'IMAGE' END,
        m.size + COALESCE((SELECT CAST(SUM(b.size) AS INTEGER) FROM manifest_blobs u JOIN blobs b ON b.id = u.blob_id
            WHERE u.manifest_id = m.id), 0),
        m.subject_digest, CASE WHEN m.subject_digest IS NULL THEN '' ELSE 'subject.accessory' END,
        (SELECT COUNT(*) FROM manifest_children c JOIN manifests p ON p.id = c.manifest_id
            WHERE c.digest = m.digest AND p.repository_id = m.repository_id),
        0, m.pushed_at, m.last_pulled, m.pull_count, '', '{}', m.annotations, '[]',
        (SELECT COUNT(*) FROM manifests s WHERE s.repository_id = m.repository_id AND s.subject_digest = m.digest),
        (SELECT COUNT(*) FROM tags t WHERE t.manifest_id = m.id), NULL, '[]'
    FROM manifests m JOIN repositories r ON r.id = m.repository_id;
UPDATE artifacts SET children = '', size = size + COALESCE((
        SELECT CAST(SUM(CASE WHEN k.media_type IN ('application/vnd.oci.image.index.v1+json',
            'application/vnd.docker.distribution.manifest.list.v2+json') THEN n.size ELSE k.size END) AS INTEGER)
        FROM manifest_children c JOIN manifests n ON n.repository_id = artifacts.repository_id AND n.digest = c.digest
            JOIN artifacts k ON k.manifest_id = n.id
        WHERE c.manifest_id = artifacts.manifest_id), 0)
    WHERE media_type IN ('application/vnd.oci.image.index.v1+json',
        'application/vnd.docker.distribution.manifest.list.v2+json');
UPDATE artifacts SET listed = 1 WHERE subject_digest IS NULL AND (tag_count > 0 OR parents = 0);
UPDATE repositories SET artifact_count =
    (SELECT COUNT(*) FROM artifacts a WHERE a.repository_id = repositories.id AND a.listed = 1);
UPDATE projects SET
    repository_count = (SELECT COUNT(*) FROM repositories r WHERE r.project_id = projects.id),
    artifact_count = (SELECT COUNT(*) FROM artifacts a WHERE a.project_id = projects.id AND a.listed = 1);
INSERT INTO list_chunks (list, id, chunk, entries)
    SELECT 'repository', repository_id, manifest_id / 4096, COUNT(*) FROM artifacts WHERE listed = 1 GROUP BY 2, 3;
INSERT INTO list_chunks (list, id, chunk, entries)
    SELECT 'project', project_id, manifest_id / 4096, COUNT(*) FROM artifacts WHERE listed = 1 GROUP BY 2, 3;
INSERT INTO list_chunks (list, id, chunk, entries)
    SELECT 'repositories', project_id, id / 4096, COUNT(*) FROM repositories GROUP BY 2, 3;
INSERT INTO list_chunks (list, id, chunk, entries)
    SELECT 'catalog', 0, id / 4096, COUNT(*) FROM repositories GROUP BY 3;
)sql";

}  // namespace entrepot

#pragma once

namespace entrepot {

// Schema version 6: rules that a project's owners give it (what may not be moved or deleted, what is kept, what may be
// pushed), and what its tags pointed at before.
inline constexpr const char* sqlite_rules_schema = R"sql(
-- How many rules are in force: who pushes or deletes locks this row anyway, and reads no rules where there are none.
ALTER TABLE projects ADD COLUMN immutable_rules INTEGER NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN push_policies INTEGER NOT NULL DEFAULT 0;

CREATE TABLE immutable_rules (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id   INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    disabled     INTEGER NOT NULL,
    priority     INTEGER NOT NULL,
    repositories TEXT NOT NULL,
    tags         TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (project_id, repositories, tags)
) STRICT;

CREATE TABLE tag_history (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    tag           TEXT NOT NULL,
    digest        TEXT NOT NULL,
    previous      TEXT NOT NULL,
    at            INTEGER NOT NULL,
    until         INTEGER NOT NULL,
    user_id       INTEGER NOT NULL,
    how           TEXT    NOT NULL
) STRICT;
CREATE INDEX tag_history_of_tag ON tag_history (repository_id, tag, id);
CREATE INDEX tag_history_by_end ON tag_history (until) WHERE until > 0;
INSERT INTO tag_history (repository_id, tag, digest, previous, at, until, user_id, how)
    SELECT t.repository_id, t.name, m.digest, '', t.pushed_at, 0, t.pushed_by, 'push'
    FROM tags t JOIN manifests m ON m.id = t.manifest_id ORDER BY t.pushed_at, t.name;

ALTER TABLE tags ADD COLUMN expires_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tags_by_expiry ON tags (expires_at) WHERE expires_at > 0;

CREATE TABLE retention_policies (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id  INTEGER NOT NULL UNIQUE REFERENCES projects (id) ON DELETE CASCADE,
    cron        TEXT    NOT NULL,
    confirm_all INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE retention_rules (
    policy_id    INTEGER NOT NULL REFERENCES retention_policies (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL,
    disabled     INTEGER NOT NULL,
    template     TEXT    NOT NULL,
    number       INTEGER NOT NULL,
    versions     TEXT    NOT NULL,
    untagged     INTEGER NOT NULL,
    repositories TEXT    NOT NULL,
    tags         TEXT    NOT NULL,
    PRIMARY KEY (policy_id, position)
) STRICT, WITHOUT ROWID;

-- What a run did, or would do, in one repository. The run itself is a job.
CREATE TABLE retention_tasks (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    policy_id    INTEGER NOT NULL REFERENCES retention_policies (id) ON DELETE CASCADE,
    execution_id INTEGER NOT NULL,
    repository   TEXT NOT NULL,
    removed      INTEGER NOT NULL,
    retained     INTEGER NOT NULL,
    started_at   INTEGER NOT NULL,
    ended_at     INTEGER NOT NULL,
    report       TEXT    NOT NULL,
    UNIQUE (execution_id, repository)
) STRICT;
CREATE INDEX retention_tasks_of_policy ON retention_tasks (policy_id, execution_id);

-- What runs somewhere, as whoever runs it reports: retention leaves it alone until then.
CREATE TABLE images_in_use (
    project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    source     TEXT NOT NULL,
    repository TEXT NOT NULL,
    reference  TEXT NOT NULL,
    until      INTEGER NOT NULL,
    PRIMARY KEY (project_id, source, repository, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX images_in_use_of_repository ON images_in_use (repository);

CREATE TABLE push_policies (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id   INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    disabled     INTEGER NOT NULL,
    repositories TEXT    NOT NULL,
    names        TEXT    NOT NULL,
    tags         TEXT    NOT NULL,
    versions     TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (project_id, name)
) STRICT;
)sql";

}  // namespace entrepot

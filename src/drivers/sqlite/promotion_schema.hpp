#pragma once

namespace entrepot {

// Schema version 9: names that are kept for what has another one now, and promotions.
inline constexpr const char* sqlite_promotion_schema = R"sql(
-- Of a project: a name that it had. With a repository: the path below the project at which that once was.
CREATE TABLE former_names (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT    NOT NULL,
    project_id    INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    repository_id INTEGER REFERENCES repositories (id) ON DELETE CASCADE,
    renamed_at    INTEGER NOT NULL,
    renamed_by    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX former_names_of_projects ON former_names (name) WHERE repository_id IS NULL;
CREATE UNIQUE INDEX former_names_in_project ON former_names (project_id, name) WHERE repository_id IS NOT NULL;
CREATE INDEX former_names_by_project ON former_names (project_id, id);
CREATE INDEX former_names_of_repository ON former_names (repository_id) WHERE repository_id IS NOT NULL;

-- Steps of pipelines: from one project to another. Selectors and gates are texts (access/selectors.hpp,
-- access/promotion_gate.hpp), a lifetime is in microseconds.
CREATE TABLE promotion_policies (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id        INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    target_project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name              TEXT NOT NULL,
    description       TEXT NOT NULL,
    disabled          INTEGER NOT NULL,
    repositories      TEXT NOT NULL,
    tags              TEXT NOT NULL,
    target_repository TEXT NOT NULL,
    target_tag        TEXT NOT NULL,
    gates             TEXT NOT NULL,
    approvals         INTEGER NOT NULL,
    self_approval     INTEGER NOT NULL,
    lifetime          INTEGER NOT NULL,
    created_by        INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    UNIQUE (project_id, name)
) STRICT;
CREATE INDEX promotion_policies_by_target ON promotion_policies (target_project_id);

CREATE TABLE promotions (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id        INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    target_project_id INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    policy_id         INTEGER NOT NULL,
    policy            TEXT NOT NULL,
    state             TEXT NOT NULL,
    approvals         INTEGER NOT NULL,
    self_approval     INTEGER NOT NULL,
    requester_id      INTEGER NOT NULL,
    comment           TEXT NOT NULL,
    error             TEXT NOT NULL,
    requested_at      INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,
    ended_at          INTEGER NOT NULL,
    ended_by          INTEGER NOT NULL
) STRICT;
CREATE INDEX promotions_by_source ON promotions (project_id, id);
CREATE INDEX promotions_by_target ON promotions (target_project_id, id);
CREATE INDEX promotions_open ON promotions (expires_at) WHERE ended_at = 0;

CREATE TABLE promotion_items (
    promotion_id      INTEGER NOT NULL REFERENCES promotions (id) ON DELETE CASCADE,
    position          INTEGER NOT NULL,
    repository        TEXT NOT NULL,
    digest            TEXT NOT NULL,
    tag               TEXT NOT NULL,
    target_repository TEXT NOT NULL,
    target_tag        TEXT NOT NULL,
    PRIMARY KEY (promotion_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE promotion_votes (
    promotion_id INTEGER NOT NULL REFERENCES promotions (id) ON DELETE CASCADE,
    user_id      INTEGER NOT NULL,
    approves     INTEGER NOT NULL,
    comment      TEXT NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (promotion_id, user_id)
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace entrepot

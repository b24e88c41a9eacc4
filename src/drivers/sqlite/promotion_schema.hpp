#pragma once

namespace entrepot {

// Schema version 8: names that are kept for what has another one now.
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
)sql";

}  // namespace entrepot

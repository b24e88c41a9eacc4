#pragma once

namespace entrepot {

// Schema version 10: what was deleted and can be brought back (docs/decisions/0020-trash.md). A repository is told by
// its name below the project, as its row may be gone.
inline constexpr const char* sqlite_trash_schema = R"sql(
CREATE TABLE trash_state (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    keep INTEGER NOT NULL
) STRICT;
INSERT INTO trash_state (one, keep) VALUES (1, 0);

-- One deletion: of an artifact with what went with it, or (an empty digest) of a repository.
CREATE TABLE trash (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id    INTEGER NOT NULL REFERENCES projects (id),
    repository    TEXT    NOT NULL,
    digest        TEXT    NOT NULL,
    media_type    TEXT    NOT NULL,
    artifact_type TEXT    NOT NULL,
    size          INTEGER NOT NULL,
    description   TEXT    NOT NULL,
    manifests     INTEGER NOT NULL,
    deleted_at    INTEGER NOT NULL,
    deleted_by    INTEGER NOT NULL,
    how           TEXT    NOT NULL,
    expires_at    INTEGER NOT NULL,
    restored_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX trash_of_project ON trash (project_id, id);
CREATE INDEX trash_by_expiry ON trash (expires_at);

CREATE TABLE trash_manifests (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    trash_id          INTEGER NOT NULL REFERENCES trash (id),
    project_id        INTEGER NOT NULL,
    repository        TEXT    NOT NULL,
    digest            TEXT    NOT NULL,
    media_type        TEXT    NOT NULL,
    subject_digest    TEXT,
    type              TEXT    NOT NULL,
    config_media_type TEXT    NOT NULL,
    extra             TEXT    NOT NULL,
    icon              TEXT    NOT NULL,
    pushed_at         INTEGER NOT NULL,
    pushed_by         INTEGER NOT NULL,
    pull_count        INTEGER NOT NULL,
    pulled_at         INTEGER NOT NULL,
    complete          INTEGER NOT NULL,
    body              BLOB    NOT NULL
) STRICT;
CREATE INDEX trash_manifests_of_entry ON trash_manifests (trash_id, id);
CREATE INDEX trash_manifests_by_digest ON trash_manifests (digest, project_id, repository);

CREATE TABLE trash_tags (
    manifest_id INTEGER NOT NULL REFERENCES trash_manifests (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (manifest_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE trash_labels (
    manifest_id INTEGER NOT NULL REFERENCES trash_manifests (id) ON DELETE CASCADE,
    label_id    INTEGER NOT NULL,
    PRIMARY KEY (manifest_id, label_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE trash_children (
    manifest_id INTEGER NOT NULL REFERENCES trash_manifests (id) ON DELETE CASCADE,
    digest      TEXT    NOT NULL,
    PRIMARY KEY (manifest_id, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX trash_parents ON trash_children (digest, manifest_id);

-- As repository_blobs: what is here has its bytes, and its project is charged for it.
CREATE TABLE trash_blobs (
    manifest_id INTEGER NOT NULL REFERENCES trash_manifests (id),
    blob_id     INTEGER NOT NULL REFERENCES blobs (id),
    PRIMARY KEY (manifest_id, blob_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX trash_of_blob ON trash_blobs (blob_id);
)sql";

}  // namespace entrepot

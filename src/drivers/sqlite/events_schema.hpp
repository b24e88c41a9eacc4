#pragma once

namespace entrepot {

// Schema version 4: the log of events. There is one writer, so ids are given in the order of commits and are the
// sequence by which the log is read.
inline constexpr const char* sqlite_events_schema = R"sql(
CREATE TABLE events (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    type        TEXT    NOT NULL,
    tenant_id   INTEGER NOT NULL,
    project_id  INTEGER NOT NULL,
    project     TEXT    NOT NULL,
    repository  TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    tag         TEXT    NOT NULL,
    media_type  TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    user_id     INTEGER NOT NULL,
    user_name   TEXT    NOT NULL,
    occurred_at INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    details     TEXT    NOT NULL
) STRICT;

CREATE VIEW event_log AS
    SELECT id AS sequence, id, type, tenant_id, project_id, project, repository, digest, tag, media_type, size,
           user_id, user_name, occurred_at, count, details
    FROM events;

CREATE TABLE event_consumers (
    name     TEXT    PRIMARY KEY NOT NULL,
    sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace entrepot

#pragma once

namespace entrepot {

// Schema version 4: the log of events, and webhooks. There is one writer, so ids are given in the order of commits and
// are the sequence by which the log is read.
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
-- From the first event on: none may be missed before the first instance looks.
INSERT INTO event_consumers (name, sequence) VALUES ('webhooks', 0);

-- Policies of webhooks; project 0 is the whole installation. Targets are JSON, their secrets sealed.
CREATE TABLE webhook_policies (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id   INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    enabled      INTEGER NOT NULL,
    event_types  TEXT    NOT NULL,
    repositories TEXT    NOT NULL,
    tags         TEXT    NOT NULL,
    targets      TEXT    NOT NULL,
    creator_id   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (project_id, name)
) STRICT;

-- When a policy was last set off, for each type of event.
CREATE TABLE webhook_triggers (
    policy_id  INTEGER NOT NULL REFERENCES webhook_policies (id) ON DELETE CASCADE,
    event_type TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (policy_id, event_type)
) STRICT, WITHOUT ROWID;

-- Targets that have failed since they last succeeded.
CREATE TABLE webhook_circuits (
    policy_id  INTEGER NOT NULL REFERENCES webhook_policies (id) ON DELETE CASCADE,
    target     INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    open_until INTEGER NOT NULL,
    last_error TEXT    NOT NULL,
    PRIMARY KEY (policy_id, target)
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace entrepot

#pragma once

namespace entrepot {

// Schema version 3: work that is kept until it is done, and when it comes round again.
inline constexpr const char* sqlite_jobs_schema = R"sql(
CREATE TABLE jobs (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    kind           TEXT    NOT NULL,
    parent_id      INTEGER NOT NULL,
    subject_id     INTEGER NOT NULL,
    tenant_id      INTEGER NOT NULL,
    project_id     INTEGER NOT NULL,
    priority       INTEGER NOT NULL,
    turn           INTEGER NOT NULL,
    cause          TEXT    NOT NULL,
    parameters     TEXT    NOT NULL,
    unique_key     TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    not_before     INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    most_attempts  INTEGER NOT NULL,
    losses         INTEGER NOT NULL DEFAULT 0,
    fence          INTEGER NOT NULL DEFAULT 0,
    lease_until    INTEGER NOT NULL DEFAULT 0,
    worker         TEXT    NOT NULL DEFAULT '',
    stop_requested INTEGER NOT NULL DEFAULT 0,
    checkpoint     TEXT    NOT NULL DEFAULT '',
    progress       TEXT    NOT NULL DEFAULT '',
    result         TEXT    NOT NULL DEFAULT '',
    log_lines      INTEGER NOT NULL DEFAULT 0,
    user_id        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    started_at     INTEGER NOT NULL DEFAULT 0,
    ended_at       INTEGER NOT NULL DEFAULT 0
) STRICT;
-- The state is in them so that counting reads nothing else.
CREATE INDEX jobs_waiting ON jobs (kind, priority, turn, id, state) WHERE state = 'waiting';
CREATE INDEX jobs_delayed ON jobs (not_before, kind, state) WHERE state = 'delayed';
CREATE INDEX jobs_running ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_failed ON jobs (kind, id, state) WHERE state = 'failed';
CREATE UNIQUE INDEX jobs_unfinished_key ON jobs (kind, unique_key) WHERE unique_key <> '' AND ended_at = 0;
CREATE INDEX jobs_of_kind ON jobs (kind, id);
CREATE INDEX jobs_of_subject ON jobs (kind, subject_id, id) WHERE subject_id <> 0;
CREATE INDEX jobs_of_parent ON jobs (parent_id, id) WHERE parent_id <> 0;
CREATE INDEX jobs_ended ON jobs (kind, ended_at) WHERE ended_at > 0;

CREATE TABLE job_turns (
    kind      TEXT    NOT NULL,
    tenant_id INTEGER NOT NULL,
    priority  INTEGER NOT NULL,
    last_turn INTEGER NOT NULL,
    PRIMARY KEY (kind, priority, tenant_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_turns_last ON job_turns (kind, priority, last_turn);

CREATE TABLE job_logs (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    line   TEXT    NOT NULL,
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_queues (
    kind       TEXT    PRIMARY KEY NOT NULL,
    paused     INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job_workers (
    worker       TEXT    PRIMARY KEY NOT NULL,
    host         TEXT    NOT NULL,
    pid          INTEGER NOT NULL,
    concurrency  INTEGER NOT NULL,
    started_at   INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE schedules (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT    NOT NULL,
    subject_id    INTEGER NOT NULL,
    tenant_id     INTEGER NOT NULL,
    project_id    INTEGER NOT NULL,
    type          TEXT    NOT NULL,
    cron          TEXT    NOT NULL,
    parameters    TEXT    NOT NULL,
    priority      INTEGER NOT NULL,
    most_attempts INTEGER NOT NULL,
    unique_key    TEXT    NOT NULL,
    missed        TEXT    NOT NULL,
    next_at       INTEGER NOT NULL,
    last_at       INTEGER NOT NULL DEFAULT 0,
    last_job      INTEGER NOT NULL DEFAULT 0,
    user_id       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    UNIQUE (kind, subject_id)
) STRICT;
CREATE INDEX schedules_by_next ON schedules (next_at) WHERE next_at > 0;
)sql";

}  // namespace entrepot

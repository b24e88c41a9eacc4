#pragma once

namespace entrepot {

// Schema version 4: the log of events, and webhooks. Ids are drawn before transactions commit, so the sequence by which
// the log is read is given afterwards, by one transaction at a time (docs/decisions/0013-events.md).
inline constexpr const char* postgres_events_schema = R"sql(
CREATE TABLE events (
    id          BIGINT  PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    sequence    BIGINT,
    type        TEXT COLLATE "C" NOT NULL,
    tenant_id   BIGINT  NOT NULL,
    project_id  BIGINT  NOT NULL,
    project     TEXT    NOT NULL,
    repository  TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    tag         TEXT    NOT NULL,
    media_type  TEXT    NOT NULL,
    size        BIGINT  NOT NULL,
    user_id     BIGINT  NOT NULL,
    user_name   TEXT    NOT NULL,
    occurred_at BIGINT  NOT NULL,
    count       BIGINT  NOT NULL,
    details     TEXT    NOT NULL
);
CREATE UNIQUE INDEX events_in_order ON events (sequence) WHERE sequence IS NOT NULL;
CREATE INDEX events_without_number ON events (id) WHERE sequence IS NULL;

CREATE VIEW event_log AS
    SELECT sequence, id, type, tenant_id, project_id, project, repository, digest, tag, media_type, size,
           user_id, user_name, occurred_at, count, details
    FROM events WHERE sequence IS NOT NULL;

-- The last number given. Its row is locked by whoever numbers.
CREATE TABLE event_order (
    one    BIGINT PRIMARY KEY CHECK (one = 1),
    newest BIGINT NOT NULL
);
INSERT INTO event_order (one, newest) VALUES (1, 0);

CREATE TABLE event_consumers (
    name     TEXT COLLATE "C" PRIMARY KEY,
    sequence BIGINT NOT NULL
);
-- From the first event on: none may be missed before the first instance looks.
INSERT INTO event_consumers (name, sequence) VALUES ('webhooks', 0);

CREATE FUNCTION tell_events_numbered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY entrepot_events;
    RETURN NULL;
END
$$;
CREATE TRIGGER events_numbered AFTER UPDATE ON event_order
    FOR EACH STATEMENT EXECUTE FUNCTION tell_events_numbered();

-- Policies of webhooks; project 0 is the whole installation. Targets are JSON, their secrets sealed.
CREATE TABLE webhook_policies (
    id           BIGINT  PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    project_id   BIGINT  NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    description  TEXT    NOT NULL,
    enabled      BIGINT  NOT NULL,
    event_types  TEXT    NOT NULL,
    repositories TEXT    NOT NULL,
    tags         TEXT    NOT NULL,
    targets      TEXT    NOT NULL,
    creator_id   BIGINT  NOT NULL,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    UNIQUE (project_id, name)
);

-- When a policy was last set off, for each type of event.
CREATE TABLE webhook_triggers (
    policy_id  BIGINT  NOT NULL REFERENCES webhook_policies (id) ON DELETE CASCADE,
    event_type TEXT COLLATE "C" NOT NULL,
    at         BIGINT  NOT NULL,
    PRIMARY KEY (policy_id, event_type)
);

-- Targets that have failed since they last succeeded.
CREATE TABLE webhook_circuits (
    policy_id  BIGINT  NOT NULL REFERENCES webhook_policies (id) ON DELETE CASCADE,
    target     BIGINT  NOT NULL,
    failures   BIGINT  NOT NULL,
    open_until BIGINT  NOT NULL,
    last_error TEXT    NOT NULL,
    PRIMARY KEY (policy_id, target)
);
)sql";

}  // namespace entrepot

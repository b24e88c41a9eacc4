#pragma once

namespace entrepot {

// Schema version 13: results of checks, and promotions that are asked for by themselves and wait for their gates
// (docs/decisions/0024-environments.md).
inline constexpr const char* sqlite_environments_schema = R"sql(
CREATE TABLE artifact_checks (
    manifest_id INTEGER NOT NULL REFERENCES manifests (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    state       TEXT NOT NULL,
    url         TEXT NOT NULL,
    summary     TEXT NOT NULL,
    reporter_id INTEGER NOT NULL,
    reported_at INTEGER NOT NULL,
    PRIMARY KEY (manifest_id, name)
) STRICT, WITHOUT ROWID;

ALTER TABLE promotion_policies ADD COLUMN trigger_type TEXT NOT NULL DEFAULT 'manual';
CREATE INDEX promotion_policies_by_event ON promotion_policies (id)
    WHERE trigger_type = 'event_based' AND disabled = 0;

-- Of a promotion that an event asked for: who caused that (0: nobody who is to be kept from approving it), when it is
-- looked at next, and one line for each gate that was shut when it was looked at last.
ALTER TABLE promotions ADD COLUMN automatic INTEGER NOT NULL DEFAULT 0;
ALTER TABLE promotions ADD COLUMN caused_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE promotions ADD COLUMN look_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE promotions ADD COLUMN waiting_for TEXT NOT NULL DEFAULT '';
CREATE INDEX promotions_to_look_at ON promotions (look_at) WHERE automatic = 1 AND ended_at = 0;
CREATE INDEX automatic_promotions_of_policy ON promotions (policy_id) WHERE automatic = 1 AND ended_at = 0;
CREATE INDEX promotion_items_by_digest ON promotion_items (digest, promotion_id);
)sql";

}  // namespace entrepot

#pragma once

namespace entrepot {

// Version 5. What garbage collection keeps beside links, blobs and artifacts
// (docs/decisions/0014-garbage-collection.md). A link that no manifest of its repository uses says since when; 0: it is
// used. A manifest of an older program would not say in which repository it uses a blob.
inline constexpr const char* sqlite_garbage_schema = R"sql(
ALTER TABLE repository_blobs ADD COLUMN unused_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE manifest_blobs ADD COLUMN repository_id INTEGER NOT NULL DEFAULT 0;
UPDATE manifest_blobs SET repository_id =
    (SELECT m.repository_id FROM manifests m WHERE m.id = manifest_blobs.manifest_id);
DROP INDEX manifests_of_blob;
CREATE INDEX uses_of_blob ON manifest_blobs (blob_id, repository_id, manifest_id);
UPDATE repository_blobs SET unused_since = unixepoch() * 1000000 WHERE NOT EXISTS (SELECT 1 FROM manifest_blobs u
    WHERE u.blob_id = repository_blobs.blob_id AND u.repository_id = repository_blobs.repository_id);
CREATE INDEX unused_links ON repository_blobs (unused_since) WHERE unused_since > 0;

-- 0 live, 1 absent: a manifest names it and nobody has pushed it, 2 condemned: no repository holds it, 3 leaving: its
-- bytes are being removed.
ALTER TABLE blobs ADD COLUMN state INTEGER NOT NULL DEFAULT 0;
ALTER TABLE blobs ADD COLUMN condemned_at INTEGER NOT NULL DEFAULT 0;
UPDATE blobs SET state = CASE WHEN EXISTS (SELECT 1 FROM manifest_blobs u WHERE u.blob_id = blobs.id) THEN 1 ELSE 2 END,
    condemned_at = unixepoch() * 1000000 WHERE NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.blob_id = blobs.id);
CREATE INDEX blobs_not_live ON blobs (state, condemned_at) WHERE state > 0;

-- How often rows of removed blobs were forgotten: whoever stores bytes compares it.
CREATE TABLE gc_state (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    sweeps INTEGER NOT NULL
) STRICT;
INSERT INTO gc_state (one, sweeps) VALUES (1, 0);

-- 0 kept, 1 nothing keeps it, 2 what it belonged to is gone.
ALTER TABLE artifacts ADD COLUMN dead_kind INTEGER NOT NULL DEFAULT 0;
ALTER TABLE artifacts ADD COLUMN dead_since INTEGER NOT NULL DEFAULT 0;
UPDATE artifacts SET dead_kind = 1, dead_since = unixepoch() * 1000000 WHERE tag_count = 0 AND parents = 0 AND NOT EXISTS
    (SELECT 1 FROM manifests s WHERE s.repository_id = artifacts.repository_id AND s.digest = artifacts.subject_digest);
CREATE INDEX dead_artifacts ON artifacts (dead_kind, dead_since) WHERE dead_kind > 0;
)sql";

}  // namespace entrepot

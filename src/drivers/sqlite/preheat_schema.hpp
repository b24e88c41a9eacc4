#pragma once

namespace entrepot {

// Schema version 17: images that nodes are to have before anybody asks for them (docs/decisions/0030-preheat.md).
inline constexpr const char* sqlite_preheat_schema = R"sql(
-- `zones` and `names` are JSON lists, empty: any. The project may be gone, and so may be who asked for it.
CREATE TABLE preheats (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id      INTEGER NOT NULL,
    repository      TEXT    NOT NULL,
    reference       TEXT    NOT NULL,
    platform        TEXT    NOT NULL,
    digest          TEXT    NOT NULL,
    bytes           INTEGER NOT NULL,
    zones           TEXT    NOT NULL,
    names           TEXT    NOT NULL,
    percent         INTEGER NOT NULL,
    deadline        INTEGER NOT NULL,
    rate            INTEGER NOT NULL,
    owner_id        INTEGER NOT NULL,
    access_token_id INTEGER NOT NULL,
    stage           TEXT    NOT NULL,
    message         TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    ended_at        INTEGER NOT NULL
) STRICT;
CREATE INDEX preheats_of_project ON preheats (project_id, id);
CREATE INDEX preheats_by_end ON preheats (ended_at, id);

CREATE TABLE preheat_nodes (
    preheat_id INTEGER NOT NULL REFERENCES preheats (id) ON DELETE CASCADE,
    node_id    TEXT    NOT NULL REFERENCES nodes (id) ON DELETE CASCADE,
    state      TEXT    NOT NULL,
    bytes_done INTEGER NOT NULL,
    message    TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (preheat_id, node_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX preheat_nodes_of_node ON preheat_nodes (node_id);
)sql";

}  // namespace entrepot

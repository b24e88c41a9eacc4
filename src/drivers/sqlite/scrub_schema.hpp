#pragma once

namespace entrepot {

// Version 11. What scrubs found (docs/decisions/0017-scrub.md). A blob's state may be 4 from now on: lost, so that an
// older program, which would call such a blob present, is refused.
inline constexpr const char* sqlite_scrub_schema = R"sql(
CREATE TABLE scrub_findings (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    subject    TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    state      TEXT NOT NULL,
    size       INTEGER NOT NULL,
    note       TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    closed_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX open_findings ON scrub_findings (kind, last_seen) WHERE state = 'open';
CREATE INDEX closed_findings ON scrub_findings (closed_at) WHERE closed_at > 0;
)sql";

}  // namespace entrepot

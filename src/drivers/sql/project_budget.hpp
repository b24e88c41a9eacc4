#pragma once

#include "core/clock.hpp"
#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/sql_session.hpp"

#include <cstdint>
#include <map>
#include <string_view>

namespace entrepot {

// What projects use and what they may use (docs/decisions/0016-quotas.md). To be called inside a transaction.
//
// Where transactions have no rivals, what a project uses is in its row. Where they have, a push must not hold its
// project's row until its commit is on disk, so it leaves a row in project_deltas instead; settle_deltas() adds those
// up. What a project uses is the sum of both, in every statement.
//
// Whoever adds to a project with a limit checks it in the same transaction. With rivals that takes the lock of the
// limit's row, or a *claim*: a row in quota_claims for at least as much, made under that lock in a short transaction
// of its own and given back in the one that uses it. Claims that have not expired count as used.

#define PROJECT_BYTES \
    "(p.bytes + COALESCE((SELECT CAST(SUM(d.bytes) AS BIGINT) FROM project_deltas d WHERE d.project_id = p.id), 0))"
#define PROJECT_ARTIFACTS  \
    "(p.artifact_count + " \
    "COALESCE((SELECT CAST(SUM(d.artifacts) AS BIGINT) FROM project_deltas d WHERE d.project_id = p.id), 0))"

// Changes what the project uses. `artifacts` says how many more or fewer it lists by the chunks of its list.
// quota_exceeded when that adds something which the project or its tenant may not use.
using ArtifactsByChunk = std::map<std::int64_t, std::int64_t>;
Result<> charge(
    SqlSession& session, const RepositoryRow& place, std::int64_t bytes, const ArtifactsByChunk& artifacts, Micros now
);

struct Claim {
    std::string_view id;
    std::int64_t bytes = 0;
    std::int64_t artifacts = 0;
    Micros until = 0;
};
// Makes the claim, or raises the one of this id to it; nothing for a project without limits. quota_exceeded.
Result<> make_claim(SqlSession& session, const RepositoryRow& place, const Claim& claim, Micros now);
// Gives it back to be used now; says whether it was for at least `bytes`.
Result<bool> take_claim(SqlSession& session, std::string_view id, std::int64_t bytes, Micros now);

// Adds up what rivals have left, of at most `limit` projects; how many it did.
Result<std::int64_t> settle_deltas(SqlSession& session, std::int64_t limit);

}  // namespace entrepot

#include "drivers/sql/project_budget.hpp"

#include "drivers/sql/artifact_rows.hpp"

#include <string>

namespace entrepot {

namespace {

constexpr SqlStatement add_to_project{
    "UPDATE projects SET bytes = bytes + $2, artifact_count = artifact_count + $3 WHERE id = $1"
};
constexpr SqlStatement count_in_chunk{
    "INSERT INTO list_chunks (list, id, chunk, entries) VALUES ('project', $1, $2, $3) "
    "ON CONFLICT (list, id, chunk) DO UPDATE SET "
    "entries = list_chunks.entries + excluded.entries"
};
constexpr SqlStatement drop_empty_chunk{
    "DELETE FROM list_chunks WHERE list = 'project' AND id = $1 AND chunk = $2 AND entries = 0"
};
constexpr SqlStatement leave_delta{
    "INSERT INTO project_deltas (project_id, bytes, chunk, artifacts) VALUES ($1, $2, $3, $4)"
};

constexpr SqlStatement unsettled_projects{"SELECT DISTINCT project_id FROM project_deltas ORDER BY project_id LIMIT $1"
};
constexpr SqlStatement take_deltas{"DELETE FROM project_deltas WHERE project_id = $1 RETURNING bytes, chunk, artifacts"
};

constexpr SqlStatement lock_project{"SELECT id FROM projects WHERE id = $1", "FOR NO KEY UPDATE"};
constexpr SqlStatement lock_tenant{"SELECT id FROM tenants WHERE id = $1", "FOR NO KEY UPDATE"};

constexpr SqlStatement use_of_project{
    "SELECT p.name, p.quota_bytes, p.quota_artifacts, t.quota_bytes, t.quota_artifacts, " PROJECT_BYTES
    ", " PROJECT_ARTIFACTS ", "
    "COALESCE((SELECT CAST(SUM(c.bytes) AS BIGINT) FROM quota_claims c WHERE c.project_id = p.id "
    "AND c.expires_at > $2 AND c.id <> $3), 0), "
    "COALESCE((SELECT CAST(SUM(c.artifacts) AS BIGINT) FROM quota_claims c WHERE c.project_id = p.id "
    "AND c.expires_at > $2 AND c.id <> $3), 0) "
    "FROM projects p JOIN tenants t ON t.id = p.tenant_id WHERE p.id = $1"
};

// Of the tenant's projects that have no limit of their own, with their claims; and what the others are given.
constexpr SqlStatement bytes_of_tenant{
    "SELECT CAST(COALESCE(SUM(CASE WHEN p.quota_bytes >= 0 THEN p.quota_bytes ELSE " PROJECT_BYTES
    " + COALESCE((SELECT CAST(SUM(c.bytes) AS BIGINT) FROM quota_claims c WHERE c.project_id = p.id "
    "AND c.expires_at > $2 AND c.id <> $3), 0) END), 0) AS BIGINT) FROM projects p WHERE p.tenant_id = $1"
};
constexpr SqlStatement artifacts_of_tenant{
    "SELECT CAST(COALESCE(SUM(CASE WHEN p.quota_artifacts >= 0 THEN p.quota_artifacts ELSE " PROJECT_ARTIFACTS
    " + COALESCE((SELECT CAST(SUM(c.artifacts) AS BIGINT) FROM quota_claims c WHERE c.project_id = p.id "
    "AND c.expires_at > $2 AND c.id <> $3), 0) END), 0) AS BIGINT) FROM projects p WHERE p.tenant_id = $1"
};

constexpr SqlStatement put_claim{
    "INSERT INTO quota_claims (id, project_id, bytes, artifacts, expires_at) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (id) DO UPDATE SET artifacts = excluded.artifacts, expires_at = excluded.expires_at, "
    "bytes = CASE WHEN quota_claims.expires_at > $6 AND quota_claims.bytes > excluded.bytes "
    "THEN quota_claims.bytes ELSE excluded.bytes END"
};
constexpr SqlStatement delete_claim{"DELETE FROM quota_claims WHERE id = $1 RETURNING bytes, expires_at"};

// What somebody is about to use, or (both 0) has just been charged for.
struct Wanted {
    std::int64_t bytes = 0;
    std::int64_t artifacts = 0;
    std::string_view claim{};  // the one that it is for: doesn't count against itself
};

struct Limit {
    const char* unit;
    std::int64_t of_project;
    std::int64_t of_tenant;
    std::int64_t used;  // by the project, with all claims and what is wanted
    std::int64_t wanted;
    const SqlStatement& use_of_tenant;
};

std::string amount(std::int64_t number, const char* unit)
{
    return std::to_string(number) + " " + unit;
}

Result<> check_limit(
    SqlSession& session,
    const RepositoryRow& place,
    const std::string& project,
    const Limit& limit,
    const Wanted& wanted,
    Micros now
)
{
    if (limit.of_project >= 0) {
        if (limit.used <= limit.of_project) return {};
        return fail(
            Errc::quota_exceeded,
            "project " + project + " may use " + amount(limit.of_project, limit.unit) + " and would use " +
                std::to_string(limit.used)
        );
    }
    if (limit.of_tenant < 0) return {};
    if (session.has_rivals()) CHECK(session.run(lock_tenant, {place.tenant_id}));
    TRY(const auto rows, session.run(limit.use_of_tenant, {place.tenant_id, now, wanted.claim}));
    if (rows.front().integer(0) + limit.wanted <= limit.of_tenant) return {};
    return fail(
        Errc::quota_exceeded,
        "the tenant of project " + project + " may use " + amount(limit.of_tenant, limit.unit) + ", of which " +
            std::to_string(rows.front().integer(0) + limit.wanted) + " would be used or given to other projects"
    );
}

Result<> check(SqlSession& session, const RepositoryRow& place, const Wanted& wanted, Micros now)
{
    if (session.has_rivals()) CHECK(session.run(lock_project, {place.project_id}));
    TRY(const auto rows, session.run(use_of_project, {place.project_id, now, wanted.claim}));
    if (rows.empty()) return fail(Errc::name_unknown, "the project is gone");
    const SqlRow& row = rows.front();
    const auto bytes = row.integer(5) + row.integer(7) + wanted.bytes;
    const auto artifacts = row.integer(6) + row.integer(8) + wanted.artifacts;
    const Limit of_bytes{"bytes", row.integer(1), row.integer(3), bytes, wanted.bytes, bytes_of_tenant};
    CHECK(check_limit(session, place, row.text(0), of_bytes, wanted, now));
    const Limit of_artifacts{
        "artifacts", row.integer(2), row.integer(4), artifacts, wanted.artifacts, artifacts_of_tenant
    };
    return check_limit(session, place, row.text(0), of_artifacts, wanted, now);
}

Result<> add(SqlSession& session, std::int64_t project_id, std::int64_t bytes, const ArtifactsByChunk& artifacts)
{
    std::int64_t listed = 0;
    for (const auto& [chunk, by] : artifacts) {
        if (by == 0) continue;
        listed += by;
        CHECK(session.run(count_in_chunk, {project_id, chunk, by}));
        if (by < 0) CHECK(session.run(drop_empty_chunk, {project_id, chunk}));
    }
    if (bytes != 0 || listed != 0) CHECK(session.run(add_to_project, {project_id, bytes, listed}));
    return {};
}

Result<> leave(SqlSession& session, std::int64_t project_id, std::int64_t bytes, const ArtifactsByChunk& artifacts)
{
    for (const auto& [chunk, by] : artifacts) {
        if (by == 0) continue;
        CHECK(session.run(leave_delta, {project_id, bytes, chunk, by}));
        bytes = 0;
    }
    if (bytes != 0) CHECK(session.run(leave_delta, {project_id, bytes, std::int64_t{0}, std::int64_t{0}}));
    return {};
}

}  // namespace

Result<> charge(
    SqlSession& session, const RepositoryRow& place, std::int64_t bytes, const ArtifactsByChunk& artifacts, Micros now
)
{
    if (session.has_rivals()) {
        CHECK(leave(session, place.project_id, bytes, artifacts));
    } else {
        CHECK(add(session, place.project_id, bytes, artifacts));
    }
    std::int64_t listed = 0;
    for (const auto& [chunk, by] : artifacts) listed += by;
    if (!place.limited || place.claimed || (bytes <= 0 && listed <= 0)) return {};
    return check(session, place, {}, now);
}

Result<> make_claim(SqlSession& session, const RepositoryRow& place, const Claim& claim, Micros now)
{
    if (!place.limited) return {};
    CHECK(check(session, place, {claim.bytes, claim.artifacts, claim.id}, now));
    CHECK(session.run(put_claim, {claim.id, place.project_id, claim.bytes, claim.artifacts, claim.until, now}));
    return {};
}

Result<bool> take_claim(SqlSession& session, std::string_view id, std::int64_t bytes, Micros now)
{
    TRY(const auto rows, session.run(delete_claim, {id}));
    return !rows.empty() && rows.front().integer(0) >= bytes && rows.front().integer(1) > now;
}

// The deltas first: whoever else settles them waits for those rows and then finds none.
Result<std::int64_t> settle_deltas(SqlSession& session, std::int64_t limit)
{
    TRY(const auto projects, session.run(unsettled_projects, {limit}));
    for (const SqlRow& project : projects) {
        const auto id = project.integer(0);
        TRY(const auto deltas, session.run(take_deltas, {id}));
        std::int64_t bytes = 0;
        ArtifactsByChunk artifacts;
        for (const SqlRow& delta : deltas) {
            bytes += delta.integer(0);
            if (delta.integer(2) != 0) artifacts[delta.integer(1)] += delta.integer(2);
        }
        CHECK(add(session, id, bytes, artifacts));
    }
    return static_cast<std::int64_t>(projects.size());
}

}  // namespace entrepot

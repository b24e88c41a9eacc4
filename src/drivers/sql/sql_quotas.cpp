#include "drivers/sql/sql_quotas.hpp"

#include "drivers/sql/project_budget.hpp"

namespace entrepot {

namespace {

constexpr std::int64_t settled_at_once = 200;

constexpr SqlStatement drop_expired_claims{"DELETE FROM quota_claims WHERE expires_at <= $1"};

// One statement, so that all of it is of one instant, also with rivals.
constexpr SqlStatement recount_next{
    "SELECT p.id, p.name, " PROJECT_BYTES " - "
    "COALESCE((SELECT CAST(SUM(m.size) AS BIGINT) FROM repositories r JOIN manifests m ON m.repository_id = r.id "
    "WHERE r.project_id = p.id), 0) - "
    "COALESCE((SELECT CAST(SUM(b.size) AS BIGINT) FROM blobs b WHERE b.id IN (SELECT l.blob_id FROM repositories r "
    "JOIN repository_blobs l ON l.repository_id = r.id WHERE r.project_id = p.id UNION "
    "SELECT x.blob_id FROM trash t JOIN trash_manifests k ON k.trash_id = t.id "
    "JOIN trash_blobs x ON x.manifest_id = k.id WHERE t.project_id = p.id)), 0), " PROJECT_ARTIFACTS
    " - (SELECT COUNT(*) FROM artifacts a WHERE a.project_id = p.id AND a.listed = 1) "
    "FROM projects p WHERE p.id > $1 ORDER BY p.id LIMIT 1"
};

constexpr SqlStatement mend_project{
    "UPDATE projects SET bytes = bytes - $2, artifact_count = artifact_count - $3 WHERE id = $1"
};

}  // namespace

Task<> SqlQuotas::settle(Micros now)
{
    const auto drop = [now](SqlSession& session) -> Result<> {
        CHECK(session.run(drop_expired_claims, {now}));
        return {};
    };
    CO_CHECK(co_await engine_.write(Durability::process, drop));
    const auto work = [](SqlSession& session) { return settle_deltas(session, settled_at_once); };
    for (std::int64_t settled = settled_at_once; settled == settled_at_once;) {
        CO_TRY(settled, co_await engine_.write(Durability::process, work));
    }
    co_return Result<>{};
}

Task<QuotaDrift> SqlQuotas::recount(std::int64_t after)
{
    const auto look = [after](SqlSession& session) -> Result<QuotaDrift> {
        TRY(auto rows, session.run(recount_next, {after}));
        if (rows.empty()) return QuotaDrift{};
        SqlRow& row = rows.front();
        return QuotaDrift{row.integer(0), row.take_text(1), row.integer(2), row.integer(3)};
    };
    CO_TRY(auto drift, co_await engine_.read(look));
    if (drift.bytes == 0 && drift.artifacts == 0) co_return drift;
    const auto mend = [drift](SqlSession& session) -> Result<> {
        CHECK(session.run(mend_project, {drift.project_id, drift.bytes, drift.artifacts}));
        return {};
    };
    CO_CHECK(co_await engine_.write(Durability::durable, mend));
    co_return drift;
}

}  // namespace entrepot

#include "drivers/sql/sql_usage.hpp"

#include "drivers/sql/project_budget.hpp"

namespace entrepot {

namespace {

constexpr std::int64_t forgotten_at_once = 5000;

constexpr SqlStatement find_next{"SELECT id FROM projects WHERE id > $1 ORDER BY id LIMIT 1"};
constexpr SqlStatement find_next_unmeasured{
    "SELECT p.id FROM projects p WHERE p.id > $1 AND NOT EXISTS "
    "(SELECT 1 FROM usage_days u WHERE u.project_id = p.id AND u.day = $2) ORDER BY p.id LIMIT 1"
};

// A blob's bytes that are not here (state 1) take no room anywhere. What division leaves over is less than a byte for
// each blob.
constexpr SqlStatement measure_project{
    "SELECT p.tenant_id, p.name, " PROJECT_BYTES ", " PROJECT_ARTIFACTS ", "
    "COALESCE((SELECT CAST(SUM(m.size) AS BIGINT) FROM repositories r JOIN manifests m ON m.repository_id = r.id "
    "WHERE r.project_id = p.id), 0), "
    "COALESCE((SELECT CAST(SUM(b.size) AS BIGINT) FROM repositories r JOIN manifests m ON m.repository_id = r.id "
    "JOIN manifest_blobs u ON u.manifest_id = m.id JOIN blobs b ON b.id = u.blob_id "
    "WHERE r.project_id = p.id AND b.state <> 1), 0), "
    "COALESCE((SELECT CAST(SUM(b.size / (SELECT COUNT(*) FROM project_blobs o WHERE o.blob_id = b.id)) AS BIGINT) "
    "FROM project_blobs x JOIN blobs b ON b.id = x.blob_id WHERE x.project_id = p.id), 0) "
    "FROM projects p WHERE p.id = $1"
};

constexpr SqlStatement put_day{
    "INSERT INTO usage_days (project_id, day, tenant_id, project, charged_bytes, referenced_bytes, stored_bytes, "
    "artifacts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (project_id, day) DO UPDATE SET "
    "tenant_id = excluded.tenant_id, project = excluded.project, charged_bytes = excluded.charged_bytes, "
    "referenced_bytes = excluded.referenced_bytes, stored_bytes = excluded.stored_bytes, "
    "artifacts = excluded.artifacts"
};

#define USAGE_SUMS                                                                \
    "CAST(SUM(charged_bytes) AS BIGINT), CAST(SUM(referenced_bytes) AS BIGINT), " \
    "CAST(SUM(stored_bytes) AS BIGINT), CAST(SUM(artifacts) AS BIGINT)"

constexpr SqlStatement days_of_tenant{"SELECT day, COUNT(*), " USAGE_SUMS " FROM usage_days "
                                      "WHERE tenant_id = $1 AND day >= $2 AND day <= $3 GROUP BY day ORDER BY day"};
constexpr SqlStatement days_of_project{"SELECT day, COUNT(*), " USAGE_SUMS " FROM usage_days "
                                       "WHERE project_id = $1 AND day >= $2 AND day <= $3 GROUP BY day ORDER BY day"};
// The name is that of the last day.
constexpr SqlStatement projects_of_tenant{
    "SELECT u.project_id, (SELECT n.project FROM usage_days n WHERE n.project_id = u.project_id AND n.day <= $3 "
    "ORDER BY n.day DESC LIMIT 1), COUNT(*), " USAGE_SUMS " FROM usage_days u "
    "WHERE u.tenant_id = $1 AND u.day >= $2 AND u.day <= $3 GROUP BY u.project_id "
    "ORDER BY SUM(charged_bytes) DESC, u.project_id LIMIT $4 OFFSET $5"
};
constexpr SqlStatement count_projects{
    "SELECT COUNT(DISTINCT project_id) FROM usage_days WHERE tenant_id = $1 AND day >= $2 AND day <= $3"
};

constexpr SqlStatement forget_days{
    "DELETE FROM usage_days WHERE (project_id, day) IN "
    "(SELECT project_id, day FROM usage_days WHERE day < $1 ORDER BY day LIMIT $2) RETURNING day"
};

Usage usage_in(const SqlRow& row, std::size_t column)
{
    return {row.integer(column), row.integer(column + 1), row.integer(column + 2), row.integer(column + 3)};
}

}  // namespace

Task<std::int64_t> SqlUsage::measure(std::int64_t after, std::int64_t day, Which which)
{
    struct Measured {
        std::int64_t project_id = 0;
        std::int64_t tenant_id = 0;
        std::string project{};
        Usage usage{};
    };
    const auto look = [=](SqlSession& session) -> Result<Measured> {
        TRY(const auto next,
            which == Which::all ? session.run(find_next, {after}) : session.run(find_next_unmeasured, {after, day}));
        if (next.empty()) return Measured{};
        const auto id = next.front().integer(0);
        TRY(auto rows, session.run(measure_project, {id}));
        if (rows.empty()) return Measured{id};
        SqlRow& row = rows.front();
        Usage usage{.charged = row.integer(2), .artifacts = row.integer(3)};
        usage.referenced = row.integer(4) + row.integer(5);
        usage.stored = row.integer(4) + row.integer(6);
        return Measured{id, row.integer(0), row.take_text(1), usage};
    };
    CO_TRY(const auto measured, co_await engine_.read(look));
    if (measured.project_id == 0 || measured.project.empty()) co_return measured.project_id;
    const auto write = [measured, day](SqlSession& session) -> Result<> {
        const auto& [id, tenant_id, project, usage] = measured;
        CHECK(session.run(
            put_day, {id, day, tenant_id, project, usage.charged, usage.referenced, usage.stored, usage.artifacts}
        ));
        return {};
    };
    CO_CHECK(co_await engine_.write(Durability::process, write));
    co_return measured.project_id;
}

Task<std::vector<UsageDay>> SqlUsage::by_day(UsageSpan span)
{
    const auto work = [span](SqlSession& session) -> Result<std::vector<UsageDay>> {
        const bool of_tenant = span.tenant_id != 0;
        TRY(const auto rows,
            session.run(
                of_tenant ? days_of_tenant : days_of_project,
                {of_tenant ? span.tenant_id : span.project_id, span.first_day, span.last_day}
            ));
        std::vector<UsageDay> days;
        for (const SqlRow& row : rows) days.push_back({row.integer(0), row.integer(1), usage_in(row, 2)});
        return days;
    };
    co_return co_await engine_.read(work);
}

Task<ListPage<ProjectUsage>> SqlUsage::by_project(UsageSpan span, ListQuery query)
{
    const auto work = [span, query](SqlSession& session) -> Result<ListPage<ProjectUsage>> {
        ListPage<ProjectUsage> page;
        TRY(auto rows,
            session.run(projects_of_tenant, {span.tenant_id, span.first_day, span.last_day, query.limit, query.offset})
        );
        for (SqlRow& row : rows) {
            page.items.push_back({row.integer(0), row.take_text(1), row.integer(2), usage_in(row, 3)});
        }
        TRY(const auto count, session.run(count_projects, {span.tenant_id, span.first_day, span.last_day}));
        page.total = count.front().integer(0);
        return page;
    };
    co_return co_await engine_.read(work);
}

Task<> SqlUsage::forget_before(std::int64_t day)
{
    const auto work = [day](SqlSession& session) -> Result<std::int64_t> {
        TRY(const auto gone, session.run(forget_days, {day, forgotten_at_once}));
        return static_cast<std::int64_t>(gone.size());
    };
    for (std::int64_t gone = forgotten_at_once; gone == forgotten_at_once;) {
        CO_TRY(gone, co_await engine_.write(Durability::process, work));
    }
    co_return Result<>{};
}

}  // namespace entrepot

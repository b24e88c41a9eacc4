#include "drivers/sql/sql_overview.hpp"

#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/project_budget.hpp"
#include "drivers/sql/project_rows.hpp"

#include <algorithm>

namespace entrepot {

namespace {

using Visible = std::optional<std::vector<std::int64_t>>;

constexpr const char* sums =
    "CAST(COALESCE(SUM(p.is_public), 0) AS BIGINT), COUNT(*), "
    "CAST(COALESCE(SUM(p.is_public * p.repository_count), 0) AS BIGINT), "
    "CAST(COALESCE(SUM(p.repository_count), 0) AS BIGINT), CAST(COALESCE(SUM(" PROJECT_BYTES "), 0) AS BIGINT)";

constexpr SqlStatement all_counts{"SELECT p.id, p.is_public, p.repository_count, " PROJECT_BYTES " FROM projects p"};

constexpr const char* found_columns = "p.id, p.name, p.is_public, r.name, r.pull_count, r.artifact_count";
constexpr const char* found_from = "repositories r JOIN projects p ON p.id = r.project_id";
constexpr ListColumn found_fields[] = {{"name", "r.name"}};

// How many repositories are looked through at a time for somebody who sees more projects than a statement can name.
constexpr std::int64_t looked_through = 1000;

// Of more projects than a statement can name: added up here.
Result<ProjectTotals> add_up(SqlSession& session, const std::vector<std::int64_t>& visible)
{
    TRY(const auto rows, session.run(all_counts));
    ProjectTotals totals;
    for (const auto& row : rows) {
        if (!std::ranges::binary_search(visible, row.integer(0))) continue;
        const bool is_public = row.integer(1) != 0;
        ++(is_public ? totals.public_projects : totals.private_projects);
        (is_public ? totals.public_repositories : totals.private_repositories) += row.integer(2);
        totals.bytes += row.integer(3);
    }
    return totals;
}

Result<ProjectTotals> read_totals(SqlSession& session, const Visible& visible)
{
    if (visible && visible->size() > most_ids_in_statement) return add_up(session, *visible);
    ListStatement statement{sums, "projects p", {}};
    if (visible) statement.where_one_of("p.id", *visible);
    TRY(const auto rows, statement.page(session));
    const auto& row = rows.front();
    return ProjectTotals{
        .public_projects = row.integer(0),
        .private_projects = row.integer(1) - row.integer(0),
        .public_repositories = row.integer(2),
        .private_repositories = row.integer(3) - row.integer(2),
        .bytes = row.integer(4),
    };
}

Result<std::vector<FoundRepository>>
find_repositories(SqlSession& session, const std::string& part, const Visible& visible, std::int64_t limit)
{
    const bool too_many = visible && visible->size() > most_ids_in_statement;
    std::vector<FoundRepository> found;
    ListQuery query{.conditions = {{"name", ListCondition::Kind::fuzzy, {part}}}, .order = {}};
    query.limit = too_many ? looked_through : limit;
    for (;;) {
        ListStatement statement{found_columns, found_from, found_fields};
        if (visible && !too_many) statement.where_one_of("r.project_id", *visible);
        CHECK(statement.apply(query));
        statement.order_by("r.name");
        TRY(auto rows, statement.page(session));
        for (auto& row : rows) {
            const auto project_id = row.integer(0);
            if (too_many && !std::ranges::binary_search(*visible, project_id)) continue;
            found.push_back(
                {project_id, row.take_text(1), row.integer(2) != 0, row.take_text(3), row.integer(4), row.integer(5)}
            );
            if (static_cast<std::int64_t>(found.size()) == limit) return found;
        }
        if (static_cast<std::int64_t>(rows.size()) < query.limit) return found;
        query.offset += query.limit;
    }
}

}  // namespace

Task<ProjectTotals> SqlOverview::totals(Visible visible)
{
    const auto work = [visible = std::move(visible)](SqlSession& session) { return read_totals(session, visible); };
    co_return co_await engine_.read(work);
}

Task<std::vector<FoundRepository>> SqlOverview::search(std::string part, Visible visible, std::int64_t limit)
{
    const auto work = [part = std::move(part), visible = std::move(visible), limit](SqlSession& session) {
        return find_repositories(session, part, visible, limit);
    };
    co_return co_await engine_.read(work);
}

}  // namespace entrepot

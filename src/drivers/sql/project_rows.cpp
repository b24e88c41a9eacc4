#include "drivers/sql/project_rows.hpp"

#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/project_budget.hpp"
#include "drivers/sql/source_text.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <string>

namespace entrepot {
namespace {

constexpr const char* columns =
    "p.id, p.name, p.is_public, " PROJECT_BYTES
    ", p.owner_id, p.created_at, p.updated_at, u.name, p.tenant_id, t.name, "
    "p.shared, p.frozen, p.protected, p.quota_bytes, p.quota_artifacts, p.repository_count, " PROJECT_ARTIFACTS
    ", COALESCE(p.registry_id, 0), p.proxy_settings, p.sources";
// Outer joins, so that the engine walks along projects whatever it thinks of the others.
constexpr const char* from =
    "projects p LEFT JOIN tenants t ON t.id = p.tenant_id LEFT JOIN users u ON u.id = p.owner_id";

constexpr ListColumn fields[] = {
    {"name", "p.name"},
    {"ref.name", "p.name"},
    {"project_id", "p.id", ListColumn::Type::integer},
    {"id", "p.id", ListColumn::Type::integer},
    {"reference_id", "p.id", ListColumn::Type::integer},
    {"public", "p.is_public", ListColumn::Type::boolean},
    {"shared", "p.shared", ListColumn::Type::boolean},
    {"frozen", "p.frozen", ListColumn::Type::boolean},
    {"protected", "p.protected", ListColumn::Type::boolean},
    {"owner", "u.name"},
    {"owner_name", "u.name"},
    {"owner_id", "p.owner_id", ListColumn::Type::integer},
    {"tenant", "t.name"},
    {"tenant_id", "p.tenant_id", ListColumn::Type::integer},
    {"creation_time", "p.created_at", ListColumn::Type::time},
    {"update_time", "p.updated_at", ListColumn::Type::time},
    {"repo_count", "p.repository_count", ListColumn::Type::integer},
    {"artifact_count", PROJECT_ARTIFACTS, ListColumn::Type::integer},
    {"registry_id", "COALESCE(p.registry_id, 0)", ListColumn::Type::integer},
    {"hard.storage", "p.quota_bytes", ListColumn::Type::integer},
    {"used.storage", PROJECT_BYTES, ListColumn::Type::integer},
    {"hard.artifacts", "p.quota_artifacts", ListColumn::Type::integer},
    {"used.artifacts", PROJECT_ARTIFACTS, ListColumn::Type::integer},
};

// What is only counted or picked needs the other tables only where the query names them.
const char* from_for(const ListQuery& query)
{
    const auto names_others = [](const std::string& field) {
        const auto* const found = std::ranges::find(fields, field, &ListColumn::field);
        if (found == std::ranges::end(fields)) return false;
        const std::string_view column = found->column;
        return column.starts_with("u.") || column.starts_with("t.");
    };
    const bool joined = std::ranges::any_of(query.conditions, names_others, &ListCondition::field) ||
                        std::ranges::any_of(query.order, names_others, &ListOrder::field);
    return joined ? from : "projects p";
}

Result<Project> project_of(SqlRow& row)
{
    TRY(auto sources, sources_in(row.text(19)));
    return Project{
        .id = row.integer(0),
        .name = row.take_text(1),
        .is_public = row.integer(2) != 0,
        .bytes = row.integer(3),
        .owner_id = row.integer(4),
        .created_at = row.integer(5),
        .updated_at = row.integer(6),
        .owner_name = row.is_null(7) ? std::string{} : row.take_text(7),
        .tenant_id = row.integer(8),
        .tenant_name = row.take_text(9),
        .shared = row.integer(10) != 0,
        .frozen = row.integer(11) != 0,
        .is_protected = row.integer(12) != 0,
        .quota_bytes = row.integer(13),
        .quota_artifacts = row.integer(14),
        .repository_count = row.integer(15),
        .artifact_count = row.integer(16),
        .metadata = {},
        .registry_id = row.integer(17),
        .proxy_settings = row.take_text(18),
        .sources = std::move(sources),
    };
}

// The metadata of all of them in one statement.
Result<> add_metadata(SqlSession& session, std::vector<Project>& projects)
{
    if (projects.empty()) return {};
    std::map<std::int64_t, Project*> by_id;
    std::vector<std::int64_t> ids;
    for (auto& project : projects) {
        by_id.emplace(project.id, &project);
        ids.push_back(project.id);
    }
    ListStatement statement{"m.project_id, m.name, m.value", "project_metadata m", {}};
    statement.where_one_of("m.project_id", ids);
    CHECK(statement.apply({.conditions = {}, .order = {}, .limit = std::numeric_limits<std::int64_t>::max()}));
    TRY(auto rows, statement.page(session));
    for (auto& row : rows) by_id.at(row.integer(0))->metadata.emplace(row.take_text(1), row.take_text(2));
    return {};
}

Result<std::vector<Project>> projects_in(SqlSession& session, SqlRows rows)
{
    std::vector<Project> projects;
    projects.reserve(rows.size());
    for (auto& row : rows) {
        TRY(auto project, project_of(row));
        projects.push_back(std::move(project));
    }
    CHECK(add_metadata(session, projects));
    return projects;
}

// The ids of all that fits the query in its order, less what is not visible, and of these the page's.
Result<ListPage<Project>>
list_many_visible(SqlSession& session, const ListQuery& query, std::span<const std::int64_t> visible)
{
    ListStatement matching{"p.id", from_for(query), fields};
    auto all = query;
    all.offset = 0;
    all.limit = std::numeric_limits<std::int64_t>::max();
    CHECK(matching.apply(all));
    matching.order_by("p.name");
    TRY(const auto rows, matching.page(session));
    ListPage<Project> page;
    std::vector<std::int64_t> ids;
    for (const auto& row : rows) {
        const auto id = row.integer(0);
        if (!std::ranges::binary_search(visible, id)) continue;
        const auto at = page.total++;
        if (at >= query.offset && at - query.offset < query.limit) ids.push_back(id);
    }
    ListStatement chosen{columns, from, fields};
    chosen.where_one_of("p.id", ids);
    CHECK(chosen.apply({.conditions = {}, .order = {}, .limit = query.limit}));
    TRY(auto chosen_rows, chosen.page(session));
    TRY(page.items, projects_in(session, std::move(chosen_rows)));
    std::map<std::int64_t, std::size_t> places;
    for (std::size_t at = 0; at < ids.size(); ++at) places.emplace(ids[at], at);
    std::ranges::sort(page.items, {}, [&](const Project& project) { return places.at(project.id); });
    return page;
}

template <class Key>
Result<Project> find_one(SqlSession& session, const char* condition, const Key& key, const std::string& shown)
{
    ListStatement statement{columns, from, fields};
    statement.where(condition, {key});
    TRY(auto rows, statement.page(session));
    TRY(auto found, projects_in(session, std::move(rows)));
    if (found.empty()) return fail(Errc::name_unknown, "project " + shown + " is not known to the registry");
    return std::move(found.front());
}

}  // namespace

Result<ListPage<Project>>
list_projects(SqlSession& session, const ListQuery& query, const std::optional<std::vector<std::int64_t>>& visible)
{
    if (visible && visible->size() > most_ids_in_statement) return list_many_visible(session, query, *visible);
    const auto narrow = [&](ListStatement& statement) -> Result<> {
        if (visible) statement.where_one_of("p.id", *visible);
        return statement.apply(query);
    };
    ListStatement statement{columns, from, fields};
    CHECK(narrow(statement));
    statement.order_by("p.name");
    ListPage<Project> page;
    TRY(auto rows, statement.page_by(session, "p.id", from_for(query)));
    TRY(page.items, projects_in(session, std::move(rows)));
    const auto on_page = static_cast<std::int64_t>(page.items.size());
    const bool is_last = on_page < query.limit && (on_page > 0 || query.offset == 0);
    if (is_last) {
        page.total = query.offset + on_page;
        return page;
    }
    ListStatement counted{"p.id", from_for(query), fields};
    CHECK(narrow(counted));
    TRY(page.total, counted.count(session));
    return page;
}

Result<Project> find_project(SqlSession& session, std::int64_t id)
{
    return find_one(session, "p.id = ?", id, std::to_string(id));
}

Result<Project> find_project(SqlSession& session, const ProjectName& name)
{
    return find_one(session, "p.name = ?", name.text(), name.text());
}

}  // namespace entrepot

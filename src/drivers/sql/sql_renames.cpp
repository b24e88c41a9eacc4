#include "drivers/sql/sql_renames.hpp"

#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/rename_rows.hpp"

#include <memory>

namespace entrepot {

namespace {

// Of a repository the path is kept, and shown below what the project is called today.
#define FORMER_NAME "CASE WHEN n.repository_id IS NULL THEN n.name ELSE p.name || '/' || n.name END"

constexpr ListColumn former_name_fields[] = {
    {"id", "n.id", ListColumn::Type::integer},
    {"name", FORMER_NAME},
};

constexpr SqlStatement delete_former_name{
    "DELETE FROM former_names WHERE project_id = $1 AND id = $2 RETURNING name, COALESCE(repository_id, 0)"
};

Result<ListPage<FormerName>> list_former_names(SqlSession& session, std::int64_t project_id, const ListQuery& query)
{
    ListStatement statement{
        "n.id, " FORMER_NAME ", COALESCE(r.name, p.name), n.renamed_at, n.renamed_by",
        "former_names n JOIN projects p ON p.id = n.project_id LEFT JOIN repositories r ON r.id = n.repository_id",
        former_name_fields
    };
    statement.where("n.project_id = ?", {project_id});
    CHECK(statement.apply(query));
    statement.order_by("n.id DESC");
    return statement.list(session, [](SqlRow& row) {
        return FormerName{row.integer(0), row.take_text(1), row.take_text(2), row.integer(3), row.integer(4)};
    });
}

Result<> give_up_name(SqlSession& session, std::int64_t project_id, std::int64_t id, const Actor& actor)
{
    TRY(const auto rows, session.run(delete_former_name, {project_id, id}));
    if (rows.empty()) return fail(Errc::not_found, "the project keeps no such name");
    auto event = event_in_project(event_type::project_updated, actor, project_id);
    set_details(event, {{"changed", {"former_names"}}, {"former_name", rows.front().text(0)}});
    CHECK(record_event(session, event));
    return note_access_change(session, AccessObject::project, project_id);
}

}  // namespace

Task<> SqlRenames::rename_repository(RepositoryName from, RepositoryName into, Actor actor)
{
    const auto work = [from, into, actor](SqlSession& session) { return move_repository(session, from, into, actor); };
    const auto settled = [cache = cache_, from, into] {
        if (!cache) return;
        cache->contents_removed(from.text());
        cache->contents_removed(into.text());
    };
    co_return co_await engine_.write(Durability::durable, work, settled);
}

Task<> SqlRenames::rename_project(std::int64_t id, ProjectName name, Actor actor)
{
    // What the last attempt found: the one that was committed, if any was. Only the engine's thread touches it.
    const auto names = std::make_shared<std::vector<std::string>>();
    const auto work = [id, name, actor, names](SqlSession& session) -> Result<> {
        TRY(*names, change_project_name(session, id, name, actor));
        return {};
    };
    const auto settled = [cache = cache_, names, name] {
        if (!cache) return;
        for (const auto& old : *names) {
            cache->contents_removed(old);
            cache->contents_removed(name.text() + old.substr(old.find('/')));
        }
    };
    co_return co_await engine_.write(Durability::durable, work, settled);
}

Task<ListPage<FormerName>> SqlRenames::former_names(std::int64_t project_id, ListQuery query)
{
    const auto work = [project_id, query](SqlSession& session) {
        return list_former_names(session, project_id, query);
    };
    co_return co_await engine_.read(work);
}

Task<> SqlRenames::give_up(std::int64_t project_id, std::int64_t id, Actor actor)
{
    const auto work = [project_id, id, actor](SqlSession& session) {
        return give_up_name(session, project_id, id, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot

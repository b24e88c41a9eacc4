#include "drivers/sql/sql_trash.hpp"

#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/trash_restore.hpp"
#include "drivers/sql/trash_rows.hpp"

#include <algorithm>
#include <memory>

namespace entrepot {

namespace {

// Of an entry, in one transaction: most are smaller.
constexpr std::int64_t restored_at_once = 50;
constexpr std::int64_t emptied_at_once = 200;
constexpr int most_transactions = 1'000'000;

constexpr SqlStatement set_keep{"UPDATE trash_state SET keep = $1"};

#define ENTRY_COLUMNS                                                                                          \
    "t.id, t.project_id, p.name, t.repository, t.digest, t.media_type, t.artifact_type, t.size, t.manifests, " \
    "t.deleted_at, t.deleted_by, u.name, t.how, t.expires_at, t.restored_at"
#define ENTRY_TABLES "trash t JOIN projects p ON p.id = t.project_id LEFT JOIN users u ON u.id = t.deleted_by"

constexpr SqlStatement find_entry{"SELECT " ENTRY_COLUMNS " FROM " ENTRY_TABLES " WHERE t.id = $1 AND t.project_id = $2"
};

constexpr ListColumn entry_fields[] = {
    {"repository", "t.repository"},
    {"digest", "t.digest"},
    {"how", "t.how"},
    {"deleted_at", "t.deleted_at", ListColumn::Type::time},
    {"expires_at", "t.expires_at", ListColumn::Type::time},
    {"size", "t.size", ListColumn::Type::integer},
};

constexpr SqlStatement select_tags{"SELECT x.name FROM trash_manifests k JOIN trash_tags x ON x.manifest_id = k.id "
                                   "WHERE k.trash_id = $1 AND k.digest = $2 ORDER BY x.name LIMIT 100"};

constexpr SqlStatement lock_entry{"SELECT id FROM trash WHERE id = $1 AND project_id = $2", "FOR UPDATE"};
constexpr SqlStatement select_manifests{"SELECT id FROM trash_manifests WHERE trash_id = $1 ORDER BY id LIMIT $2"};
constexpr SqlStatement count_released{"UPDATE trash SET manifests = manifests - $2 WHERE id = $1"};
constexpr SqlStatement delete_entry{"DELETE FROM trash WHERE id = $1"};

constexpr SqlStatement sum_entries{
    "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM trash WHERE restored_at = 0"
};

std::unexpected<Error> no_such_entry(std::int64_t id)
{
    return fail(Errc::not_found, "there is nothing in the trash under the number " + std::to_string(id));
}

Result<TrashEntry> entry_in(SqlSession& session, SqlRow& row)
{
    // A repository may be called as its project is.
    TRY(auto repository, RepositoryName::parse(row.text(2) + (row.text(3).empty() ? "" : "/") + row.text(3)));
    TrashEntry entry{
        .id = row.integer(0),
        .project_id = row.integer(1),
        .repository = std::move(repository),
        .digest = row.take_text(4),
        .media_type = row.take_text(5),
        .artifact_type = row.take_text(6),
        .size = row.integer(7),
        .manifests = row.integer(8),
        .tags = {},
        .deleted_at = row.integer(9),
        .deleted_by = row.integer(10),
        .deleted_by_name = row.is_null(11) ? std::string{} : row.take_text(11),
        .how = row.take_text(12),
        .expires_at = row.integer(13),
        .restored_at = row.integer(14),
    };
    if (entry.digest.empty()) return entry;
    TRY(auto tags, session.run(select_tags, {entry.id, entry.digest}));
    for (SqlRow& tag : tags) entry.tags.push_back(tag.take_text(0));
    return entry;
}

Result<ListPage<TrashEntry>> list_entries(SqlSession& session, std::int64_t project_id, const ListQuery& query)
{
    ListStatement statement{ENTRY_COLUMNS, ENTRY_TABLES, entry_fields};
    statement.where("t.project_id = ? AND t.restored_at = 0", {project_id});
    CHECK(statement.apply(query));
    statement.order_by("t.id DESC");
    return statement.list(session, [&](SqlRow& row) { return entry_in(session, row); });
}

// True when nothing of it is left.
Result<bool> empty_part(SqlSession& session, std::int64_t project_id, std::int64_t id, bool first, Micros now)
{
    TRY(const auto locked, session.run(lock_entry, {id, project_id}));
    if (locked.empty() && first) return no_such_entry(id);
    if (locked.empty()) return true;
    TRY(const auto rows, session.run(select_manifests, {id, emptied_at_once}));
    std::vector<std::int64_t> manifests;
    for (const SqlRow& row : rows) manifests.push_back(row.integer(0));
    CHECK(release_trash(session, manifests, now));
    if (std::ssize(manifests) == emptied_at_once) {
        CHECK(session.run(count_released, {id, emptied_at_once}));
        return false;
    }
    CHECK(session.run(delete_entry, {id}));
    return true;
}

void append(RestoredTrash& all, RestoredTrash more)
{
    std::ranges::move(more.digests, std::back_inserter(all.digests));
    std::ranges::move(more.tags, std::back_inserter(all.tags));
}

}  // namespace

Result<TrashEntry> find_trash(SqlSession& session, std::int64_t project_id, std::int64_t id)
{
    TRY(auto rows, session.run(find_entry, {id, project_id}));
    if (rows.empty()) return no_such_entry(id);
    return entry_in(session, rows.front());
}

Task<> SqlTrash::keep_for(Micros window)
{
    const auto work = [window](SqlSession& session) -> Result<> {
        CHECK(session.run(set_keep, {window}));
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<ListPage<TrashEntry>> SqlTrash::list(std::int64_t project_id, ListQuery query)
{
    const auto work = [project_id, query](SqlSession& session) { return list_entries(session, project_id, query); };
    co_return co_await engine_.read(work);
}

Task<TrashEntry> SqlTrash::find(std::int64_t project_id, std::int64_t id)
{
    const auto work = [project_id, id](SqlSession& session) { return find_trash(session, project_id, id); };
    co_return co_await engine_.read(work);
}

Task<RestoredTrash> SqlTrash::restore(std::int64_t project_id, std::int64_t id, bool force_tags, Actor actor)
{
    const auto tags = force_tags ? TrashTags::force : TrashTags::where_free;
    CO_TRY(const auto entry, co_await find(project_id, id));
    RestoredTrash all;
    if (entry.restored_at > 0) co_return all;
    const auto settled = [cache = cache_, name = entry.repository] {
        if (cache) cache->contents_removed(name.text());
    };
    for (int i = 0; i < most_transactions; ++i) {
        const auto work = [entry, tags, actor](SqlSession& session) {
            return restore_trash(session, entry, tags, restored_at_once, actor);
        };
        CO_TRY(auto part, co_await engine_.write(Durability::durable, work, settled));
        append(all, std::move(part.restored));
        if (part.done) break;
    }
    co_return all;
}

Task<> SqlTrash::empty(std::int64_t project_id, std::int64_t id, Actor actor)
{
    for (int i = 0; i < most_transactions; ++i) {
        const auto work = [project_id, id, first = i == 0, now = actor.at](SqlSession& session) {
            return empty_part(session, project_id, id, first, now);
        };
        CO_TRY(const bool all, co_await engine_.write(Durability::durable, work));
        if (all) break;
    }
    co_return Result<>{};
}

Task<std::int64_t> SqlTrash::empty_all(std::int64_t project_id, Actor actor)
{
    std::int64_t entries = 0;
    for (int i = 0; i < most_transactions; ++i) {
        const auto work = [project_id, now = actor.at](SqlSession& session) {
            return empty_project_trash(session, project_id, emptied_at_once, now);
        };
        CO_TRY(const auto emptied, co_await engine_.write(Durability::durable, work));
        entries += emptied.entries;
        if (emptied.all) break;
    }
    co_return entries;
}

Task<TrashTotals> SqlTrash::totals()
{
    const auto work = [](SqlSession& session) -> Result<TrashTotals> {
        TRY(const auto rows, session.run(sum_entries));
        return TrashTotals{rows.front().integer(0), rows.front().integer(1)};
    };
    co_return co_await engine_.read(work);
}

Task<TagsAt> SqlTrash::plan(RepositoryName repository, Micros time, bool exact, std::int64_t limit)
{
    const auto work = [repository, time, exact, limit](SqlSession& session) {
        return plan_return(session, repository, time, exact, limit);
    };
    co_return co_await engine_.read(work);
}

Task<TagsAt> SqlTrash::go_back(RepositoryName repository, Micros time, bool exact, std::int64_t limit, Actor actor)
{
    const auto work = [repository, time, exact, limit, actor](SqlSession& session) {
        return make_return(session, repository, time, exact, limit, actor);
    };
    const auto settled = [cache = cache_, repository] {
        if (cache) cache->contents_removed(repository.text());
    };
    co_return co_await engine_.write(Durability::durable, work, settled);
}

}  // namespace entrepot

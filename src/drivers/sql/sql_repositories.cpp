#include "drivers/sql/sql_repositories.hpp"

#include "drivers/sql/artifact_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/list_position.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/rename_rows.hpp"
#include "drivers/sql/repository_rows.hpp"

#include <algorithm>

namespace entrepot {

namespace {

#define REPOSITORY_COLUMNS \
    "r.id, r.project_id, r.name, r.description, r.artifact_count, r.pull_count, r.created_at, r.updated_at"

constexpr SqlStatement newest_of_project{"SELECT " REPOSITORY_COLUMNS
                                         " FROM repositories r WHERE r.project_id = $1 AND r.id <= $2 "
                                         "ORDER BY r.id DESC LIMIT $3 OFFSET $4"};
constexpr SqlStatement newest_of_all{"SELECT " REPOSITORY_COLUMNS
                                     " FROM repositories r WHERE r.id <= $1 ORDER BY r.id DESC LIMIT $2 OFFSET $3"};
constexpr SqlStatement find_by_id{"SELECT " REPOSITORY_COLUMNS " FROM repositories r WHERE r.id = $1"};
constexpr SqlStatement find_by_name{"SELECT " REPOSITORY_COLUMNS " FROM repositories r WHERE r.name = $1"};

constexpr SqlStatement count_of_project{"SELECT repository_count FROM projects WHERE id = $1"};
constexpr SqlStatement count_of_all{
    "SELECT CAST(COALESCE(SUM(entries), 0) AS BIGINT) FROM list_chunks WHERE list = 'catalog' AND id = 0"
};
constexpr SqlStatement counts_of_projects{
    "SELECT id, repository_count FROM projects WHERE repository_count > 0 ORDER BY id"
};

constexpr SqlStatement update_description{
    "UPDATE repositories SET description = $2, updated_at = $3 WHERE name = $1 RETURNING project_id"
};

constexpr SqlStatement select_manifests{
    "SELECT id, size FROM manifests WHERE repository_id = $1 ORDER BY id DESC LIMIT $2"
};
constexpr SqlStatement select_links{
    "SELECT b.id, b.size FROM repository_blobs l JOIN blobs b ON b.id = l.blob_id WHERE l.repository_id = $1 LIMIT $2"
};
constexpr SqlStatement delete_history{"DELETE FROM tag_history WHERE id IN (SELECT id FROM tag_history "
                                      "WHERE repository_id = $1 LIMIT $2) RETURNING id"};
constexpr SqlStatement delete_uploads{"DELETE FROM uploads WHERE repository_id = $1 RETURNING id"};
constexpr SqlStatement delete_repository{"DELETE FROM repositories WHERE id = $1"};

// Of a repository that goes, in one transaction.
constexpr std::int64_t removed_at_once = 100;
constexpr std::int64_t history_at_once = 2000;
constexpr int most_transactions = 1'000'000;

constexpr ListColumn repository_fields[] = {
    {"id", "r.id", ListColumn::Type::integer},
    {"name", "r.name"},
    {"project_id", "r.project_id", ListColumn::Type::integer},
    {"description", "r.description"},
    {"artifact_count", "r.artifact_count", ListColumn::Type::integer},
    {"pull_count", "r.pull_count", ListColumn::Type::integer},
    {"creation_time", "r.created_at", ListColumn::Type::time},
    {"update_time", "r.updated_at", ListColumn::Type::time},
};

RepositoryRecord repository_in(SqlRow& row)
{
    return RepositoryRecord{
        .id = row.integer(0),
        .project_id = row.integer(1),
        .name = row.take_text(2),
        .description = row.take_text(3),
        .artifact_count = row.integer(4),
        .pull_count = row.integer(5),
        .created_at = row.integer(6),
        .updated_at = row.integer(7),
    };
}

void append(std::vector<RepositoryRecord>& records, SqlRows rows)
{
    for (SqlRow& row : rows) records.push_back(repository_in(row));
}

bool is_plain(const ListQuery& query)
{
    return query.conditions.empty() && query.order.empty();
}

Result<ListPage<RepositoryRecord>> searched(SqlSession& session, ListStatement& statement, const ListQuery& query)
{
    CHECK(statement.apply(query));
    statement.order_by("r.id DESC");
    ListPage<RepositoryRecord> page;
    TRY(page.total, statement.count(session));
    TRY(auto rows, statement.page(session));
    append(page.items, std::move(rows));
    return page;
}

// From the `offset`-th of one project on.
Result<>
take_from(SqlSession& session, std::int64_t project_id, ListQuery query, std::vector<RepositoryRecord>& records)
{
    TRY(const auto at, find_position(session, "repositories", project_id, query.offset, true));
    TRY(auto rows, session.run(newest_of_project, {project_id, at.from, query.limit, at.skip}));
    append(records, std::move(rows));
    return {};
}

Result<ListPage<RepositoryRecord>>
list_repositories_of_project(SqlSession& session, std::int64_t project_id, const ListQuery& query)
{
    if (!is_plain(query)) {
        ListStatement statement{REPOSITORY_COLUMNS, "repositories r", repository_fields};
        statement.where("r.project_id = ?", {project_id});
        return searched(session, statement, query);
    }
    ListPage<RepositoryRecord> page;
    TRY(const auto counted, session.run(count_of_project, {project_id}));
    page.total = counted.empty() ? 0 : counted.front().integer(0);
    if (query.offset < page.total) CHECK(take_from(session, project_id, query, page.items));
    return page;
}

Result<ListPage<RepositoryRecord>> list_all_repositories(SqlSession& session, const ListQuery& query)
{
    if (!is_plain(query)) {
        ListStatement statement{REPOSITORY_COLUMNS, "repositories r", repository_fields};
        return searched(session, statement, query);
    }
    ListPage<RepositoryRecord> page;
    TRY(const auto counted, session.run(count_of_all));
    page.total = counted.front().integer(0);
    TRY(const auto at, find_position(session, "catalog", 0, query.offset, true));
    TRY(auto rows, session.run(newest_of_all, {at.from, query.limit, at.skip}));
    append(page.items, std::move(rows));
    return page;
}

// Projects are passed over by their counts; the page then takes from the few that it falls on.
Result<ListPage<RepositoryRecord>>
list_repositories_of(SqlSession& session, const std::vector<std::int64_t>& ids, const ListQuery& query)
{
    if (!is_plain(query)) {
        ListStatement statement{REPOSITORY_COLUMNS, "repositories r", repository_fields};
        statement.where_one_of("r.project_id", ids);
        return searched(session, statement, query);
    }
    ListPage<RepositoryRecord> page;
    TRY(const auto counts, session.run(counts_of_projects));
    ListQuery part = query;
    std::vector<std::int64_t> rest;  // further projects of the page
    std::int64_t behind = query.offset;
    std::int64_t missing = query.limit;
    for (const SqlRow& row : counts) {
        const auto count = row.integer(1);
        if (!std::ranges::binary_search(ids, row.integer(0))) continue;
        page.total += count;
        if (missing <= 0) continue;
        if (behind >= count) {
            behind -= count;
            continue;
        }
        if (missing == query.limit) {
            part.offset = behind;
            CHECK(take_from(session, row.integer(0), part, page.items));
        } else {
            rest.push_back(row.integer(0));
        }
        missing -= count - behind;
        behind = 0;
    }
    const auto more = query.limit - static_cast<std::int64_t>(page.items.size());
    if (rest.empty() || more <= 0) return page;
    ListStatement statement{REPOSITORY_COLUMNS, "repositories r", repository_fields};
    statement.where_one_of("r.project_id", rest);
    CHECK(statement.apply({.conditions = {}, .order = {}, .offset = 0, .limit = more}));
    statement.order_by("r.project_id, r.id DESC");
    TRY(auto rows, statement.page(session));
    append(page.items, std::move(rows));
    return page;
}

struct Removed {
    bool all = false;
    std::int64_t trash_id = 0;  // of the entry that all parts go to
    std::vector<UploadId> uploads;
};

// A part of the repository: some manifests, else some blobs, else what its tags were, else itself.
Result<Removed>
remove_part(SqlSession& session, const RepositoryName& name, bool first, std::int64_t trash_id, const Actor& actor)
{
    TRY(const auto place, lock_repository(session, name));
    if (!place && first) return no_such_repository(name);
    if (!place) return Removed{.all = true, .trash_id = 0, .uploads = {}};
    if (first) CHECK(TagGuard{session, *place}.check_repository());
    Removed removed;
    TRY(const auto manifests, session.run(select_manifests, {place->id, removed_at_once}));
    ArtifactRows rows{session, *place, actor};
    removed.trash_id = trash_id;
    if (!manifests.empty()) {
        TRY(removed.trash_id, rows.trash().put_repository(trash_id));
    }
    std::int64_t bytes = 0;
    for (const SqlRow& row : manifests) {
        const auto event = event_in_project(event_type::artifact_deleted, actor, place->project_id);
        CHECK(record_removal(session, event, name.text(), row.integer(0)));
        CHECK(rows.remove(row.integer(0)));
        bytes += row.integer(1);
    }
    if (!manifests.empty()) CHECK(rows.finish(-bytes));
    if (static_cast<std::int64_t>(manifests.size()) == removed_at_once) return removed;
    TRY(const auto links, session.run(select_links, {place->id, removed_at_once}));
    for (const SqlRow& row : links) {
        CHECK(unlink_blob(session, *place, {row.integer(0), static_cast<std::uint64_t>(row.integer(1))}, actor.at));
    }
    if (static_cast<std::int64_t>(links.size()) == removed_at_once) return removed;
    TRY(const auto history, session.run(delete_history, {place->id, history_at_once}));
    if (static_cast<std::int64_t>(history.size()) == history_at_once) return removed;
    TRY(const auto uploads, session.run(delete_uploads, {place->id}));
    for (const SqlRow& row : uploads) removed.uploads.push_back(UploadId{row.text(0)});
    CHECK(forget_former_names(session, place->id));
    CHECK(session.run(delete_repository, {place->id}));
    CHECK(count_repository(session, *place, -1));
    auto event = event_in_project(event_type::repository_deleted, actor, place->project_id);
    event.repository = name.text();
    CHECK(record_event(session, event));
    removed.all = true;
    return removed;
}

}  // namespace

Task<ListPage<RepositoryRecord>> SqlRepositories::of_project(std::int64_t project_id, ListQuery query)
{
    const auto work = [project_id, query](SqlSession& session) {
        return list_repositories_of_project(session, project_id, query);
    };
    co_return co_await engine_.read(work);
}

Task<ListPage<RepositoryRecord>>
SqlRepositories::of_projects(std::optional<std::vector<std::int64_t>> project_ids, ListQuery query)
{
    const auto ids = std::make_shared<const std::optional<std::vector<std::int64_t>>>(std::move(project_ids));
    const auto work = [ids, query](SqlSession& session) {
        return *ids ? list_repositories_of(session, **ids, query) : list_all_repositories(session, query);
    };
    co_return co_await engine_.read(work);
}

Task<RepositoryRecord> SqlRepositories::find(RepositoryName name)
{
    const auto work = [name](SqlSession& session) -> Result<RepositoryRecord> {
        TRY(auto rows, session.run(find_by_name, {name.text()}));
        if (rows.empty()) return no_such_repository(name);
        return repository_in(rows.front());
    };
    co_return co_await engine_.read(work);
}

Task<RepositoryRecord> SqlRepositories::of_id(std::int64_t id)
{
    const auto work = [id](SqlSession& session) -> Result<RepositoryRecord> {
        TRY(auto rows, session.run(find_by_id, {id}));
        if (rows.empty()) return fail(Errc::name_unknown, "no such repository");
        return repository_in(rows.front());
    };
    co_return co_await engine_.read(work);
}

Task<> SqlRepositories::describe(RepositoryName name, std::string description, Actor actor)
{
    const auto work = [name, description, actor](SqlSession& session) -> Result<> {
        TRY(const auto rows, session.run(update_description, {name.text(), description, actor.at}));
        if (rows.empty()) return no_such_repository(name);
        auto event = event_in_project(event_type::repository_updated, actor, rows.front().integer(0));
        event.repository = name.text();
        set_details(event, {{"description", description}});
        return record_event(session, event);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::vector<UploadId>> SqlRepositories::remove(RepositoryName name, Actor actor)
{
    std::vector<UploadId> uploads;
    const auto settled = [cache = cache_, name] {
        if (cache) cache->contents_removed(name.text());
    };
    std::int64_t trash_id = 0;
    for (int i = 0; i < most_transactions; ++i) {
        const auto work = [name, first = i == 0, trash_id, actor](SqlSession& session) {
            return remove_part(session, name, first, trash_id, actor);
        };
        CO_TRY(auto removed, co_await engine_.write(Durability::durable, work, settled));
        trash_id = removed.trash_id;
        std::ranges::move(removed.uploads, std::back_inserter(uploads));
        if (removed.all) co_return uploads;
    }
    co_return fail(Errc::conflict, "others keep pushing into the repository " + name.text());
}

}  // namespace entrepot

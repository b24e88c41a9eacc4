#include "drivers/sql/sql_tag_history.hpp"

#include "drivers/sql/artifact_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/repository_rows.hpp"

namespace entrepot {

namespace {

constexpr const char* change_columns = "h.id, h.tag, h.digest, h.previous, h.at, h.user_id, u.name, h.how, m.id";
constexpr const char* change_tables =
    "tag_history h LEFT JOIN users u ON u.id = h.user_id "
    "LEFT JOIN manifests m ON m.repository_id = h.repository_id AND m.digest = h.digest";

constexpr ListColumn change_fields[] = {
    {"tag", "h.tag"},
    {"digest", "h.digest"},
    {"time", "h.at", ListColumn::Type::time},
    {"how", "h.how"},
};

constexpr SqlStatement find_past_digest{
    "SELECT digest FROM tag_history WHERE repository_id = $1 AND tag = $2 AND digest = $3 LIMIT 1"
};
constexpr SqlStatement find_state_at{
    "SELECT digest FROM tag_history WHERE repository_id = $1 AND tag = $2 AND at <= $3 "
    "AND (until = 0 OR until > $3) AND digest <> '' ORDER BY id DESC LIMIT 1"
};
constexpr SqlStatement find_manifest{"SELECT id FROM manifests WHERE repository_id = $1 AND digest = $2"};
constexpr SqlStatement delete_old{
    "DELETE FROM tag_history WHERE id IN "
    "(SELECT id FROM tag_history WHERE until > 0 AND until < $1 ORDER BY until LIMIT $2) RETURNING id"
};

Result<ListPage<TagChange>> page_of(SqlSession& session, const ListStatement& statement)
{
    ListPage<TagChange> page;
    TRY(page.total, statement.count(session));
    TRY(auto rows, statement.page(session));
    for (SqlRow& row : rows) {
        page.items.push_back({
            .id = row.integer(0),
            .tag = row.take_text(1),
            .digest = row.take_text(2),
            .previous = row.take_text(3),
            .at = row.integer(4),
            .user_id = row.integer(5),
            .user_name = row.is_null(6) ? std::string{} : row.take_text(6),
            .how = row.take_text(7),
            .available = !row.is_null(8),
        });
    }
    return page;
}

Result<ListPage<TagChange>>
list_of_tag(SqlSession& session, const RepositoryName& name, const Tag& tag, const ListQuery& query)
{
    TRY(const auto id, find_repository(session, name));
    if (!id) return no_such_repository(name);
    ListStatement statement{change_columns, change_tables, change_fields};
    statement.where("h.repository_id = ? AND h.tag = ?", {*id, tag.text()});
    CHECK(statement.apply(query));
    statement.order_by("h.id DESC");
    return page_of(session, statement);
}

Result<ListPage<TagChange>>
list_at(SqlSession& session, const RepositoryName& name, Micros time, const ListQuery& query)
{
    TRY(const auto id, find_repository(session, name));
    if (!id) return no_such_repository(name);
    ListStatement statement{change_columns, change_tables, change_fields};
    statement.where(
        "h.repository_id = ? AND h.digest <> '' AND h.at <= ? AND (h.until = 0 OR h.until > ?)", {*id, time, time}
    );
    CHECK(statement.apply(query));
    statement.order_by("h.tag, h.id");
    return page_of(session, statement);
}

Result<SqlRows>
find_moment(SqlSession& session, std::int64_t id, const Tag& tag, const TagHistoryCatalog::Moment& moment)
{
    if (const auto* digest = std::get_if<Digest>(&moment)) {
        return session.run(find_past_digest, {id, tag.text(), digest->text()});
    }
    return session.run(find_state_at, {id, tag.text(), std::get<Micros>(moment)});
}

Result<Digest> restore_tag(
    SqlSession& session,
    const RepositoryName& name,
    const Tag& tag,
    const TagHistoryCatalog::Moment& moment,
    const Actor& actor
)
{
    TRY(const auto place, lock_repository(session, name));
    if (!place) return no_such_repository(name);
    TRY(const auto past, find_moment(session, place->id, tag, moment));
    if (past.empty()) {
        return fail(Errc::not_found, "the history of the tag " + tag.text() + " knows no such state of it");
    }
    TRY(auto digest, Digest::parse(past.front().text(0)));
    TRY(const auto manifest, session.run(find_manifest, {place->id, digest.text()}));
    if (manifest.empty()) {
        return fail(Errc::manifest_unknown, "artifact " + digest.text() + " is no longer in " + name.text());
    }
    ArtifactRows rows{session, *place, {actor.user_id, actor.at, Via::restore}};
    CHECK(rows.tag(manifest.front().integer(0), {&tag, 1}));
    const auto event = event_in_project(event_type::tag_created, actor, place->project_id);
    CHECK(record_tag(session, event, name.text(), tag.text(), digest.text()));
    CHECK(rows.finish(0));
    return digest;
}

}  // namespace

Task<ListPage<TagChange>> SqlTagHistory::of_tag(RepositoryName repository, Tag tag, ListQuery query)
{
    const auto work = [repository, tag, query](SqlSession& session) {
        return list_of_tag(session, repository, tag, query);
    };
    co_return co_await engine_.read(work);
}

Task<ListPage<TagChange>> SqlTagHistory::at(RepositoryName repository, Micros time, ListQuery query)
{
    const auto work = [repository, time, query](SqlSession& session) {
        return list_at(session, repository, time, query);
    };
    co_return co_await engine_.read(work);
}

Task<Digest> SqlTagHistory::restore(RepositoryName repository, Tag tag, Moment moment, Actor actor)
{
    const auto work = [repository, tag, moment, actor](SqlSession& session) {
        return restore_tag(session, repository, tag, moment, actor);
    };
    const auto settled = [cache = cache_, repository] {
        if (cache) cache->tags_changed(repository.text());
    };
    co_return co_await engine_.write(Durability::durable, work, settled);
}

Task<std::int64_t> SqlTagHistory::forget_before(Micros time, std::int64_t limit)
{
    const auto work = [time, limit](SqlSession& session) -> Result<std::int64_t> {
        TRY(const auto rows, session.run(delete_old, {time, limit}));
        return static_cast<std::int64_t>(rows.size());
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot

#include "drivers/sql/tag_history_rows.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement insert_state{
    "INSERT INTO tag_history (repository_id, tag, digest, previous, at, until, user_id, how) "
    "VALUES ($1, $2, (SELECT digest FROM manifests WHERE id = $3), $4, $5, 0, $6, $7)"
};
constexpr SqlStatement end_state{"UPDATE tag_history SET until = $3 WHERE repository_id = $1 AND tag = $2 AND until = 0"
};
constexpr SqlStatement insert_end{
    "INSERT INTO tag_history (repository_id, tag, digest, previous, at, until, user_id, how) "
    "SELECT t.repository_id, t.name, '', m.digest, $3, $3, $4, $5 FROM tags t JOIN manifests m ON m.id = t.manifest_id "
    "WHERE t.repository_id = $1 AND t.name = $2"
};
// The CROSS JOIN keeps SQLite from starting with all that the repository remembers.
constexpr SqlStatement end_states{
    "UPDATE tag_history SET until = $2 WHERE id IN (SELECT h.id FROM tags t CROSS JOIN tag_history h "
    "WHERE t.manifest_id = $1 AND h.repository_id = t.repository_id AND h.tag = t.name AND h.until = 0)"
};
constexpr SqlStatement insert_ends{
    "INSERT INTO tag_history (repository_id, tag, digest, previous, at, until, user_id, how) "
    "SELECT t.repository_id, t.name, '', m.digest, $2, $2, $3, $4 FROM tags t JOIN manifests m ON m.id = t.manifest_id "
    "WHERE t.manifest_id = $1 ORDER BY t.name"
};

}  // namespace

Result<> remember_tag(
    SqlSession& session,
    const RepositoryRow& place,
    std::string_view tag,
    std::int64_t manifest_id,
    std::string_view previous,
    const Actor& actor
)
{
    if (!previous.empty()) CHECK(session.run(end_state, {place.id, tag, actor.at}));
    CHECK(session.run(insert_state, {place.id, tag, manifest_id, previous, actor.at, actor.user_id, text_of(actor.via)})
    );
    return {};
}

Result<> remember_untag(SqlSession& session, const RepositoryRow& place, std::string_view tag, const Actor& actor)
{
    CHECK(session.run(end_state, {place.id, tag, actor.at}));
    CHECK(session.run(insert_end, {place.id, tag, actor.at, actor.user_id, text_of(actor.via)}));
    return {};
}

Result<> remember_untag_all(SqlSession& session, std::int64_t manifest_id, const Actor& actor)
{
    CHECK(session.run(end_states, {manifest_id, actor.at}));
    CHECK(session.run(insert_ends, {manifest_id, actor.at, actor.user_id, text_of(actor.via)}));
    return {};
}

}  // namespace entrepot

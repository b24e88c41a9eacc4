#include "drivers/sql/site_guard.hpp"

#include "drivers/sql/event_rows.hpp"

namespace entrepot {
namespace {

constexpr SqlStatement find_home{"SELECT name, home_address FROM projects WHERE id = $1"};

constexpr SqlStatement find_role{"SELECT name, site_role FROM projects WHERE id = $1"};

constexpr SqlStatement insert_lacking{
    "INSERT INTO synchronised_pending (project_id, registry_id, repository, reference, digest, since, failures, "
    "last_error) SELECT s.project_id, s.registry_id, r.name, $3, $4, $5, 0, '' FROM synchronised_sites s "
    "JOIN repositories r ON r.id = $2 WHERE s.project_id = $1 ORDER BY s.registry_id "
    "ON CONFLICT (project_id, registry_id, repository, reference) DO UPDATE SET digest = excluded.digest"
};

constexpr SqlStatement find_accepted{
    "SELECT r.name, p.digest FROM synchronised_pending p JOIN repositories r ON r.name = p.repository "
    "WHERE p.project_id = $1 AND r.id = $2 AND p.reference = $3 ORDER BY p.registry_id LIMIT 1"
};
constexpr SqlStatement forget_accepted{"DELETE FROM synchronised_pending WHERE project_id = $1 AND reference = $3 AND "
                                       "repository = (SELECT name FROM repositories WHERE id = $2)"};

constexpr SqlStatement find_digest{"SELECT digest FROM manifests WHERE id = $1"};
constexpr SqlStatement select_tags{"SELECT name FROM tags WHERE manifest_id = $1 ORDER BY name"};

Result<> note_overruled(
    SqlSession& session, const RepositoryRow& place, std::string_view tag, std::string_view digest, const Actor& actor
)
{
    TRY(const auto rows, session.run(find_accepted, {place.project_id, place.id, tag}));
    if (rows.empty()) return {};
    CHECK(session.run(forget_accepted, {place.project_id, place.id, tag}));
    const auto& accepted = rows.front().text(1);
    if (accepted.empty() || accepted == digest) return {};
    auto event = event_in_project(event_type::synchronisation_overruled, actor, place.project_id);
    event.repository = rows.front().text(0);
    event.tag = tag;
    event.digest = accepted;
    set_details(event, {{"epoch", place.home_epoch}, {"now", digest}});
    return record_event(session, event);
}

Result<> note_tag(
    SqlSession& session, const RepositoryRow& place, std::string_view tag, std::string_view digest, const Actor& actor
)
{
    CHECK(note_lacking_sites(session, place, tag, digest, actor));
    if (place.site != SiteRole::follower) return {};
    return note_overruled(session, place, tag, digest, actor);
}

}  // namespace

Result<> check_site(SqlSession& session, const RepositoryRow& place, const Actor& actor)
{
    const bool from_home = actor.home_epoch != 0;
    if (place.site == SiteRole::none && !from_home) return {};
    if (place.site == SiteRole::home && !from_home) return {};
    if (place.site == SiteRole::follower && actor.home_epoch == place.home_epoch) return {};
    TRY(const auto rows, session.run(find_home, {place.project_id}));
    if (rows.empty()) return fail(Errc::name_unknown, "the project is not known to the registry");
    const auto& name = rows.front().text(0);
    if (from_home) {
        return fail(
            Errc::precondition_failed,
            "the project " + name + " takes nothing from a home of the epoch " + std::to_string(actor.home_epoch) +
                ": here it is at " + std::to_string(place.home_epoch)
        );
    }
    if (place.site == SiteRole::fenced) {
        return fail(Errc::denied, "another site has become the home of the project " + name + ": push there");
    }
    return fail(Errc::denied, "the home of the project " + name + " is " + rows.front().text(1) + ": push there");
}

Result<> note_lacking_sites(
    SqlSession& session,
    const RepositoryRow& place,
    std::string_view reference,
    std::string_view digest,
    const Actor& actor
)
{
    if (place.site != SiteRole::home) return {};
    CHECK(session.run(insert_lacking, {place.project_id, place.id, reference, digest, actor.at}));
    return {};
}

Result<> note_tag_of_sites(
    SqlSession& session, const RepositoryRow& place, std::string_view tag, std::int64_t manifest_id, const Actor& actor
)
{
    if (place.site == SiteRole::none) return {};
    TRY(const auto found, session.run(find_digest, {manifest_id}));
    return note_tag(session, place, tag, found.empty() ? std::string_view{} : found.front().text(0), actor);
}

Result<> note_removal_of_sites(
    SqlSession& session,
    const RepositoryRow& place,
    std::int64_t manifest_id,
    std::string_view digest,
    const Actor& actor
)
{
    if (place.site == SiteRole::none) return {};
    TRY(const auto tags, session.run(select_tags, {manifest_id}));
    for (const SqlRow& row : tags) CHECK(note_tag(session, place, row.text(0), {}, actor));
    return note_lacking_sites(session, place, digest, {}, actor);
}

Result<> check_not_synchronous(SqlSession& session, std::int64_t project_id)
{
    TRY(const auto rows, session.run(find_role, {project_id}));
    if (rows.empty() || rows.front().text(1).empty()) return {};
    return fail(
        Errc::precondition_failed,
        "the project " + rows.front().text(0) + " is held by several sites: nothing in it can be renamed"
    );
}

}  // namespace entrepot

#include "drivers/sql/sql_synchronous.hpp"

#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/synchronisation_rows.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <set>

namespace entrepot {
namespace {

namespace json = boost::json;

// An epoch grows by one with each home: what is further ahead is a mistake, or meant to shut all homes out for good.
constexpr std::int64_t most_epochs_at_once = 1000;

constexpr SqlStatement lock_project{
    "SELECT site_role, home_epoch, home_address, home_user_id FROM projects WHERE id = $1", "FOR NO KEY UPDATE"
};
constexpr SqlStatement update_role{
    "UPDATE projects SET site_role = $2, home_epoch = $3, home_address = $4, home_user_id = $5 WHERE id = $1"
};
constexpr SqlStatement update_role_of_repositories{
    "UPDATE repositories SET site_role = $2, home_epoch = $3 WHERE project_id = $1"
};
constexpr SqlStatement put_settings{
    "INSERT INTO synchronisations (project_id, required, degrades, patience, creator_id, updated_at) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (project_id) DO UPDATE SET required = excluded.required, "
    "degrades = excluded.degrades, patience = excluded.patience, creator_id = excluded.creator_id, "
    "updated_at = excluded.updated_at"
};
constexpr SqlStatement delete_settings{"DELETE FROM synchronisations WHERE project_id = $1"};
constexpr SqlStatement delete_sites{"DELETE FROM synchronised_sites WHERE project_id = $1"};
constexpr SqlStatement delete_site{"DELETE FROM synchronised_sites WHERE project_id = $1 AND registry_id = $2"};
constexpr SqlStatement find_registry{"SELECT id FROM registries WHERE id = $1", "FOR KEY SHARE"};
constexpr SqlStatement put_site{
    "INSERT INTO synchronised_sites (project_id, registry_id, project_there, followed_epoch, took_part) "
    "VALUES ($1, $2, $3, 0, $4)"
};
constexpr SqlStatement all_is_lacking{
    "INSERT INTO synchronised_pending (project_id, registry_id, repository, reference, digest, since, failures, "
    "last_error) SELECT r.project_id, $2, r.name, t.name, m.digest, $3, 0, '' FROM repositories r "
    "JOIN tags t ON t.repository_id = r.id JOIN manifests m ON m.id = t.manifest_id WHERE r.project_id = $1"
};
// What was pushed by its digest alone and belongs to something else: signatures, SBOMs.
constexpr SqlStatement all_referrers_are_lacking{
    "INSERT INTO synchronised_pending (project_id, registry_id, repository, reference, digest, since, failures, "
    "last_error) SELECT r.project_id, $2, r.name, m.digest, m.digest, $3, 0, '' FROM repositories r "
    "JOIN manifests m ON m.repository_id = r.id WHERE r.project_id = $1 AND m.subject_digest IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id)"
};

constexpr SqlStatement update_followed{
    "UPDATE synchronised_sites SET followed_epoch = $3 WHERE project_id = $1 AND registry_id = $2"
};
constexpr SqlStatement select_lacking{
    "SELECT repository, reference, digest, since, failures, last_error FROM synchronised_pending "
    "WHERE project_id = $1 AND registry_id = $2 AND (repository, reference) > ($3, $4) "
    "ORDER BY repository, reference LIMIT $5"
};
constexpr SqlStatement insert_lacking{
    "INSERT INTO synchronised_pending (project_id, registry_id, repository, reference, digest, since, failures, "
    "last_error) SELECT s.project_id, s.registry_id, $3, $4, $5, $6, 0, $7 FROM synchronised_sites s "
    "JOIN projects p ON p.id = s.project_id WHERE s.project_id = $1 AND s.registry_id = $2 AND p.site_role = 'home' "
    "ON CONFLICT (project_id, registry_id, repository, reference) DO NOTHING"
};
// A row that stood for one state stands for another: whoever is bringing the former doesn't settle it.
constexpr SqlStatement renew_lacking{
    "INSERT INTO synchronised_pending (project_id, registry_id, repository, reference, digest, since, failures, "
    "last_error) SELECT s.project_id, s.registry_id, $3, $4, $5, $6, 0, '' FROM synchronised_sites s "
    "JOIN projects p ON p.id = s.project_id WHERE s.project_id = $1 AND s.registry_id = $2 AND p.site_role = 'home' "
    "ON CONFLICT (project_id, registry_id, repository, reference) DO UPDATE SET digest = excluded.digest"
};
// A tag is never called as a digest is.
constexpr SqlStatement find_current{
    "SELECT m.digest FROM repositories r JOIN tags t ON t.repository_id = r.id JOIN manifests m ON m.id = "
    "t.manifest_id WHERE r.name = $1 AND t.name = $2 UNION ALL SELECT m.digest FROM repositories r "
    "JOIN manifests m ON m.repository_id = r.id WHERE r.name = $1 AND m.digest = $2"
};
constexpr SqlStatement find_lacking{
    "SELECT digest FROM synchronised_pending WHERE project_id = $1 AND registry_id = $2 AND repository = $3 AND "
    "reference = $4"
};
constexpr SqlStatement find_tags_of{
    "SELECT t.name FROM repositories r JOIN manifests m ON m.repository_id = r.id "
    "JOIN tags t ON t.manifest_id = m.id WHERE r.name = $1 AND m.digest = $2 ORDER BY t.name"
};
constexpr SqlStatement delete_lacking{
    "DELETE FROM synchronised_pending WHERE project_id = $1 AND registry_id = $2 AND repository = $3 AND "
    "reference = $4 AND digest = $5 RETURNING reference"
};
constexpr SqlStatement count_failure{
    "UPDATE synchronised_pending SET failures = failures + 1, last_error = $5 WHERE project_id = $1 AND "
    "registry_id = $2 AND repository = $3 AND reference = $4 RETURNING reference"
};

struct Stand {
    SiteRole role = SiteRole::none;
    std::int64_t epoch = 0;
    std::string home;
    std::int64_t home_user_id = 0;
};

// Whoever pushes holds the repository's row, and sees the role as it is then.
Result<Stand> lock_stand(SqlSession& session, std::int64_t project_id)
{
    CHECK(lock_repositories(session, project_id));
    TRY(auto rows, session.run(lock_project, {project_id}));
    if (rows.empty()) return no_project_of_sites();
    // Those that came before the project was locked.
    CHECK(lock_repositories(session, project_id));
    return Stand{
        .role = site_role_named(rows.front().text(0)),
        .epoch = rows.front().integer(1),
        .home = rows.front().take_text(2),
        .home_user_id = rows.front().integer(3),
    };
}

Result<> change_role(
    SqlSession& session,
    std::int64_t project_id,
    SiteRole role,
    std::int64_t epoch,
    std::string_view home,
    std::int64_t home_user_id
)
{
    CHECK(session.run(update_role, {project_id, text_of(role), epoch, home, home_user_id}));
    CHECK(session.run(update_role_of_repositories, {project_id, text_of(role), epoch}));
    return note_access_change(session, AccessObject::project, project_id);
}

Result<>
record_change(SqlSession& session, std::string_view what, std::int64_t project_id, const Stand& now, const Actor& actor)
{
    auto event = event_in_project(event_type::synchronisation_changed, actor, project_id);
    set_details(event, {{"change", what}, {"role", text_of(now.role)}, {"epoch", now.epoch}, {"home", now.home}});
    return record_event(session, event);
}

// The rows of sites that stay keep what they lack, unless the home has been another site.
Result<> put_sites(SqlSession& session, const Synchronisation& wanted, bool takes_over, const Actor& actor)
{
    std::set<std::int64_t> there;
    TRY(const auto before, sites_of(session, wanted.project_id));
    for (const auto& site : before) {
        const auto stays = std::ranges::find(wanted.sites, site.registry_id, &SynchronousSite::registry_id);
        if (!takes_over && stays != wanted.sites.end() && stays->project == site.project) {
            there.insert(site.registry_id);
            continue;
        }
        CHECK(session.run(delete_site, {wanted.project_id, site.registry_id}));
    }
    for (const auto& site : wanted.sites) {
        if (there.contains(site.registry_id)) continue;
        TRY(const auto registry, session.run(find_registry, {site.registry_id}));
        if (registry.empty()) {
            return fail(Errc::not_found, "there is no registry endpoint " + std::to_string(site.registry_id));
        }
        CHECK(session.run(put_site, {wanted.project_id, site.registry_id, site.project, std::int64_t{takes_over}}));
        CHECK(session.run(all_is_lacking, {wanted.project_id, site.registry_id, actor.at}));
        CHECK(session.run(all_referrers_are_lacking, {wanted.project_id, site.registry_id, actor.at}));
    }
    return {};
}

Result<Synchronisation> lead_by(SqlSession& session, const Synchronisation& wanted, bool takes_over, const Actor& actor)
{
    TRY(const auto before, lock_stand(session, wanted.project_id));
    const bool is_home = before.role == SiteRole::home;
    if (takes_over && is_home) return fail(Errc::conflict, "this site is the project's home already");
    if (!takes_over && (before.role == SiteRole::follower || before.role == SiteRole::fenced)) {
        return fail(
            Errc::conflict,
            "the project's home is " + (before.home.empty() ? "another site" : before.home) +
                ": change it there, or take over here"
        );
    }
    // Followers know a home by its address: another one is news to them, which only a later epoch makes them take.
    const bool known = is_home && before.home == wanted.home;
    const Stand now{.role = SiteRole::home, .epoch = before.epoch + (known ? 0 : 1), .home = wanted.home};
    CHECK(change_role(session, wanted.project_id, now.role, now.epoch, now.home, 0));
    CHECK(session.run(
        put_settings,
        {wanted.project_id, wanted.required, std::int64_t{wanted.degrades}, wanted.patience, actor.user_id, actor.at}
    ));
    CHECK(put_sites(session, wanted, takes_over && before.role != SiteRole::none, actor));
    CHECK(record_change(session, takes_over ? "taken over" : "set", wanted.project_id, now, actor));
    return find_synchronisation(session, wanted.project_id);
}

// What this site had acknowledged as the home and not brought elsewhere stays noted until the new home says what it
// holds instead (site_guard.hpp).
Result<Synchronisation>
follow_by(SqlSession& session, std::int64_t project_id, std::int64_t epoch, const std::string& home, const Actor& actor)
{
    TRY(const auto before, lock_stand(session, project_id));
    const bool same = before.role == SiteRole::follower && before.epoch == epoch && before.home == home;
    const bool stopped = before.role == SiteRole::none && before.epoch == epoch && before.home == home;
    if (!same && !stopped && epoch <= before.epoch) {
        return fail(
            Errc::conflict,
            "the project's home is " + (before.home.empty() ? "another site" : before.home) + " by the epoch " +
                std::to_string(before.epoch)
        );
    }
    if (epoch > before.epoch + most_epochs_at_once) {
        return fail(
            Errc::bad_request,
            "the epoch " + std::to_string(epoch) + " is too far from " + std::to_string(before.epoch) + " to be true"
        );
    }
    CHECK(change_role(session, project_id, SiteRole::follower, epoch, home, actor.user_id));
    CHECK(session.run(delete_settings, {project_id}));
    if (!same || before.home_user_id != actor.user_id) {
        const Stand now{.role = SiteRole::follower, .epoch = epoch, .home = home, .home_user_id = actor.user_id};
        CHECK(record_change(session, same ? "follows another account" : "follows", project_id, now, actor));
    }
    return find_synchronisation(session, project_id);
}

Result<> fence_off(SqlSession& session, std::int64_t project_id, std::int64_t epoch, const std::string& why, Micros now)
{
    TRY(const auto before, lock_stand(session, project_id));
    if (before.role != SiteRole::home || before.epoch != epoch) return {};
    CHECK(change_role(session, project_id, SiteRole::fenced, epoch, {}, 0));
    auto event = event_in_project(event_type::synchronisation_fenced, {.user_id = 0, .at = now}, project_id);
    set_details(event, {{"epoch", epoch}, {"reason", why}});
    return record_event(session, event);
}

Result<> stop_it(SqlSession& session, std::int64_t project_id, const Actor& actor)
{
    TRY(const auto before, lock_stand(session, project_id));
    if (before.role == SiteRole::none) return fail(Errc::not_found, "the project is not synchronous");
    CHECK(change_role(session, project_id, SiteRole::none, before.epoch, before.home, 0));
    CHECK(session.run(delete_settings, {project_id}));
    CHECK(session.run(delete_sites, {project_id}));
    const Stand now{.role = SiteRole::none, .epoch = before.epoch, .home = {}};
    return record_change(session, "stopped", project_id, now, actor);
}

Result<> insert_row(SqlSession& session, std::int64_t project_id, std::int64_t registry_id, const LackingReference& one)
{
    CHECK(session.run(
        insert_lacking, {project_id, registry_id, one.repository, one.reference, one.digest, one.since, one.last_error}
    ));
    return {};
}

// Empty where it leads nowhere.
Result<std::string> current_digest(SqlSession& session, std::string_view repository, std::string_view reference)
{
    TRY(auto rows, session.run(find_current, {repository, reference}));
    return rows.empty() ? std::string{} : rows.front().take_text(0);
}

Result<> settle_it(SqlSession& session, std::int64_t project_id, std::int64_t registry_id, const LackingReference& held)
{
    TRY(const auto current, current_digest(session, held.repository, held.reference));
    // Removed there by its digest, it took its tags along: and here it has come back with them meanwhile.
    if (held.digest.empty() && current == held.reference) {
        CHECK(
            session.run(renew_lacking, {project_id, registry_id, held.repository, held.reference, current, held.since})
        );
        TRY(const auto tags, session.run(find_tags_of, {held.repository, current}));
        for (const SqlRow& tag : tags) {
            CHECK(session.run(
                renew_lacking, {project_id, registry_id, held.repository, tag.text(0), std::string_view{}, held.since}
            ));
        }
        return {};
    }
    TRY(const auto settled,
        session.run(delete_lacking, {project_id, registry_id, held.repository, held.reference, held.digest}));
    if (!settled.empty()) return {};
    // What was sent is not what it leads to now, and the one who has sent that may have been faster.
    TRY(const auto stands, session.run(find_lacking, {project_id, registry_id, held.repository, held.reference}));
    const bool differs = stands.empty() ? current != held.digest : stands.front().text(0) != current;
    if (!differs) return {};
    CHECK(session.run(renew_lacking, {project_id, registry_id, held.repository, held.reference, current, held.since}));
    return {};
}

}  // namespace

Task<Synchronisation> SqlSynchronous::find(std::int64_t project_id)
{
    const auto work = [project_id](SqlSession& session) { return find_synchronisation(session, project_id); };
    co_return co_await engine_.read(work);
}

Task<Synchronisation> SqlSynchronous::members(std::int64_t project_id)
{
    const auto work = [project_id](SqlSession& session) { return find_members(session, project_id); };
    co_return co_await engine_.read(work);
}

Task<std::vector<Synchronisation>> SqlSynchronous::all()
{
    const auto work = [](SqlSession& session) { return all_synchronisations(session); };
    co_return co_await engine_.read(work);
}

Task<Synchronisation> SqlSynchronous::lead(Synchronisation wanted, bool takes_over, Actor actor)
{
    const auto work = [wanted = std::move(wanted), takes_over, actor](SqlSession& session) {
        return lead_by(session, wanted, takes_over, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Synchronisation> SqlSynchronous::follow(std::int64_t project_id, std::int64_t epoch, std::string home, Actor actor)
{
    const auto work = [project_id, epoch, home = std::move(home), actor](SqlSession& session) {
        return follow_by(session, project_id, epoch, home, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlSynchronous::fence(std::int64_t project_id, std::int64_t epoch, std::string why, Micros now)
{
    const auto work = [project_id, epoch, why = std::move(why), now](SqlSession& session) {
        return fence_off(session, project_id, epoch, why, now);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlSynchronous::stop(std::int64_t project_id, Actor actor)
{
    const auto work = [project_id, actor](SqlSession& session) { return stop_it(session, project_id, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlSynchronous::note_followed(std::int64_t project_id, std::int64_t registry_id, std::int64_t epoch)
{
    const auto work = [=](SqlSession& session) -> Result<> {
        CHECK(session.run(update_followed, {project_id, registry_id, epoch}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<std::vector<LackingReference>> SqlSynchronous::lacking(
    std::int64_t project_id,
    std::int64_t registry_id,
    std::string after_repository,
    std::string after_reference,
    std::int64_t limit
)
{
    const auto work = [=, repository = std::move(after_repository), reference = std::move(after_reference)](
                          SqlSession& session
                      ) -> Result<std::vector<LackingReference>> {
        TRY(auto rows, session.run(select_lacking, {project_id, registry_id, repository, reference, limit}));
        std::vector<LackingReference> found;
        for (auto& row : rows) {
            found.push_back({
                .repository = row.take_text(0),
                .reference = row.take_text(1),
                .digest = row.take_text(2),
                .since = row.integer(3),
                .failures = row.integer(4),
                .last_error = row.take_text(5),
            });
        }
        return found;
    };
    co_return co_await engine_.read(work);
}

Task<>
SqlSynchronous::note_lacking(std::int64_t project_id, std::int64_t registry_id, std::vector<LackingReference> more)
{
    const auto work = [project_id, registry_id, more = std::move(more)](SqlSession& session) -> Result<> {
        for (const auto& one : more) CHECK(insert_row(session, project_id, registry_id, one));
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

// Lost with the machine's power the row is there again, and the site is found to hold it.
Task<> SqlSynchronous::settle(std::int64_t project_id, std::int64_t registry_id, LackingReference held)
{
    const auto work = [project_id, registry_id, held = std::move(held)](SqlSession& session) -> Result<> {
        return settle_it(session, project_id, registry_id, held);
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlSynchronous::note_failure(std::int64_t project_id, std::int64_t registry_id, LackingReference failed)
{
    const auto work = [project_id, registry_id, failed = std::move(failed)](SqlSession& session) -> Result<> {
        TRY(const auto known,
            session.run(
                count_failure, {project_id, registry_id, failed.repository, failed.reference, failed.last_error}
            ));
        if (!known.empty()) return {};
        auto anew = failed;
        TRY(anew.digest, current_digest(session, failed.repository, failed.reference));
        return insert_row(session, project_id, registry_id, anew);
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlSynchronous::note_degraded(
    std::int64_t project_id, LackingReference pushed, std::vector<std::string> sites, Actor actor
)
{
    const auto work = [project_id, pushed = std::move(pushed), sites = std::move(sites), actor](SqlSession& session) {
        auto event = event_in_project(event_type::synchronisation_degraded, actor, project_id);
        event.repository = pushed.repository;
        event.digest = pushed.digest;
        if (pushed.reference != pushed.digest) event.tag = pushed.reference;
        json::array names;
        for (const auto& site : sites) names.push_back(json::value(site));
        set_details(event, {{"lacking", std::move(names)}});
        return record_event(session, event);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot

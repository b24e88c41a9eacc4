#include "drivers/sql/repository_rows.hpp"

#include "drivers/sql/artifact_rows.hpp"
#include "drivers/sql/project_budget.hpp"
#include "drivers/sql/rename_rows.hpp"

#include <algorithm>

namespace entrepot {

namespace {

constexpr SqlStatement find_repository_id{"SELECT id FROM repositories WHERE name = $1"};

#define IS_LIMITED                                                                                            \
    "CASE WHEN p.quota_bytes >= 0 OR p.quota_artifacts >= 0 OR t.quota_bytes >= 0 OR t.quota_artifacts >= 0 " \
    "THEN 1 ELSE 0 END"

// What the row of the project says may be older than the lock, so its role stands with the repository too.
#define PLACE_BY_NAME                                                                                  \
    "SELECT r.project_id, r.id, p.tenant_id, " IS_LIMITED                                              \
    ", p.immutable_rules, p.push_policies, r.site_role, r.home_epoch, (SELECT keep FROM trash_state) " \
    "FROM repositories r JOIN projects p ON p.id = r.project_id "                                      \
    "JOIN tenants t ON t.id = p.tenant_id WHERE r.name = $1"
constexpr SqlStatement find_by_name{PLACE_BY_NAME};
constexpr SqlStatement lock_by_name{PLACE_BY_NAME, "FOR NO KEY UPDATE OF r"};

// While a lost database is being rebuilt, what happened before is repeated: it was allowed then, and the limits of its
// snapshot may be others (app/rebuild_command.cpp).
constexpr SqlStatement find_rebuild{"SELECT 1 FROM settings WHERE name = 'index.repeating'"};

constexpr SqlStatement find_in_project{"SELECT 1 FROM blobs b JOIN project_blobs x ON x.blob_id = b.id "
                                       "WHERE b.digest = $2 AND x.project_id = $1 AND x.links > 0"};

// Until the repository is there, those who push into it wait for each other here.
constexpr SqlStatement lock_project{"SELECT p.id FROM projects p WHERE p.name = $1", "FOR NO KEY UPDATE"};

constexpr SqlStatement insert_repository{
    "INSERT INTO repositories (project_id, name, created_at, updated_at, site_role, home_epoch) "
    "SELECT p.id, $2, $3, $3, p.site_role, p.home_epoch FROM projects p WHERE p.id = $1 "
    "ON CONFLICT (name) DO NOTHING RETURNING id"
};

#define FIND_LINK                                                                         \
    "SELECT b.id, b.size, b.state, l.unused_since FROM repositories r "                   \
    "JOIN repository_blobs l ON l.repository_id = r.id JOIN blobs b ON b.id = l.blob_id " \
    "WHERE r.name = $1 AND b.digest = $2"
constexpr SqlStatement find_link{FIND_LINK};
constexpr SqlStatement lock_link{FIND_LINK, "FOR SHARE OF b"};

// A manifest may have named it before it came.
constexpr SqlStatement insert_link{
    "INSERT INTO repository_blobs (repository_id, blob_id, linked_at, unused_since) SELECT $1, $2, $3, "
    "CASE WHEN EXISTS (SELECT 1 FROM manifest_blobs WHERE blob_id = $2 AND repository_id = $1) THEN 0 ELSE $4 END "
    "WHERE 1 = 1 ON CONFLICT (repository_id, blob_id) DO NOTHING RETURNING blob_id"
};

constexpr SqlStatement renew_link{"UPDATE repository_blobs SET unused_since = $3 "
                                  "WHERE repository_id = $1 AND blob_id = $2 AND unused_since > 0"};

constexpr SqlStatement revive_blob{"UPDATE blobs SET state = 0, condemned_at = 0 WHERE id = $1"};

// Two statements: what was committed while the lock was waited for, only the second one sees.
constexpr SqlStatement lock_blob{"SELECT id FROM blobs WHERE id = $1", "FOR NO KEY UPDATE"};
constexpr SqlStatement condemn_blob{
    "UPDATE blobs SET state = 2, condemned_at = $2 WHERE id = $1 AND state IN (0, 4) AND "
    "NOT EXISTS (SELECT 1 FROM repository_blobs WHERE blob_id = $1) AND "
    "NOT EXISTS (SELECT 1 FROM trash_blobs WHERE blob_id = $1)"
};

constexpr SqlStatement count_link{
    "INSERT INTO project_blobs (project_id, blob_id, links) VALUES ($1, $2, 1) "
    "ON CONFLICT (project_id, blob_id) DO UPDATE SET links = project_blobs.links + 1 RETURNING links"
};

constexpr SqlStatement delete_link{
    "DELETE FROM repository_blobs WHERE repository_id = $1 AND blob_id = $2 RETURNING blob_id"
};

constexpr SqlStatement uncount_link{
    "UPDATE project_blobs SET links = links - 1 WHERE project_id = $1 AND blob_id = $2 RETURNING links"
};

constexpr SqlStatement delete_count{"DELETE FROM project_blobs WHERE project_id = $1 AND blob_id = $2"};

constexpr SqlStatement select_of_project{"SELECT id FROM repositories WHERE project_id = $1 ORDER BY id", "FOR UPDATE"};
constexpr SqlStatement delete_of_project{"DELETE FROM repositories WHERE project_id = $1"};

Result<std::optional<RepositoryRow>> place_in(SqlSession& session, Result<SqlRows> rows)
{
    if (!rows) return std::unexpected{std::move(rows).error()};
    if (rows->empty()) return std::nullopt;
    const SqlRow& row = rows->front();
    RepositoryRow place{
        .project_id = row.integer(0),
        .id = row.integer(1),
        .tenant_id = row.integer(2),
        .limited = row.integer(3) != 0,
        .guarded = row.integer(4) > 0,
        .has_push_policies = row.integer(5) > 0,
        .trash_keep = row.integer(8),
        .site = site_role_named(row.text(6)),
        .home_epoch = row.integer(7),
    };
    if (place.limited || place.guarded || place.has_push_policies || place.site != SiteRole::none) {
        TRY(const auto rebuilt, session.run(find_rebuild));
        if (!rebuilt.empty()) {
            place.limited = place.guarded = place.has_push_policies = false;
            place.site = SiteRole::none;
        }
    }
    return place;
}

Result<std::optional<BlobRow>> linked_blob(Result<SqlRows> rows)
{
    if (!rows) return std::unexpected{std::move(rows).error()};
    if (rows->empty()) return std::nullopt;
    const SqlRow& row = rows->front();
    return BlobRow{
        .id = row.integer(0),
        .size = static_cast<std::uint64_t>(row.integer(1)),
        .state = BlobState{row.integer(2)},
        .unused_since = row.integer(3),
    };
}

}  // namespace

Result<std::optional<std::int64_t>> find_repository(SqlSession& session, const RepositoryName& name)
{
    TRY(const auto rows, session.run(find_repository_id, {name.text()}));
    if (rows.empty()) return std::nullopt;
    return rows.front().integer(0);
}

Result<RepositoryRow> enter_repository(SqlSession& session, const RepositoryName& name, Micros now)
{
    TRY(const auto known, lock_repository(session, name));
    if (known) return *known;
    TRY(const auto project, session.run(lock_project, {name.project()}));
    if (project.empty()) return no_such_repository(name);
    TRY(const auto inserted, session.run(insert_repository, {project.front().integer(0), name.text(), now}));
    TRY(const auto place, lock_repository(session, name));
    if (!place) return fail(Errc::unavailable, "the repository changed meanwhile, try again");
    if (inserted.empty()) return *place;
    CHECK(check_path_free(session, place->project_id, name));
    CHECK(count_repository(session, *place, 1));
    return *place;
}

Result<std::optional<RepositoryRow>> find_place(SqlSession& session, const RepositoryName& name)
{
    return place_in(session, session.run(find_by_name, {name.text()}));
}

Result<std::optional<RepositoryRow>> lock_repository(SqlSession& session, const RepositoryName& name)
{
    return place_in(session, session.run(lock_by_name, {name.text()}));
}

Result<bool> project_holds(SqlSession& session, std::int64_t project_id, const Digest& digest)
{
    TRY(const auto rows, session.run(find_in_project, {project_id, digest.text()}));
    return !rows.empty();
}

Result<std::optional<BlobRow>> find_linked_blob(SqlSession& session, const RepositoryName& name, const Digest& digest)
{
    return linked_blob(session.run(find_link, {name.text(), digest.text()}));
}

Result<std::optional<BlobRow>> lock_linked_blob(SqlSession& session, const RepositoryName& name, const Digest& digest)
{
    TRY(const auto blob, linked_blob(session.run(lock_link, {name.text(), digest.text()})));
    if (blob && blob->state != BlobState::live && blob->state != BlobState::condemned) return std::nullopt;
    return blob;
}

Result<> link_blob(SqlSession& session, const RepositoryRow& repository, const BlobRow& blob, Micros now)
{
    const Micros promised = std::max<Micros>(now, 1);
    if (blob.state == BlobState::condemned) CHECK(session.run(revive_blob, {blob.id}));
    TRY(const auto linked, session.run(insert_link, {repository.id, blob.id, now, promised}));
    if (linked.empty()) {
        CHECK(session.run(renew_link, {repository.id, blob.id, promised}));
        return {};
    }
    TRY(const auto links, session.run(count_link, {repository.project_id, blob.id}));
    if (links.front().integer(0) > 1) return {};
    return charge(session, repository, static_cast<std::int64_t>(blob.size), {}, now);
}

Result<> unlink_blob(SqlSession& session, const RepositoryRow& repository, const BlobRow& blob, Micros now)
{
    TRY(const auto unlinked, session.run(delete_link, {repository.id, blob.id}));
    if (unlinked.empty()) return {};
    return release_link(session, repository.project_id, blob, now);
}

Result<> release_link(SqlSession& session, std::int64_t project_id, const BlobRow& blob, Micros now)
{
    TRY(const auto links, session.run(uncount_link, {project_id, blob.id}));
    if (links.empty() || links.front().integer(0) > 0) return {};
    CHECK(session.run(delete_count, {project_id, blob.id}));
    CHECK(charge(session, {.project_id = project_id}, -static_cast<std::int64_t>(blob.size), {}, now));
    CHECK(session.run(lock_blob, {blob.id}));
    CHECK(session.run(condemn_blob, {blob.id, now}));
    return {};
}

Result<> lock_repositories(SqlSession& session, std::int64_t project_id)
{
    CHECK(session.run(select_of_project, {project_id}));
    return {};
}

Result<> remove_empty_repositories(SqlSession& session, std::int64_t project_id)
{
    TRY(const auto rows, session.run(select_of_project, {project_id}));
    for (const SqlRow& row : rows) CHECK(count_repository(session, {project_id, row.integer(0)}, -1));
    CHECK(session.run(delete_of_project, {project_id}));
    return {};
}

std::unexpected<Error> no_such_repository(const RepositoryName& name)
{
    return fail(Errc::name_unknown, "repository " + name.text() + " is not known to the registry");
}

}  // namespace entrepot

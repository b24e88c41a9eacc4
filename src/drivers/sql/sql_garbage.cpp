#include "drivers/sql/sql_garbage.hpp"

#include "drivers/sql/artifact_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/trash_rows.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

namespace entrepot {

namespace {

// `dead_kind > 0` and `state > 0` are there for the partial indexes.
constexpr SqlStatement select_dead{
    "SELECT a.manifest_id, r.name FROM artifacts a JOIN repositories r ON r.id = a.repository_id "
    "WHERE a.dead_kind > 0 AND a.dead_kind = $1 AND a.dead_since <= $2 ORDER BY a.dead_since LIMIT $3"
};

constexpr SqlStatement find_dead{
    "SELECT m.size FROM artifacts a JOIN manifests m ON m.id = a.manifest_id "
    "WHERE a.manifest_id = $1 AND a.repository_id = $2 AND a.dead_kind >= $3 AND a.dead_since <= $4"
};

constexpr SqlStatement select_unused{
    "SELECT r.project_id, r.name, l.repository_id, l.blob_id, b.size, l.unused_since FROM repository_blobs l "
    "JOIN repositories r ON r.id = l.repository_id JOIN blobs b ON b.id = l.blob_id "
    "WHERE l.unused_since > 0 AND l.unused_since <= $1 ORDER BY l.unused_since LIMIT $2"
};

constexpr SqlStatement lock_repository_row{
    "SELECT project_id, name FROM repositories WHERE id = $1", "FOR NO KEY UPDATE"
};

constexpr SqlStatement delete_unused{
    "DELETE FROM repository_blobs WHERE repository_id = $1 AND blob_id = $2 AND unused_since = $3 AND NOT EXISTS "
    "(SELECT 1 FROM manifest_blobs u WHERE u.blob_id = $2 AND u.repository_id = $1) RETURNING blob_id"
};

// A row that some transaction revives meanwhile is passed over: the state is looked at again under its lock.
constexpr SqlStatement claim_blobs{
    "UPDATE blobs SET state = 3 WHERE state = 2 AND id IN (SELECT id FROM blobs WHERE state > 0 AND state = 2 AND "
    "condemned_at <= $1 ORDER BY condemned_at LIMIT $2) AND NOT EXISTS "
    "(SELECT 1 FROM repository_blobs l WHERE l.blob_id = blobs.id) AND NOT EXISTS "
    "(SELECT 1 FROM trash_blobs x WHERE x.blob_id = blobs.id)"
};
constexpr SqlStatement select_leaving{"SELECT digest, size FROM blobs WHERE state > 0 AND state = 3"};

// A manifest that names such a blob waits for these locks; the statements behind them see all that came before.
constexpr SqlStatement lock_leaving{"SELECT id FROM blobs WHERE state > 0 AND state = 3 ORDER BY id", "FOR UPDATE"};
constexpr SqlStatement expect_named{"UPDATE blobs SET state = 1, condemned_at = 0 WHERE state > 0 AND state = 3 AND "
                                    "EXISTS (SELECT 1 FROM manifest_blobs u WHERE u.blob_id = blobs.id)"};
constexpr SqlStatement delete_leaving{"DELETE FROM blobs WHERE state > 0 AND state = 3"};
constexpr SqlStatement count_sweep{"UPDATE gc_state SET sweeps = sweeps + 1"};

constexpr SqlStatement select_unnamed{
    "SELECT id FROM blobs WHERE state > 0 AND state = 1 AND "
    "NOT EXISTS (SELECT 1 FROM manifest_blobs u WHERE u.blob_id = blobs.id) LIMIT 1000"
};
constexpr SqlStatement lock_absent{"SELECT id FROM blobs WHERE id = $1 AND state = 1", "FOR UPDATE"};
constexpr SqlStatement delete_unnamed{"DELETE FROM blobs WHERE id = $1 AND state = 1 AND "
                                      "NOT EXISTS (SELECT 1 FROM manifest_blobs u WHERE u.blob_id = $1)"};

constexpr SqlStatement insert_condemned{
    "INSERT INTO blobs (digest, size, created_at, state, condemned_at) VALUES ($1, $2, $3, 2, $3) "
    "ON CONFLICT (digest) DO NOTHING"
};

constexpr SqlStatement count_dead{
    "SELECT COUNT(*) FROM artifacts WHERE dead_kind > 0 AND dead_kind >= $1 AND dead_since <= $2"
};

// Blobs of which each link is unused for long enough, or used by none but manifests that go.
constexpr SqlStatement sum_dying{
    "WITH suspects AS (SELECT u.blob_id FROM artifacts a JOIN manifest_blobs u ON u.manifest_id = a.manifest_id "
    "WHERE a.dead_kind > 0 AND a.dead_kind >= $1 AND a.dead_since <= $2 "
    "UNION SELECT blob_id FROM repository_blobs WHERE unused_since > 0 AND unused_since <= $3 "
    "UNION SELECT id FROM blobs WHERE state > 0 AND state >= 2) "
    "SELECT COUNT(*), CAST(COALESCE(SUM(b.size), 0) AS BIGINT) FROM suspects s JOIN blobs b ON b.id = s.blob_id "
    "WHERE b.state NOT IN (1, 4) AND NOT EXISTS (SELECT 1 FROM trash_blobs x WHERE x.blob_id = b.id) AND "
    "NOT EXISTS (SELECT 1 FROM repository_blobs l WHERE l.blob_id = b.id AND "
    "(l.unused_since > $3 OR (l.unused_since = 0 AND EXISTS (SELECT 1 FROM manifest_blobs u "
    "JOIN artifacts a ON a.manifest_id = u.manifest_id WHERE u.blob_id = b.id AND "
    "u.repository_id = l.repository_id AND (a.dead_kind < $1 OR a.dead_since > $2)))))"
};

// The lowest dead_kind that is meant.
std::int64_t kind_of(GarbageCatalog::Dead which) noexcept
{
    return which == GarbageCatalog::Dead::orphaned ? 2 : 1;
}

Result<std::vector<DeadManifest>>
find_dead_manifests(SqlSession& session, GarbageCatalog::Dead which, Micros before, std::int64_t limit)
{
    std::vector<DeadManifest> dead;
    for (auto kind = kind_of(which); kind <= 2 && std::ssize(dead) < limit; ++kind) {
        TRY(const auto rows, session.run(select_dead, {kind, before, limit - std::ssize(dead)}));
        for (const SqlRow& row : rows) {
            TRY(auto name, RepositoryName::parse(row.text(1)));
            dead.push_back({row.integer(0), std::move(name)});
        }
    }
    return dead;
}

Result<GarbageCatalog::Removed> remove_dead(
    SqlSession& session,
    const RepositoryName& repository,
    const std::vector<std::int64_t>& ids,
    GarbageCatalog::Dead which,
    Micros before,
    const Actor& actor
)
{
    GarbageCatalog::Removed removed;
    TRY(const auto place, lock_repository(session, repository));
    if (!place) return removed;
    ArtifactRows rows{session, *place, actor};
    for (const std::int64_t id : ids) {
        TRY(const auto found, session.run(find_dead, {id, place->id, kind_of(which), before}));
        if (found.empty()) continue;
        const auto event = event_in_project(event_type::artifact_deleted, actor, place->project_id);
        CHECK(record_removal(session, event, repository.text(), id));
        CHECK(rows.remove_garbage(id));
        removed.manifests += 1;
        removed.bytes += static_cast<std::uint64_t>(found.front().integer(0));
    }
    if (removed.manifests > 0) CHECK(rows.finish(-static_cast<std::int64_t>(removed.bytes)));
    return removed;
}

Result<std::vector<UnusedLink>> find_unused(SqlSession& session, Micros before, std::int64_t limit)
{
    TRY(const auto rows, session.run(select_unused, {before, limit}));
    std::vector<UnusedLink> links;
    for (const SqlRow& row : rows) {
        TRY(auto name, RepositoryName::parse(row.text(1)));
        links.push_back({
            .project_id = row.integer(0),
            .repository = std::move(name),
            .repository_id = row.integer(2),
            .blob_id = row.integer(3),
            .size = static_cast<std::uint64_t>(row.integer(4)),
            .since = row.integer(5),
        });
    }
    return links;
}

Result<std::uint64_t>
sweep(SqlSession& session, std::int64_t project_id, const std::vector<UnusedLink>& links, Micros now)
{
    // As pushes do, so that none uses a link that goes. One that is elsewhere by now is the next run's.
    std::map<std::int64_t, std::string_view> repositories;
    for (const UnusedLink& link : links) repositories.emplace(link.repository_id, link.repository.text());
    std::set<std::int64_t> renamed;
    for (const auto& [id, name] : repositories) {
        TRY(const auto rows, session.run(lock_repository_row, {id}));
        const bool same = !rows.empty() && rows.front().integer(0) == project_id && rows.front().text(1) == name;
        if (!same) renamed.insert(id);
    }
    std::uint64_t swept = 0;
    for (const UnusedLink& link : links) {
        if (renamed.contains(link.repository_id)) continue;
        TRY(const auto deleted, session.run(delete_unused, {link.repository_id, link.blob_id, link.since}));
        if (deleted.empty()) continue;
        swept += 1;
        CHECK(release_link(session, project_id, {link.blob_id, link.size, BlobState::live, 0}, now));
    }
    return swept;
}

Result<> forget_leaving(SqlSession& session)
{
    for (const auto* statement : {&lock_leaving, &expect_named, &delete_leaving, &count_sweep}) {
        CHECK(session.run(*statement));
    }
    // What a sparse manifest named, and names no more.
    TRY(const auto unnamed, session.run(select_unnamed));
    for (const SqlRow& row : unnamed) {
        CHECK(session.run(lock_absent, {row.integer(0)}));
        CHECK(session.run(delete_unnamed, {row.integer(0)}));
    }
    return {};
}

Result<std::vector<StoredBlob>> claim_condemned(SqlSession& session, Micros before, std::int64_t limit)
{
    CHECK(session.run(claim_blobs, {before, limit}));
    TRY(const auto rows, session.run(select_leaving));
    std::vector<StoredBlob> blobs;
    for (const SqlRow& row : rows) {
        TRY(auto digest, Digest::parse(row.text(0)));
        blobs.push_back({std::move(digest), static_cast<std::uint64_t>(row.integer(1))});
    }
    return blobs;
}

}  // namespace

Task<std::vector<DeadManifest>> SqlGarbage::dead_manifests(Dead which, Micros before, std::int64_t limit)
{
    const auto work = [which, before, limit](SqlSession& session) {
        return find_dead_manifests(session, which, before, limit);
    };
    co_return co_await engine_.read(work);
}

Task<GarbageCatalog::Removed> SqlGarbage::remove_manifests(
    RepositoryName repository, std::vector<std::int64_t> ids, Dead which, Micros before, Actor actor
)
{
    const auto settled = [cache = cache_, repository] {
        if (cache) cache->contents_removed(repository.text());
    };
    const auto work = [repository, ids = std::move(ids), which, before, actor](SqlSession& session) {
        return remove_dead(session, repository, ids, which, before, actor);
    };
    co_return co_await engine_.write(Durability::process, work, settled);
}

Task<std::int64_t> SqlGarbage::expire_trash(Micros now, std::int64_t limit)
{
    const auto work = [now, limit](SqlSession& session) { return release_expired_trash(session, now, limit); };
    co_return co_await engine_.write(Durability::process, work);
}

Task<std::vector<UnusedLink>> SqlGarbage::unused_links(Micros before, std::int64_t limit)
{
    const auto work = [before, limit](SqlSession& session) { return find_unused(session, before, limit); };
    co_return co_await engine_.read(work);
}

Task<std::uint64_t> SqlGarbage::sweep_links(std::int64_t project_id, std::vector<UnusedLink> links, Actor actor)
{
    // By blob: in this order its rows are locked.
    std::ranges::sort(links, {}, &UnusedLink::blob_id);
    const auto shared = std::make_shared<const std::vector<UnusedLink>>(std::move(links));
    const auto settled = [cache = cache_, shared] {
        if (!cache) return;
        for (const auto& link : *shared) cache->contents_removed(link.repository.text());
    };
    const auto work = [project_id, shared, now = actor.at](SqlSession& session) {
        return sweep(session, project_id, *shared, now);
    };
    co_return co_await engine_.write(Durability::process, work, settled);
}

// Durable before any byte goes, and with it all that came before.
Task<std::vector<StoredBlob>> SqlGarbage::claim(Micros before, std::int64_t limit)
{
    const auto work = [before, limit](SqlSession& session) { return claim_condemned(session, before, limit); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlGarbage::forget()
{
    co_return co_await engine_.write(Durability::process, forget_leaving);
}

Task<> SqlGarbage::condemn_unknown(std::vector<StoredBlob> blobs, Actor actor)
{
    if (blobs.empty()) co_return Result<>{};
    const auto work = [blobs = std::move(blobs), now = actor.at](SqlSession& session) -> Result<> {
        for (const auto& blob : blobs) {
            CHECK(session.run(insert_condemned, {blob.digest.text(), static_cast<std::int64_t>(blob.size), now}));
        }
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<GarbageEstimate> SqlGarbage::estimate(Dead which, Micros manifests_before, Micros links_before)
{
    const auto work = [kind = kind_of(which), manifests_before, links_before](SqlSession& session
                      ) -> Result<GarbageEstimate> {
        TRY(const auto dead, session.run(count_dead, {kind, manifests_before}));
        TRY(const auto dying, session.run(sum_dying, {kind, manifests_before, links_before}));
        return GarbageEstimate{
            .manifests = static_cast<std::uint64_t>(dead.front().integer(0)),
            .blobs = static_cast<std::uint64_t>(dying.front().integer(0)),
            .bytes = static_cast<std::uint64_t>(dying.front().integer(1)),
        };
    };
    co_return co_await engine_.read(work);
}

}  // namespace entrepot

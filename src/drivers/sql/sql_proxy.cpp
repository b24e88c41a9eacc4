#include "drivers/sql/sql_proxy.hpp"

#include "oci/manifest.hpp"

namespace entrepot {
namespace {

constexpr SqlStatement find_proxy{
    "SELECT p.id, r.id, r.name, r.type, p.proxy_settings FROM projects p JOIN registries r ON r.id = p.registry_id "
    "WHERE p.id = $1"
};

constexpr SqlStatement list_metadata{"SELECT name, value FROM project_metadata WHERE project_id = $1"};

constexpr SqlStatement find_cached_tag{
    "SELECT c.digest, c.checked_at FROM cached_tags c JOIN repositories r ON r.id = c.repository_id "
    "WHERE r.name = $1 AND c.tag = $2"
};
constexpr SqlStatement write_cached_tag{
    "INSERT INTO cached_tags (repository_id, tag, digest, checked_at, upstream_etag) "
    "SELECT id, $2, $3, $4, '' FROM repositories WHERE name = $1 "
    "ON CONFLICT (repository_id, tag) DO UPDATE SET digest = excluded.digest, checked_at = excluded.checked_at "
    "WHERE cached_tags.checked_at <= excluded.checked_at"
};

// By its own bytes: what a blob's row says before the blob has come, some other repository's manifest said.
constexpr SqlStatement find_describing{
    "SELECT m.media_type, m.body FROM blobs b JOIN repositories r ON r.name = $1 JOIN manifest_blobs u "
    "ON u.blob_id = b.id AND u.repository_id = r.id JOIN manifests m ON m.id = u.manifest_id WHERE b.digest = $2 LIMIT "
    "1"
};

constexpr SqlStatement select_claim{
    "SELECT repository, owner, fence, place, size, expires_at FROM blob_fetches WHERE project_id = $1 AND digest = $2",
    "FOR UPDATE"
};
constexpr SqlStatement look_at_claim{
    "SELECT repository, owner, fence, place, size, expires_at FROM blob_fetches WHERE project_id = $1 AND digest = $2"
};
// Its fence is a time, so that it is another one than that of a claim which was released.
constexpr SqlStatement insert_claim{
    "INSERT INTO blob_fetches (project_id, digest, repository, owner, fence, place, size, started_at, expires_at) "
    "VALUES ($1, $2, $3, $4, $6, '', 0, $5, $6) ON CONFLICT (project_id, digest) DO NOTHING RETURNING fence"
};
constexpr SqlStatement take_claim_over{
    "UPDATE blob_fetches SET repository = $3, owner = $4, fence = fence + 1, place = $5, size = $6, expires_at = $7 "
    "WHERE project_id = $1 AND digest = $2 RETURNING fence"
};
constexpr SqlStatement renew_claim{"UPDATE blob_fetches SET place = $5, size = $6, expires_at = $7 "
                                   "WHERE project_id = $1 AND digest = $2 AND owner = $3 AND fence = $4 RETURNING fence"
};
constexpr SqlStatement delete_claim{
    "DELETE FROM blob_fetches WHERE project_id = $1 AND digest = $2 AND owner = $3 AND fence = $4"
};

FetchClaim claim_of(std::int64_t project_id, const Digest& digest, SqlRow& row)
{
    return {
        .project_id = project_id,
        .digest = digest,
        .repository = row.take_text(0),
        .owner = row.take_text(1),
        .fence = row.integer(2),
        .place = row.take_text(3),
        .size = static_cast<std::uint64_t>(row.integer(4)),
        .expires_at = row.integer(5),
    };
}

Result<FetchClaim> take(SqlSession& session, FetchClaim wish, Micros now)
{
    TRY(const auto inserted,
        session.run(
            insert_claim, {wish.project_id, wish.digest.text(), wish.repository, wish.owner, now, wish.expires_at}
        ));
    if (!inserted.empty()) {
        wish.fence = inserted.front().integer(0);
        wish.place.clear();
        wish.size = 0;
        return wish;
    }
    TRY(auto rows, session.run(select_claim, {wish.project_id, wish.digest.text()}));
    if (rows.empty()) return fail(Errc::unavailable, "the claim changed meanwhile, try again");
    auto standing = claim_of(wish.project_id, wish.digest, rows.front());
    if (standing.owner != wish.owner && standing.expires_at >= now) return standing;
    // An upload belongs to its repository.
    const bool goes_on = standing.repository == wish.repository;
    wish.place = goes_on ? standing.place : std::string{};
    wish.size = goes_on ? standing.size : 0;
    TRY(const auto taken,
        session.run(
            take_claim_over,
            {wish.project_id,
             wish.digest.text(),
             wish.repository,
             wish.owner,
             wish.place,
             static_cast<std::int64_t>(wish.size),
             wish.expires_at}
        ));
    wish.fence = taken.front().integer(0);
    return wish;
}

}  // namespace

Task<ProxyProject> SqlProxies::proxy(std::int64_t project_id)
{
    const auto work = [project_id](SqlSession& session) -> Result<ProxyProject> {
        TRY(auto rows, session.run(find_proxy, {project_id}));
        if (rows.empty()) return fail(Errc::not_found, "the project is no proxy cache");
        auto& row = rows.front();
        ProxyProject found{
            .project_id = row.integer(0),
            .registry_id = row.integer(1),
            .registry_name = row.take_text(2),
            .registry_type = row.take_text(3),
            .settings = row.take_text(4),
        };
        TRY(auto metadata, session.run(list_metadata, {project_id}));
        for (auto& entry : metadata) found.metadata.emplace(entry.take_text(0), entry.take_text(1));
        return found;
    };
    co_return co_await engine_.read(work);
}

Task<std::optional<CachedTag>> SqlProxies::cached_tag(RepositoryName repository, Tag tag)
{
    const auto work = [repository, tag](SqlSession& session) -> Result<std::optional<CachedTag>> {
        TRY(auto rows, session.run(find_cached_tag, {repository.text(), tag.text()}));
        if (rows.empty()) return std::nullopt;
        return CachedTag{.digest = rows.front().take_text(0), .checked_at = rows.front().integer(1)};
    };
    co_return co_await engine_.read(work);
}

Task<> SqlProxies::note_tag(RepositoryName repository, Tag tag, CachedTag seen)
{
    const auto work = [repository, tag, seen](SqlSession& session) -> Result<> {
        CHECK(session.run(write_cached_tag, {repository.text(), tag.text(), seen.digest, seen.checked_at}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<std::optional<std::uint64_t>> SqlProxies::described(RepositoryName repository, Digest digest)
{
    const auto work = [repository, digest](SqlSession& session) -> Result<std::optional<std::uint64_t>> {
        TRY(const auto rows, session.run(find_describing, {repository.text(), digest.text()}));
        if (rows.empty()) return std::nullopt;
        TRY(const auto manifest, Manifest::parse(rows.front().text(0), rows.front().text(1)));
        for (const auto& blob : manifest.required_blobs()) {
            if (blob.digest == digest) return blob.size;
        }
        return std::nullopt;
    };
    co_return co_await engine_.read(work);
}

Task<FetchClaim> SqlProxies::claim(FetchClaim wish, Micros now)
{
    const auto work = [wish, now](SqlSession& session) { return take(session, wish, now); };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlProxies::keep(FetchClaim claim)
{
    const auto work = [claim](SqlSession& session) -> Result<> {
        TRY(const auto rows,
            session.run(
                renew_claim,
                {claim.project_id,
                 claim.digest.text(),
                 claim.owner,
                 claim.fence,
                 claim.place,
                 static_cast<std::int64_t>(claim.size),
                 claim.expires_at}
            ));
        if (rows.empty()) return fail(Errc::conflict, "another instance has taken the fetch over");
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<std::optional<FetchClaim>> SqlProxies::standing(std::int64_t project_id, Digest digest)
{
    const auto work = [project_id, digest](SqlSession& session) -> Result<std::optional<FetchClaim>> {
        TRY(auto rows, session.run(look_at_claim, {project_id, digest.text()}));
        if (rows.empty()) return std::nullopt;
        return claim_of(project_id, digest, rows.front());
    };
    co_return co_await engine_.read(work);
}

Task<> SqlProxies::release(FetchClaim claim)
{
    const auto work = [claim](SqlSession& session) -> Result<> {
        CHECK(session.run(delete_claim, {claim.project_id, claim.digest.text(), claim.owner, claim.fence}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot

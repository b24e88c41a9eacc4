#include "drivers/sql/sql_blobs.hpp"

#include "drivers/sql/repository_rows.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement find_blob{"SELECT id, size FROM blobs WHERE digest = $1"};

// Another instance may have inserted it since we looked.
constexpr SqlStatement insert_blob{"INSERT INTO blobs (digest, size, created_at) VALUES ($1, $2, $3) "
                                   "ON CONFLICT (digest) DO UPDATE SET size = excluded.size RETURNING id, size"};

constexpr SqlStatement end_upload{"DELETE FROM uploads WHERE id = $1 AND fence = $2 AND repository_id = $3 RETURNING id"
};

constexpr SqlStatement select_holders{"SELECT r.name FROM blobs b JOIN repository_blobs l ON l.blob_id = b.id JOIN "
                                      "repositories r ON r.id = l.repository_id "
                                      "WHERE b.digest = $1 LIMIT $2"};

constexpr SqlStatement find_user{"SELECT m.digest FROM manifest_blobs u JOIN manifests m ON m.id = u.manifest_id "
                                 "WHERE u.blob_id = $1 AND m.repository_id = $2 LIMIT 1"};

std::unexpected<Error> no_such_blob(const RepositoryName& repository, const Digest& digest)
{
    return fail(Errc::blob_unknown, "blob " + digest.text() + " is not known in repository " + repository.text());
}

ExactCache::Key key_of(const RepositoryName& repository, const Digest& digest) noexcept
{
    return {ExactCache::Kind::blob_size, repository.text(), digest.text()};
}

Result<BlobRow> enter_blob(SqlSession& session, const Digest& digest, std::uint64_t size, Micros now)
{
    TRY(auto rows, session.run(find_blob, {digest.text()}));
    if (rows.empty()) {
        TRY(rows, session.run(insert_blob, {digest.text(), static_cast<std::int64_t>(size), now}));
    }
    return BlobRow{rows.front().integer(0), static_cast<std::uint64_t>(rows.front().integer(1))};
}

// The one that an upload holds while its bytes come in, else one for this alone.
std::string claim_of(const BlobCatalog::Arrival& arrival)
{
    if (arrival.upload) return arrival.upload->text;
    return arrival.repository.text() + "@" + arrival.digest.text();
}

// False, having changed nothing, when it needs a claim first.
Result<bool> write_arrival(SqlSession& session, const BlobCatalog::Arrival& arrival)
{
    TRY(RepositoryRow place, enter_repository(session, arrival.repository, arrival.actor.at));
    if (place.limited) {
        const auto size = static_cast<std::int64_t>(arrival.size);
        TRY(place.claimed, take_claim(session, claim_of(arrival), size, arrival.actor.at));
        TRY(const bool held, project_holds(session, place.project_id, arrival.digest));
        if (session.has_rivals() && !held && !place.claimed) return false;
    }
    if (arrival.upload) {
        TRY(const auto ended, session.run(end_upload, {arrival.upload->text, arrival.fence, place.id}));
        if (ended.empty()) return fail(Errc::upload_unknown, "the upload is gone, or another request took it over");
    }
    TRY(const BlobRow blob, enter_blob(session, arrival.digest, arrival.size, arrival.actor.at));
    CHECK(link_blob(session, place, blob, arrival.actor.at));
    return true;
}

Result<> remove_link(SqlSession& session, const RepositoryName& repository, const Digest& digest)
{
    TRY(const auto place, lock_repository(session, repository));
    if (!place) return no_such_blob(repository, digest);
    TRY(const auto blob, find_linked_blob(session, repository, digest));
    if (!blob) return no_such_blob(repository, digest);
    TRY(const auto user, session.run(find_user, {blob->id, place->id}));
    if (!user.empty()) {
        return fail(Errc::blob_in_use, "blob " + digest.text() + " is needed by manifest " + user.front().text(0));
    }
    return unlink_blob(session, *place, *blob);
}

}  // namespace

std::optional<std::uint64_t> SqlBlobs::peek(const RepositoryName& repository, const Digest& digest)
{
    if (!cache_) return std::nullopt;
    return cache_->find<std::uint64_t>(key_of(repository, digest));
}

Task<std::uint64_t> SqlBlobs::load(RepositoryName repository, Digest digest)
{
    const ExactCache::Key key = key_of(repository, digest);
    const std::uint64_t epoch = cache_ ? cache_->epoch(key) : 0;
    const auto work = [repository, digest](SqlSession& session) -> Result<std::uint64_t> {
        TRY(const auto blob, find_linked_blob(session, repository, digest));
        if (!blob) return no_such_blob(repository, digest);
        return blob->size;
    };
    CO_TRY(const std::uint64_t size, co_await engine_.read(work));
    if (cache_) cache_->put(key, epoch, size, 0);
    co_return size;
}

Task<> SqlBlobs::arrive(Arrival arrival)
{
    const auto size = static_cast<std::int64_t>(arrival.size);
    WishedClaim claim{.repository = arrival.repository, .id = claim_of(arrival), .bytes = size};
    claim.now = arrival.actor.at;
    const auto shared = std::make_shared<const Arrival>(std::move(arrival));
    const auto work = [shared](SqlSession& session) { return write_arrival(session, *shared); };
    co_return co_await claimed_write(engine_, limited_, std::move(claim), work, [] {});
}

Task<std::uint64_t> SqlBlobs::mount(RepositoryName into, RepositoryName from, Digest digest, Actor actor)
{
    const auto work = [into, from, digest, actor](SqlSession& session) -> Result<std::uint64_t> {
        TRY(const auto blob, find_linked_blob(session, from, digest));
        if (!blob) return no_such_blob(from, digest);
        TRY(const RepositoryRow place, enter_repository(session, into, actor.at));
        CHECK(link_blob(session, place, *blob, actor.at));
        return blob->size;
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::vector<RepositoryName>> SqlBlobs::holders(Digest digest, std::int64_t limit)
{
    const auto work = [digest, limit](SqlSession& session) -> Result<std::vector<RepositoryName>> {
        TRY(const auto rows, session.run(select_holders, {digest.text(), limit}));
        std::vector<RepositoryName> names;
        for (const SqlRow& row : rows) {
            TRY(auto name, RepositoryName::parse(row.text(0)));
            names.push_back(std::move(name));
        }
        return names;
    };
    co_return co_await engine_.read(work);
}

Task<> SqlBlobs::remove(RepositoryName repository, Digest digest, Actor)
{
    const auto work = [repository, digest](SqlSession& session) { return remove_link(session, repository, digest); };
    const auto settled = [cache = cache_, repository] {
        if (cache) cache->contents_removed(repository.text());
    };
    co_return co_await engine_.write(Durability::durable, work, settled);
}

}  // namespace entrepot

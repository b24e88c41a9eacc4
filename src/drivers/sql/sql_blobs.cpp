#include "drivers/sql/sql_blobs.hpp"

#include "drivers/sql/finding_rows.hpp"
#include "drivers/sql/repository_rows.hpp"

namespace entrepot {

namespace {

using Kind = ExactCache::Kind;

constexpr SqlStatement find_blob{"SELECT id, size, state FROM blobs WHERE digest = $1", "FOR SHARE"};

// Bytes of which there is no live row are there as long as no removal has ended since they were stored. The row may
// have been inserted by another instance since we looked.
constexpr SqlStatement insert_blob{
    "INSERT INTO blobs (digest, size, created_at, state) SELECT $1, $2, $3, 0 FROM gc_state WHERE sweeps = $4 "
    "ON CONFLICT (digest) DO UPDATE SET size = excluded.size RETURNING id, size, state"
};
constexpr SqlStatement fill_blob{"UPDATE blobs SET size = $2, state = 0 WHERE id = $1 AND "
                                 "EXISTS (SELECT 1 FROM gc_state WHERE sweeps = $3) RETURNING id"};

constexpr SqlStatement select_look{"SELECT sweeps, (SELECT state FROM blobs WHERE digest = $1) FROM gc_state"};

constexpr SqlStatement renew_lease{"UPDATE repository_blobs SET unused_since = $3 WHERE repository_id = $1 AND "
                                   "blob_id = $2 AND unused_since > 0 AND unused_since < $3"};

constexpr SqlStatement end_upload{"DELETE FROM uploads WHERE id = $1 AND fence = $2 AND repository_id = $3 RETURNING id"
};

constexpr SqlStatement select_holders{"SELECT r.name FROM blobs b JOIN repository_blobs l ON l.blob_id = b.id JOIN "
                                      "repositories r ON r.id = l.repository_id "
                                      "WHERE b.digest = $1 LIMIT $2"};

constexpr SqlStatement find_user{"SELECT m.digest FROM manifest_blobs u JOIN manifests m ON m.id = u.manifest_id "
                                 "WHERE u.blob_id = $1 AND u.repository_id = $2 LIMIT 1"};

std::unexpected<Error> no_such_blob(const RepositoryName& repository, const Digest& digest)
{
    return fail(Errc::blob_unknown, "blob " + digest.text() + " is not known in repository " + repository.text());
}

ExactCache::Key key_of(ExactCache::Kind kind, const RepositoryName& repository, const Digest& digest) noexcept
{
    return {kind, repository.text(), digest.text()};
}

// The blob's row, locked, with its bytes in the store; nullopt where those may be gone.
Result<std::optional<BlobRow>> enter_blob(SqlSession& session, const BlobCatalog::Arrival& arrival)
{
    const auto size = static_cast<std::int64_t>(arrival.size);
    TRY(auto rows, session.run(find_blob, {arrival.digest.text()}));
    if (rows.empty()) {
        TRY(rows, session.run(insert_blob, {arrival.digest.text(), size, arrival.actor.at, arrival.sweeps}));
    }
    if (rows.empty()) return std::nullopt;
    const SqlRow& row = rows.front();
    BlobRow blob{row.integer(0), static_cast<std::uint64_t>(row.integer(1)), BlobState{row.integer(2)}, 0};
    if (blob.state == BlobState::leaving) return std::nullopt;
    if (blob.state == BlobState::absent || blob.state == BlobState::lost) {
        TRY(const auto filled, session.run(fill_blob, {blob.id, size, arrival.sweeps}));
        if (filled.empty()) return std::nullopt;
        if (blob.state == BlobState::lost) CHECK(record_healed(session, arrival.digest, size, "push", arrival.actor));
        blob.size = arrival.size;
        blob.state = BlobState::live;
    }
    return blob;
}

// The one that an upload holds while its bytes come in, else one for this alone.
std::string claim_of(const BlobCatalog::Arrival& arrival)
{
    if (arrival.upload) return arrival.upload->text;
    return arrival.repository.text() + "@" + arrival.digest.text();
}

// nullopt, having changed nothing, when it needs a claim first.
Result<std::optional<BlobCatalog::Arrived>> write_arrival(SqlSession& session, const BlobCatalog::Arrival& arrival)
{
    TRY(RepositoryRow place, enter_repository(session, arrival.repository, arrival.actor.at));
    if (place.limited) {
        const auto size = static_cast<std::int64_t>(arrival.size);
        TRY(place.claimed, take_claim(session, claim_of(arrival), size, arrival.actor.at));
        TRY(const bool held, project_holds(session, place.project_id, arrival.digest));
        if (session.has_rivals() && !held && !place.claimed) return std::nullopt;
    }
    TRY(const auto blob, enter_blob(session, arrival));
    if (!blob) return BlobCatalog::Arrived::look_again;
    if (arrival.upload) {
        TRY(const auto ended, session.run(end_upload, {arrival.upload->text, arrival.fence, place.id}));
        if (ended.empty()) return fail(Errc::upload_unknown, "the upload is gone, or another request took it over");
    }
    CHECK(link_blob(session, place, *blob, arrival.actor.at));
    return BlobCatalog::Arrived::linked;
}

Result<> remove_link(SqlSession& session, const RepositoryName& repository, const Digest& digest, Micros now)
{
    TRY(const auto place, lock_repository(session, repository));
    if (!place) return no_such_blob(repository, digest);
    TRY(const auto blob, find_linked_blob(session, repository, digest));
    if (!blob) return no_such_blob(repository, digest);
    TRY(const auto user, session.run(find_user, {blob->id, place->id}));
    if (!user.empty()) {
        return fail(Errc::blob_in_use, "blob " + digest.text() + " is needed by manifest " + user.front().text(0));
    }
    return unlink_blob(session, *place, *blob, now);
}

}  // namespace

std::optional<std::uint64_t> SqlBlobs::peek(const RepositoryName& repository, const Digest& digest)
{
    if (!cache_) return std::nullopt;
    return cache_->find<std::uint64_t>(key_of(Kind::blob_size, repository, digest));
}

std::optional<std::uint64_t> SqlBlobs::peek_promised(const RepositoryName& repository, const Digest& digest)
{
    if (!cache_) return std::nullopt;
    return cache_->find<std::uint64_t>(key_of(Kind::used_blob_size, repository, digest));
}

Task<std::uint64_t> SqlBlobs::load(RepositoryName repository, Digest digest)
{
    const ExactCache::Key key = key_of(Kind::blob_size, repository, digest);
    const std::uint64_t epoch = cache_ ? cache_->epoch(key) : 0;
    const auto work = [repository, digest](SqlSession& session) -> Result<std::uint64_t> {
        TRY(const auto blob, find_linked_blob(session, repository, digest));
        if (!blob || blob->state == BlobState::lost) return no_such_blob(repository, digest);
        return blob->size;
    };
    CO_TRY(const std::uint64_t size, co_await engine_.read(work));
    if (cache_) cache_->put(key, epoch, size, 0);
    co_return size;
}

Task<std::uint64_t> SqlBlobs::promise(RepositoryName repository, Digest digest, Micros renewed_before, Actor actor)
{
    const ExactCache::Key key = key_of(Kind::used_blob_size, repository, digest);
    const std::uint64_t epoch = cache_ ? cache_->epoch(key) : 0;
    const auto find = [repository, digest](SqlSession& session) -> Result<BlobRow> {
        TRY(const auto blob, find_linked_blob(session, repository, digest));
        if (!blob || blob->state == BlobState::lost) return no_such_blob(repository, digest);
        return *blob;
    };
    CO_TRY(BlobRow blob, co_await engine_.read(find));
    const bool used = blob.unused_since == 0;
    if (used && cache_) cache_->put(key, epoch, blob.size, 0);
    if (used || blob.unused_since >= renewed_before) co_return blob.size;
    const auto renew = [find, repository, now = actor.at](SqlSession& session) -> Result<BlobRow> {
        TRY(const auto place, lock_repository(session, repository));
        TRY(const BlobRow found, find(session));
        CHECK(session.run(renew_lease, {place->id, found.id, now}));
        return found;
    };
    CO_TRY(blob, co_await engine_.write(Durability::process, renew));
    co_return blob.size;
}

Task<BlobLook> SqlBlobs::look(Digest digest)
{
    const auto work = [digest](SqlSession& session) -> Result<BlobLook> {
        TRY(const auto rows, session.run(select_look, {digest.text()}));
        const SqlRow& row = rows.front();
        return BlobLook{row.integer(0), !row.is_null(1) && BlobState{row.integer(1)} == BlobState::leaving};
    };
    co_return co_await engine_.read(work);
}

Task<BlobCatalog::Arrived> SqlBlobs::arrive(Arrival arrival)
{
    const auto size = static_cast<std::int64_t>(arrival.size);
    WishedClaim claim{.repository = arrival.repository, .id = claim_of(arrival), .bytes = size};
    claim.now = arrival.actor.at;
    const auto shared = std::make_shared<const Arrival>(std::move(arrival));
    const auto work = [shared](SqlSession& session) { return write_arrival(session, *shared); };
    co_return co_await claimed_write<Arrived>(engine_, limited_, std::move(claim), work, [] {});
}

Task<std::uint64_t> SqlBlobs::mount(RepositoryName into, RepositoryName from, Digest digest, Actor actor)
{
    const auto work = [into, from, digest, actor](SqlSession& session) -> Result<std::uint64_t> {
        TRY(const RepositoryRow place, enter_repository(session, into, actor.at));
        TRY(const auto blob, lock_linked_blob(session, from, digest));
        if (!blob) return no_such_blob(from, digest);
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

Task<> SqlBlobs::remove(RepositoryName repository, Digest digest, Actor actor)
{
    const auto work = [repository, digest, now = actor.at](SqlSession& session) {
        return remove_link(session, repository, digest, now);
    };
    const auto settled = [cache = cache_, repository] {
        if (cache) cache->contents_removed(repository.text());
    };
    co_return co_await engine_.write(Durability::durable, work, settled);
}

}  // namespace entrepot

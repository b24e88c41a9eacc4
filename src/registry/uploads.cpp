#include "registry/uploads.hpp"

#include "core/log.hpp"
#include "core/pause.hpp"
#include "oci/hasher.hpp"

#include <algorithm>
#include <chrono>

namespace entrepot {
namespace {

// A long PATCH writes its progress down this often, so that a crash costs no more than this.
constexpr std::uint64_t checkpoint_bytes = 256ULL * 1024 * 1024;
constexpr std::int64_t expired_at_once = 1000;

// A removal of bytes takes milliseconds; one whose process died is ended by another within a minute.
constexpr int most_looks = 100;
constexpr std::chrono::milliseconds between_looks{50};

Result<> check_start(const std::optional<ChunkRange>& range, std::uint64_t offset)
{
    if (!range || range->first == offset) return {};
    return fail(
        Errc::upload_offset,
        "the chunk starts at " + std::to_string(range->first) + ", the upload stands at " + std::to_string(offset)
    );
}

Result<> check_length(const std::optional<ChunkRange>& range, const ByteSource& body)
{
    const auto announced = body.size();
    if (!range || !announced || *announced == range->length()) return {};
    return fail(Errc::size_invalid, "Content-Range and Content-Length disagree");
}

// A chunked body does not say its length beforehand, so only its end tells that it is longer than its Content-Range.
Task<> expect_end(ByteSource& body)
{
    std::byte next{};
    CO_TRY(const auto count, co_await body.read(std::span{&next, 1}));
    if (count > 0) co_return fail(Errc::size_invalid, "the body is longer than its Content-Range");
    co_return Result<>{};
}

}  // namespace

UploadId Uploads::new_id()
{
    return UploadId{random_.hex(16)};
}

Task<UploadId> Uploads::begin(RepositoryName repository, DigestAlgorithm algorithm, Caller caller)
{
    const auto who = actor(caller);
    CO_CHECK(co_await gate_.open(repository, std::move(caller), who));
    UploadSession session{.id = new_id(), .repository = std::move(repository)};
    session.algorithm = algorithm;
    session.user_id = who.user_id;
    session.started_at = session.touched_at = who.at;
    const auto id = session.id;
    CO_CHECK(co_await sessions_.begin(std::move(session), limits_.sessions_per_user));
    co_return id;
}

Task<std::uint64_t> Uploads::offset(RepositoryName repository, UploadId id)
{
    CO_TRY(const auto session, co_await sessions_.find(std::move(repository), std::move(id)));
    co_return session.offset;
}

Task<std::uint64_t>
Uploads::append(RepositoryName repository, UploadId id, std::optional<ChunkRange> range, ByteSource& body)
{
    CO_CHECK(check_length(range, body));
    CO_TRY(
        const auto session,
        co_await sessions_.take(std::move(repository), id, body.size().value_or(0), std::nullopt, clock_.now())
    );
    CO_CHECK(check_start(range, session.offset));
    CO_TRY(const auto upload, co_await store_.resume(id, session.algorithm, session.offset, session.hash_state));

    auto written = session.offset;
    auto left = range ? std::optional{range->length()} : std::nullopt;
    for (bool more = true; more;) {
        const auto portion = std::min(left.value_or(checkpoint_bytes), checkpoint_bytes);
        const auto received = co_await receive(session, *upload, body, portion);
        CO_TRY(auto progress, co_await upload->settle());
        const auto arrived = progress.offset - written;
        written = progress.offset;
        CO_CHECK(
            co_await sessions_.advance(id, session.fence, progress.offset, std::move(progress.hash_state), clock_.now())
        );
        if (!received) co_return std::unexpected{received.error()};
        if (left) *left -= arrived;
        more = arrived == portion && left.value_or(1) > 0;
    }
    if (left && *left > 0) co_return fail(Errc::size_invalid, "the body is shorter than its Content-Range");
    if (left) CO_CHECK(co_await expect_end(body));
    co_return written;
}

Task<> Uploads::receive(
    const UploadSession& session, BlobUpload& upload, ByteSource& body, std::optional<std::uint64_t> expected
)
{
    auto left = expected.value_or(UINT64_MAX);
    auto come = session.offset;
    for (bool ended = false; left > 0 && !ended;) {
        Buffer chunk;
        Result<std::size_t> count{0};
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, Buffer::capacity));
        while (chunk.size() < wanted) {
            count = co_await body.read(chunk.room().first(wanted - chunk.size()));
            if (!count || *count == 0) break;
            chunk.grow(*count);
        }
        left -= chunk.size();
        come += chunk.size();
        ended = chunk.size() < wanted;
        if (!chunk.empty()) CO_CHECK(co_await upload.append(std::move(chunk)));
        if (copies_ != nullptr) copies_->blob_comes(session.repository, session.algorithm, session.id, come);
        if (!count) co_return std::unexpected{count.error()};
    }
    co_return Result<>{};
}

Task<> Uploads::finish(
    RepositoryName repository,
    UploadId id,
    Digest digest,
    std::optional<ChunkRange> range,
    ByteSource& body,
    Caller caller
)
{
    CO_CHECK(check_length(range, body));
    CO_TRY(auto session, co_await sessions_.find(repository, id));
    CO_CHECK(check_start(range, session.offset));
    if (session.offset == 0 && body.size().value_or(UINT64_MAX) <= limits_.small_blob) {
        co_return co_await store_small(std::move(session), std::move(digest), body, std::move(caller));
    }

    CO_TRY(session, co_await sessions_.take(std::move(repository), id, body.size().value_or(0), digest, clock_.now()));
    CO_CHECK(check_start(range, session.offset));
    // Bytes hashed by another algorithm than the digest's are hashed again from the store.
    const bool same_algorithm = session.algorithm == digest.algorithm();
    auto state = same_algorithm ? session.hash_state : std::string{};
    auto resumed = co_await store_.resume(id, digest.algorithm(), session.offset, std::move(state));
    if (!resumed && resumed.error().code() == Errc::upload_unknown && same_algorithm) {
        co_return co_await finish_stored(std::move(session), std::move(digest), body, std::move(caller));
    }
    if (!resumed) co_return std::unexpected{resumed.error()};
    const auto upload = *std::move(resumed);
    auto received = co_await receive(session, *upload, body, range ? std::optional{range->length()} : std::nullopt);
    if (received && range) received = co_await expect_end(body);
    if (!received) {
        const auto progress = co_await upload->settle();
        if (progress && same_algorithm) {
            (void)co_await sessions_.advance(id, session.fence, progress->offset, progress->hash_state, clock_.now());
        }
        co_return std::unexpected{received.error()};
    }
    const auto size = co_await upload->commit(digest);
    if (!size) {
        if (size.error().code() == Errc::digest_mismatch) (void)co_await forget(id);
        co_return std::unexpected{size.error()};
    }
    co_return co_await arrive(session, std::move(digest), *size, {}, std::move(caller));
}

// A crash between the store's commit and the catalog's leaves a blob, and a session whose bytes are gone. The hash of
// all that the client has sent, before and now, shows that the blob is its own.
Task<> Uploads::finish_stored(UploadSession session, Digest digest, ByteSource& body, Caller caller)
{
    CO_TRY(auto hasher, Hasher::resume(session.hash_state));
    auto size = session.offset;
    Buffer chunk;
    for (std::size_t count = 1; count > 0; size += count) {
        CO_TRY(count, co_await body.read(chunk.room()));
        hasher.update(chunk.room().first(count));
    }
    const auto stored = co_await store_.confirm(digest);
    if (!stored && stored.error().code() != Errc::blob_unknown) co_return std::unexpected{stored.error()};
    if (!stored || *stored != size || hasher.digest() != digest) {
        (void)co_await forget(session.id);
        co_return fail(Errc::upload_unknown, "the upload is not known");
    }
    co_return co_await arrive(session, std::move(digest), size, {}, std::move(caller));
}

Task<> Uploads::store_small(UploadSession session, Digest digest, ByteSource& body, Caller caller)
{
    CO_TRY(auto bytes, co_await read_all(body, limits_.small_blob));
    if (digest_of(bytes, digest.algorithm()) != digest) {
        (void)co_await forget(session.id);
        co_return fail(Errc::digest_mismatch, "the uploaded bytes have another digest");
    }
    const auto size = bytes.size();
    CO_CHECK(co_await store_.put(digest, bytes));
    co_return co_await arrive(session, std::move(digest), size, std::move(bytes), std::move(caller));
}

// The names of the steps are those of docs/decisions/0014-garbage-collection.md: the session was read (Look) before its
// bytes were stored, and Arrive refuses them where they may have been removed since. `bytes`: of a small blob.
Task<>
Uploads::arrive(const UploadSession& session, Digest digest, std::uint64_t size, std::string bytes, Caller caller)
{
    BlobCatalog::Arrival arrival{.repository = session.repository, .digest = digest};
    arrival.size = size;
    arrival.actor = actor(caller);
    if (session.started_at != 0) {
        arrival.upload = session.id;
        arrival.fence = session.fence;
    }
    arrival.sweeps = session.sweeps;
    for (int looks = 0; looks < most_looks; ++looks) {
        CO_TRY(const auto arrived, co_await links_.arrive(arrival));
        if (arrived == BlobCatalog::Arrived::linked) {
            if (copies_ != nullptr) copies_->blob_came(session.repository, session.id, digest, size);
            co_return Result<>{};
        }
        CO_TRY(arrival.sweeps, co_await look(digest));
        CO_CHECK(co_await store_again(session, digest, bytes));
    }
    co_return fail(Errc::unavailable, "blobs are being removed, try again");
}

// How many removals have ended, once none is under way for this digest.
Task<std::int64_t> Uploads::look(Digest digest)
{
    for (int looks = 0; looks < most_looks; ++looks) {
        CO_TRY(const auto seen, co_await links_.look(digest));
        if (!seen.leaving) co_return seen.sweeps;
        co_await pause(between_looks);
    }
    co_return fail(Errc::unavailable, "an earlier blob of this digest is being removed, try again");
}

// After a removal: the bytes are there still, or are at hand, or the client has to bring them again.
Task<> Uploads::store_again(const UploadSession& session, Digest digest, std::string bytes)
{
    const auto stored = co_await store_.confirm(digest);
    if (stored) co_return Result<>{};
    if (stored.error().code() != Errc::blob_unknown) co_return std::unexpected{stored.error()};
    if (digest_of(bytes, digest.algorithm()) == digest) co_return co_await store_.put(digest, std::move(bytes));
    if (session.started_at != 0) (void)co_await forget(session.id);
    co_return fail(Errc::unavailable, "an earlier blob of this digest was removed meanwhile, try again");
}

Task<> Uploads::forget(UploadId id)
{
    if (copies_ != nullptr) copies_->blob_fails(id);
    return sessions_.forget(std::move(id));
}

Task<> Uploads::cancel(RepositoryName repository, UploadId id)
{
    CO_CHECK(co_await sessions_.cancel(std::move(repository), id));
    if (copies_ != nullptr) copies_->blob_fails(id);
    co_return co_await store_.discard(std::move(id));
}

Task<> Uploads::push(RepositoryName repository, Digest digest, ByteSource& body, Caller caller)
{
    CO_CHECK(co_await gate_.open(repository, caller, actor(caller)));
    UploadSession session{.id = new_id(), .repository = std::move(repository)};  // not started: has no row
    CO_TRY(session.sweeps, co_await look(digest));
    if (body.size().value_or(UINT64_MAX) <= limits_.small_blob) {
        co_return co_await store_small(std::move(session), std::move(digest), body, std::move(caller));
    }
    const auto id = session.id;
    session.algorithm = digest.algorithm();
    CO_TRY(auto upload, co_await store_.resume(id, digest.algorithm(), 0, {}));
    auto received = co_await receive(session, *upload, body, std::nullopt);
    auto size = received ? co_await upload->commit(digest) : Result<std::uint64_t>{std::unexpected{received.error()}};
    if (!size) {
        upload.reset();
        if (copies_ != nullptr) copies_->blob_fails(id);
        (void)co_await store_.discard(id);
        co_return std::unexpected{size.error()};
    }
    co_return co_await arrive(session, std::move(digest), *size, {}, std::move(caller));
}

Task<> Uploads::expire(Micros age)
{
    for (;;) {
        CO_TRY(const auto sessions, co_await sessions_.untouched_since(clock_.now() - age, expired_at_once));
        for (const auto& session : sessions) {
            CO_CHECK(co_await store_.discard(session.id));
            CO_CHECK(co_await forget(session.id));
        }
        if (sessions.empty()) co_return Result<>{};
        log::info("expired uploads ended", {{"count", static_cast<std::uint64_t>(sessions.size())}});
    }
}

}  // namespace entrepot

#include "exchange/copy/blob_copier.hpp"

#include "core/buffer.hpp"

#include <algorithm>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto quick = 1s;

// From its end as well: a name for a log that a person can find again.
std::string short_name(const Digest& digest)
{
    return digest.text().substr(0, digest.text().find(':') + 13);
}

}  // namespace

std::string BlobCopier::name() const
{
    return into_.text() + "@" + short_name(blob_.digest);
}

Task<> BlobCopier::operator()()
{
    CO_TRY(const bool mine, co_await run_.claim(into_, blob_.digest));
    if (!mine) co_return Result<>{};
    // Others may wait for it, whatever becomes of it here.
    struct Settling {
        BlobCopier& copier;
        bool there = false;
        ~Settling() { copier.run_.settle(copier.into_, copier.blob_.digest, there); }
    } settling{*this};
    auto done = co_await bring();
    settling.there = done.has_value();
    co_return done;
}

// Progress makes it patient again: a link that breaks every twenty seconds is no reason to give up.
Task<> BlobCopier::bring()
{
    bool mismatched = false;
    for (int failures = 0;;) {
        CO_CHECK(run_.check_halt());
        const auto before = arrived_;
        auto done = Result<>{};
        {
            CO_TRY(const auto place, co_await run_.limit().enter());
            done = co_await try_once();
        }
        if (done) co_return done;
        body_.reset();
        const auto code = done.error().code();
        if (code == Errc::digest_mismatch && !std::exchange(mismatched, true)) {
            run_.log(name() + ": " + done.error().message() + "; begins anew");
            CO_CHECK(co_await begin_anew());
            continue;
        }
        if (!CopyRun::worth_retrying(code)) co_return done;
        broke(done.error());
        failures = arrived_ > before ? 1 : failures + 1;
        CO_CHECK(co_await run_.rest_after(done.error(), failures));
    }
}

void BlobCopier::broke(const Error& failure)
{
    ++run_.tally().breaks;
    run_.limit().trouble();
    chunk_ = std::max(run_.options().shortest_chunk, chunk_ / 2);
    run_.log(
        name() + ": " + failure.message() + ", at " + bytes_text(arrived_) + " of " + bytes_text(blob_.size) +
        "; tries again"
    );
}

Task<> BlobCopier::try_once()
{
    if (!run_.ledger().place(into_, blob_.digest)) {
        CO_TRY(const bool there, co_await is_there());
        if (there) co_return Result<>{};
        if (blob_.size <= run_.options().small_blob) co_return co_await send_small();
    }
    co_return co_await send_large();
}

Task<bool> BlobCopier::is_there()
{
    for (const auto& holder : run_.holders(into_, blob_.digest)) {
        CO_TRY(const bool mounted, co_await run_.target().mount(into_, holder, blob_.digest));
        if (mounted) ++run_.tally().mounted;
        if (mounted) co_return true;
        break;  // who refuses one refuses all
    }
    CO_TRY(const bool held, co_await run_.target().holds(into_, blob_.digest));
    if (held) ++run_.tally().present;
    co_return held;
}

Task<> BlobCopier::send_small()
{
    CO_CHECK(co_await open(0));
    ChunkSource rest{*body_, blob_.size, run_.options().rates, run_.clock(), [this] { return run_.halted_now(); }};
    CO_TRY(auto bytes, co_await read_all(rest, static_cast<std::size_t>(blob_.size)));
    if (digest_of(bytes, blob_.digest.algorithm()) != blob_.digest) {
        co_return fail(Errc::digest_mismatch, "the source's bytes have another digest");
    }
    run_.tally().bytes += bytes.size();
    CO_CHECK(co_await run_.target().put(into_, blob_.digest, std::move(bytes)));
    run_.limit().moved(blob_.size);
    ++run_.tally().blobs;
    co_return Result<>{};
}

Task<> BlobCopier::send_large()
{
    CO_TRY(auto upload, co_await stand());
    if (upload.place.empty()) co_return Result<>{};
    CO_CHECK(co_await send_chunks(upload));
    auto finished = co_await run_.target().finish(into_, std::move(upload), blob_.digest);
    if (!finished && finished.error().code() == Errc::digest_mismatch) {
        finished = fail(Errc::digest_mismatch, "the source's bytes have another digest");
    }
    CO_CHECK(std::move(finished));
    run_.ledger().forget(into_, blob_.digest);
    ++run_.tally().blobs;
    co_return Result<>{};
}

// The upload that an earlier try, or an earlier run, has begun, else a new one. No place: the blob is there.
Task<CopyUpload> BlobCopier::stand()
{
    if (const auto place = run_.ledger().place(into_, blob_.digest)) {
        auto resumed = co_await run_.target().resume(into_, *place);
        if (resumed && resumed->offset <= blob_.size) {
            run_.tally().again += sent_ - std::min(sent_, resumed->offset - std::min(arrived_, resumed->offset));
            sent_ = 0;
            if (resumed->offset > 0 && (!std::exchange(told_, true) || resumed->offset > arrived_)) {
                run_.log(name() + ": goes on at " + bytes_text(resumed->offset) + " of " + bytes_text(blob_.size));
            }
            arrived_ = std::max(arrived_, resumed->offset);
            co_return resumed;
        }
        const auto gone =
            resumed || resumed.error().code() == Errc::upload_unknown || resumed.error().code() == Errc::unsupported;
        if (!gone) co_return resumed;
        // It may have become the blob just before the answer was lost.
        CO_TRY(const bool there, co_await is_there());
        CO_CHECK(co_await begin_anew());
        if (there) co_return CopyUpload{};
        run_.log(name() + ": the target knows the upload no more; begins anew");
    }
    CO_TRY(auto upload, co_await run_.target().begin(into_, blob_.digest.algorithm(), blob_.size));
    run_.ledger().keep(into_, blob_.digest, upload.place);
    CO_CHECK(co_await run_.save());
    co_return upload;
}

Task<> BlobCopier::begin_anew()
{
    run_.tally().again += sent_ + arrived_;
    arrived_ = sent_ = 0;
    const auto place = run_.ledger().place(into_, blob_.digest);
    if (place) (void)co_await run_.target().cancel(into_, *place);
    run_.ledger().forget(into_, blob_.digest);
    co_return Result<>{};
}

Task<> BlobCopier::send_chunks(CopyUpload& upload)
{
    while (upload.offset < blob_.size) {
        CO_CHECK(run_.check_halt());
        if (!body_) CO_CHECK(co_await open(upload.offset));
        CO_CHECK(co_await send_chunk(upload));
        CO_CHECK(co_await run_.save_now_and_then());
    }
    co_return Result<>{};
}

Task<> BlobCopier::send_chunk(CopyUpload& upload)
{
    const auto left = blob_.size - upload.offset;
    const auto length = whole_ ? left : std::min(left, std::max(chunk_, upload.shortest_chunk));
    ChunkSource chunk{*body_, length, run_.options().rates, run_.clock(), [this] { return run_.halted_now(); }};
    const auto began = run_.clock().steady();
    auto sent = co_await run_.target().append(into_, upload, chunk, length);
    run_.tally().bytes += chunk.taken();
    sent_ += chunk.taken();
    run_.limit().moved(chunk.taken());
    if (!sent && sent.error().code() == Errc::unsupported && length < left) {
        whole_ = true;
        run_.log(name() + ": the target takes no chunks; sends it as a whole");
        CO_CHECK(co_await begin_anew());
        co_return fail(Errc::unavailable, "the target takes no chunks");
    }
    if (chunk.failure()) co_return std::unexpected{*chunk.failure()};
    if (!sent) co_return std::unexpected{sent.error()};
    if (sent->offset != upload.offset + length) {
        co_return fail(Errc::unavailable, "the target did not take the whole chunk");
    }
    upload = *std::move(sent);
    arrived_ = std::max(arrived_, upload.offset);
    sent_ = 0;
    if (run_.clock().steady() - began < quick) chunk_ = std::min(run_.options().longest_chunk, chunk_ * 2);
    co_return Result<>{};
}

Task<> BlobCopier::open(std::uint64_t offset)
{
    CO_TRY(auto stream, co_await run_.source().blob(from_, blob_.digest, offset));
    if (stream.size && *stream.size != blob_.size) {
        co_return fail(
            Errc::size_invalid,
            "the source's blob has " + std::to_string(*stream.size) + " bytes, its manifest says " +
                std::to_string(blob_.size)
        );
    }
    if (stream.first > offset) co_return fail(Errc::unavailable, "the source left bytes out");
    body_ = std::move(stream.body);
    co_return co_await skip(offset - stream.first);
}

// Of a source that begins at the front whatever it is asked for.
Task<> BlobCopier::skip(std::uint64_t bytes)
{
    if (bytes == 0) co_return Result<>{};
    ChunkSource front{*body_, bytes, run_.options().rates, run_.clock(), [this] { return run_.halted_now(); }};
    Buffer buffer;
    for (std::size_t count = 1; count > 0;) {
        CO_TRY(count, co_await front.read(buffer.room()));
        run_.tally().skipped += count;
    }
    co_return Result<>{};
}

}  // namespace entrepot

#include "core/log.hpp"
#include "core/pause.hpp"
#include "exchange/copy/at_once.hpp"
#include "exchange/proxy/fetch_run.hpp"
#include "oci/hasher.hpp"

#include <algorithm>

// A blob's way from an upstream into the store.
namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto flush_after = 5ms;  // what came in that time is written, however little it is; the first bytes at once
constexpr auto first_pause = 100ms;
constexpr auto longest_pause = 5s;
constexpr int most_looks = 100;
constexpr auto between_looks = 50ms;

std::unexpected<Error> not_what_it_says(const Digest& digest, std::string_view why)
{
    return fail(Errc::digest_mismatch, "what it sends for " + digest.text() + " is not that: " + std::string{why});
}

}  // namespace

Task<> ProxyBlobs::open_source(Run& run)
{
    run.source.reset();
    CO_TRY(auto stream, co_await needs_.desk.ask(run.proxy, [&run](CopySite& site) {
        return site.blob(run.upstream, run.digest(), run.written);
    }));
    if (stream.size && run.size && *stream.size != *run.size) {
        co_return not_what_it_says(run.digest(), "it has another size than its manifest says");
    }
    if (!run.size) run.size = stream.size;
    if (stream.first > run.written) co_return not_what_it_says(run.digest(), "it begins too late");
    run.source = std::move(stream.body);
    // A source that knows no ranges sends again what is here.
    for (auto left = run.written - stream.first; left > 0;) {
        Buffer again;
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, Buffer::capacity));
        CO_TRY(const auto count, co_await run.source->read(again.room().first(wanted)));
        if (count == 0) co_return fail(Errc::connection_lost, "the upstream's answer ended early");
        left -= count;
    }
    co_return Result<>{};
}

Task<bool> ProxyBlobs::transfer(Run& run)
{
    CO_CHECK(co_await open(run));
    CO_CHECK(co_await copy(run));
    co_return co_await complete(run);
}

// Goes on with what somebody began who is gone, else begins. Its file is opened while the upstream is asked, and
// nothing is written down before the first bytes were passed on: a cache need not be durable before its commit.
Task<> ProxyBlobs::open(Run& run)
{
    if (!run.claim.place.empty()) {
        if (!run.size && run.claim.size > 0) run.size = run.claim.size;
        const auto taken = co_await take_up(run);
        const bool is_whole = taken && run.size && run.written == *run.size;
        if (is_whole) co_return taken;
        if (taken) co_return co_await open_source(run);
        if (taken.error().code() != Errc::upload_unknown) co_return taken;
        run.session = {.id = {}, .repository = run.repository()};
    }
    Result<> opened;  // the upstream's answer comes first, whatever comes of this
    CO_CHECK(co_await at_once(2, 2, [&](std::size_t part) -> Task<> {
        if (part == 0) co_return co_await open_source(run);
        opened = co_await open_upload(run);
        co_return Result<>{};
    }));
    CO_CHECK(std::move(opened));
    if (run.size) run.fetch->arrives(run.view, *run.size);
    co_return Result<>{};
}

Task<> ProxyBlobs::take_up(Run& run)
{
    const auto id = UploadId::parse(run.claim.place);
    if (!id) co_return fail(Errc::upload_unknown, "the upload is not known");
    const auto now = needs_.clock.now();
    CO_TRY(auto session, co_await needs_.sessions.take(run.repository(), *id, 0, run.digest(), now));
    if (session.algorithm != run.digest().algorithm()) co_return fail(Errc::upload_unknown, "the upload is not known");
    CO_TRY(run.upload, co_await needs_.store.resume(*id, session.algorithm, session.offset, session.hash_state));
    run.session = std::move(session);
    run.written = run.saved = run.session.offset;
    CO_TRY(run.view, co_await needs_.views.view(*id));
    if (run.size) run.fetch->arrives(run.view, *run.size);
    co_return Result<>{};
}

Task<> ProxyBlobs::open_upload(Run& run)
{
    run.session.id = UploadId{needs_.random.hex(16)};
    run.session.algorithm = run.digest().algorithm();
    CO_TRY(run.upload, co_await needs_.store.resume(run.session.id, run.session.algorithm, 0, {}));
    CO_TRY(run.view, co_await needs_.views.view(run.session.id));
    co_return Result<>{};
}

// Its session, and then the claim that names it to others: before the first checkpoint, and before the commit, which
// needs to know what was removed until then.
Task<> ProxyBlobs::write_down(Run& run)
{
    if (run.session.started_at != 0) co_return Result<>{};
    const auto now = needs_.clock.now();
    auto session = run.session;
    session.started_at = session.touched_at = now;
    CO_CHECK(co_await needs_.sessions.begin(std::move(session), INT64_MAX));
    const auto id = run.session.id;
    auto taken = co_await needs_.sessions.take(run.repository(), id, run.size.value_or(0), run.digest(), now);
    run.has_room = taken || taken.error().code() != Errc::quota_exceeded;
    if (!run.has_room) taken = co_await needs_.sessions.find(run.repository(), id);
    if (!taken) co_return std::unexpected{taken.error()};
    run.session = *std::move(taken);
    run.claim.place = id.text;
    run.claim.size = run.size.value_or(0);
    run.claimed_at = {};
    co_return Result<>{};
}

Task<> ProxyBlobs::copy(Run& run)
{
    for (;;) {
        CO_TRY(const auto pumped, co_await pump(run));
        if (pumped.ended && run.written == run.size.value_or(run.written)) break;
        run.source.reset();
        const auto why = pumped.broke ? *pumped.broke : Error{Errc::connection_lost, "its answer ended early"};
        if (++run.breaks > options_.most_breaks) co_return std::unexpected{why};
        CO_CHECK(co_await written_some(run, true));
        CO_CHECK(co_await reopen(run));
    }
    CO_TRY(const auto progress, co_await run.upload->settle());
    run.written = progress.offset;
    co_return Result<>{};
}

// After a break, as often as it takes while the upstream may recover.
Task<> ProxyBlobs::reopen(Run& run)
{
    for (;;) {
        co_await pause(
            std::min<std::chrono::steady_clock::duration>(first_pause * (1 << std::min(run.breaks, 10)), longest_pause)
        );
        CO_CHECK(co_await hold_claim(run));
        auto opened = co_await open_source(run);
        if (opened) co_return Result<>{};
        const auto code = opened.error().code();
        const bool may_recover = code == Errc::too_many_requests || (is_outage(code) && code != Errc::digest_mismatch);
        if (!may_recover || ++run.breaks > options_.most_breaks) co_return opened;
    }
}

// Until the source ends or breaks. Fails with what goes wrong on our side, and with what can't be mended.
Task<ProxyBlobs::Pumped> ProxyBlobs::pump(Run& run)
{
    while (!run.size || run.written < *run.size) {
        Buffer chunk;
        Result<std::size_t> count{0};
        const auto began = needs_.clock.steady();
        do {
            count = co_await run.source->read(chunk.room());
            if (!count || *count == 0) break;
            chunk.grow(*count);
        } while (run.written > 0 && chunk.size() < Buffer::capacity && needs_.clock.steady() - began < flush_after);
        const auto came = chunk.size();
        if (run.size && came > *run.size - run.written) co_return not_what_it_says(run.digest(), "it is too long");
        if (came > 0) {
            CO_CHECK(co_await run.upload->append(std::move(chunk)));
            run.written += came;
            run.breaks = 0;
            run.proxy->upstream->bytes += came;
            // Full chunks follow one another closely: the next one waits for this one, if need be.
            CO_CHECK(co_await written_some(run, came < Buffer::capacity));
            CO_CHECK(co_await keep_to_rate(run, came));
        }
        if (!count) co_return Pumped{.ended = false, .broke = count.error()};
        if (came < Buffer::capacity && *count == 0) co_return Pumped{.ended = true, .broke = std::nullopt};
    }
    co_return Pumped{.ended = true, .broke = std::nullopt};
}

Task<> ProxyBlobs::written_some(Run& run, bool flush)
{
    if (run.written - run.saved >= options_.checkpoint || flush) {
        CO_TRY(auto progress, co_await run.upload->settle());
        if (run.has_room && progress.offset - run.saved >= options_.checkpoint) {
            run.saved = progress.offset;
            auto saved = co_await needs_.sessions.advance(
                run.session.id, run.session.fence, progress.offset, std::move(progress.hash_state), needs_.clock.now()
            );
            // Full by now: passed on from here, and not stored.
            run.has_room = saved || saved.error().code() != Errc::quota_exceeded;
            if (!saved && run.has_room) co_return saved;
        }
    }
    run.fetch->progressed(needs_.clock.steady());
    CO_CHECK(co_await write_down(run));
    co_return co_await hold_claim(run);
}

// All of the project's fetches here together.
Task<> ProxyBlobs::keep_to_rate(Run& run, std::uint64_t bytes)
{
    const auto rate = run.proxy->settings.bytes_per_second;
    if (rate == 0) co_return Result<>{};
    auto& paid = lanes_->traffic[run.proxy->project_id].paid_until;
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::nanoseconds cost{
        static_cast<std::int64_t>(static_cast<double>(bytes) / static_cast<double>(rate) * 1e9)
    };
    paid = std::max(paid, now) + cost;
    if (paid > now) co_await pause(paid - now);
    co_return Result<>{};
}

// Renewed when a third of its time is gone. cancelled: another instance has taken it over.
Task<> ProxyBlobs::hold_claim(Run& run)
{
    if (run.lost) co_return fail(Errc::cancelled, "another instance has taken the fetch over");
    const auto now = needs_.clock.steady();
    if (now - run.claimed_at < std::chrono::microseconds{options_.lease / 3}) co_return Result<>{};
    run.claim.expires_at = needs_.clock.now() + options_.lease;
    auto kept = co_await needs_.catalog.keep(run.claim);
    if (!kept && kept.error().code() == Errc::conflict) {
        run.lost = true;
        co_return fail(Errc::cancelled, "another instance has taken the fetch over");
    }
    if (kept) run.claimed_at = now;
    co_return kept;
}

// True: it is a blob of the repository.
Task<bool> ProxyBlobs::complete(Run& run)
{
    CO_CHECK(co_await write_down(run));
    if (!run.has_room) {
        CO_TRY(const auto progress, co_await run.upload->settle());
        CO_TRY(const auto hash, Hasher::resume(progress.hash_state));
        if (hash.digest() != run.digest()) co_return not_what_it_says(run.digest(), "it has another digest");
        if (!run.size) run.fetch->arrives(run.view, progress.offset);
        run.fetch->verified();
        CO_CHECK(co_await drop_upload(run));
        co_return false;
    }
    const auto size = co_await run.upload->commit(run.digest());
    run.upload.reset();
    if (!size && size.error().code() == Errc::digest_mismatch) {
        co_return not_what_it_says(run.digest(), "it has another digest");
    }
    if (!size) co_return std::unexpected{size.error()};
    run.written = *size;
    if (!run.size) run.fetch->arrives(run.view, *size);
    run.fetch->verified();
    // Who reads has all of it, whatever comes of this.
    const auto arrived = co_await arrive(run);
    if (arrived) co_return true;
    log::failure(log::Level::warning, "storing a blob that was fetched", arrived.error());
    CO_CHECK(co_await drop_upload(run));
    co_return false;
}

// As of a push (registry/uploads.cpp): what was removed since the session was read has to be there still.
Task<> ProxyBlobs::arrive(Run& run)
{
    BlobCatalog::Arrival arrival{.repository = run.repository(), .digest = run.digest()};
    arrival.size = run.written;
    arrival.upload = run.session.id;
    arrival.fence = run.session.fence;
    arrival.sweeps = run.session.sweeps;
    arrival.actor = actor();
    for (int looks = 0; looks < most_looks; ++looks) {
        CO_TRY(const auto arrived, co_await needs_.links.arrive(arrival));
        if (arrived == BlobCatalog::Arrived::linked) co_return Result<>{};
        CO_TRY(const auto seen, co_await needs_.links.look(run.digest()));
        if (seen.leaving) {
            co_await pause(between_looks);
            continue;
        }
        arrival.sweeps = seen.sweeps;
        CO_TRY(const auto confirmed, co_await needs_.store.confirm(run.digest()));
        arrival.size = confirmed;
    }
    co_return fail(Errc::unavailable, "blobs are being removed, try again");
}

Task<> ProxyBlobs::drop_upload(Run& run)
{
    run.upload.reset();
    if (run.session.id.text.empty()) co_return Result<>{};
    CO_CHECK(co_await needs_.store.discard(run.session.id));
    co_return co_await needs_.sessions.forget(run.session.id);
}

}  // namespace entrepot

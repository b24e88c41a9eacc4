#include "upkeep/scrub/scrub.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr std::int64_t page = 500;
// How long it is remembered what scrubs have found and what is over.
constexpr Micros keep_closed = 90LL * 86'400 * 1'000'000;

constexpr Micros youngest_stray = 60'000'000;

}  // namespace

Task<JobEnd> Scrub::run(JobRun& run)
{
    const auto options = ScrubOptions::parse(run.parameters(), usual_);
    if (!options) co_return JobEnd{.kind = JobEnd::Kind::failed, .result = options.error().message()};
    ScrubRound round{run, *options, {needs_.catalog, needs_.garbage, needs_.clock}};
    using Phase = ScrubPosition::Phase;
    if (round.position.phase == Phase::blobs) CO_CHECK(co_await walk_blobs(round));
    if (round.position.phase == Phase::uploads) CO_CHECK(co_await walk_uploads(round));
    auto result = round.count().json();
    if (round.position.phase != Phase::over) {
        CO_CHECK(co_await round.save());
        co_return JobEnd{.kind = JobEnd::Kind::stopped, .result = std::move(result)};
    }
    CO_CHECK(co_await finish(round));
    run.log("done: " + result);
    last_ended_ = needs_.clock.now();
    co_return JobEnd{.kind = JobEnd::Kind::done, .result = std::move(result)};
}

// A page of each list, as far as both are known. What comes after the shorter page's end is left for the next.
Task<Scrub::Pairs> Scrub::next_pairs(ScrubRound& round)
{
    const auto& after = round.position.after;
    CO_TRY(auto known, co_await needs_.catalog.blobs(after, page));
    CO_TRY(auto stored, co_await needs_.inventory.list(after, page));
    std::string end;  // empty: both lists end
    if (std::ssize(known) == page) end = known.back().digest.text();
    if (std::ssize(stored) == page && (end.empty() || stored.back().digest.text() < end)) {
        end = stored.back().digest.text();
    }
    Pairs found{.pairs = {}, .more = !end.empty()};
    const auto within = [&](const Digest& digest) { return end.empty() || digest.text() <= end; };
    auto left = known.begin();
    auto right = stored.begin();
    for (;;) {
        const bool has_left = left != known.end() && within(left->digest);
        const bool has_right = right != stored.end() && within(right->digest);
        if (!has_left && !has_right) co_return std::move(found);
        Pair pair;
        const bool takes_left = has_left && (!has_right || left->digest <= right->digest);
        const bool takes_right = has_right && (!has_left || right->digest <= left->digest);
        if (takes_left) pair.known = std::move(*left++);
        if (takes_right) pair.stored = std::move(*right++);
        found.pairs.push_back(std::move(pair));
    }
}

Task<> Scrub::walk_blobs(ScrubRound& round)
{
    for (bool more = true; more;) {
        CO_TRY(auto next, co_await next_pairs(round));
        more = next.more;
        for (auto& pair : next.pairs) {
            auto name = pair.digest().text();
            CO_CHECK(co_await deal_with(round, std::move(pair)));
            // What was broken off is begun again.
            if (round.stopping()) co_return Result<>{};
            CO_CHECK(co_await round.passed(std::move(name)));
        }
        if (round.stopping()) co_return Result<>{};
    }
    round.position.phase = ScrubPosition::Phase::uploads;
    round.position.after.clear();
    co_return co_await round.save();
}

Task<> Scrub::deal_with(ScrubRound& round, Pair pair)
{
    const bool stored = pair.stored.has_value();
    if (!pair.known) co_return co_await orphan(round, *std::move(pair.stored));
    switch (pair.known->state) {
        case BlobState::condemned:
        case BlobState::leaving: co_return Result<>{};  // on their way out: nobody relies on their bytes
        case BlobState::absent:
            if (!stored) co_return Result<>{};
            co_return co_await orphan(round, *std::move(pair.stored));
        case BlobState::live:
        case BlobState::lost: break;
    }
    round.count().blobs += 1;
    if (!stored) co_return co_await repair_.missing(round, *std::move(pair.known));
    const bool suspect = pair.known->state == BlobState::lost || pair.known->size != pair.stored->size;
    if (!suspect && !round.options.verifies()) co_return Result<>{};
    co_return co_await repair_.verify(round, *std::move(pair.known));
}

Task<> Scrub::orphan(ScrubRound& round, ListedBlob blob)
{
    if (blob.stored_at > round.judged_before()) {
        round.count().too_young += 1;
        co_return Result<>{};
    }
    // It may have been pushed since the lists were read.
    CO_TRY(const auto known, co_await needs_.catalog.blob(blob.digest));
    if (known && known->state != BlobState::absent) co_return Result<>{};
    round.count().orphans += 1;
    round.count().orphan_bytes += blob.size;
    const auto& name = blob.digest.text();
    if (round.options.orphans == OrphanPolicy::adopt && known) {
        CO_TRY(const bool adopted, co_await adopt(round, blob));
        if (adopted) co_return Result<>{};
    }
    if (round.options.orphans == OrphanPolicy::remove && !known) {
        round.count().deleted += 1;
        round.run.log("orphan, left to garbage collection: " + name);
        co_return co_await round.condemn({blob.digest, blob.size});
    }
    NewFinding finding{.kind = FindingKind::orphan, .subject = name, .size = blob.size};
    if (known) finding.note = "a manifest names it that lacks it";
    co_return co_await round.report(std::move(finding));
}

// Whoever put the bytes there was no push, so they are not believed.
Task<bool> Scrub::adopt(ScrubRound& round, ListedBlob blob)
{
    CO_TRY(const auto look, co_await needs_.blobs.look(blob.digest));
    CO_TRY(const bool sound, co_await repair_.sound(round, blob.digest));
    if (!sound) co_return false;
    const auto size = co_await needs_.ingest.confirm(blob.digest);
    if (!size && size.error().code() == Errc::blob_unknown) co_return false;
    if (!size) co_return std::unexpected{size.error()};
    CO_TRY(const auto repositories, co_await needs_.catalog.adopt(blob.digest, *size, look.sweeps, round.actor()));
    if (repositories == 0) co_return false;
    round.count().adopted += 1;
    round.run.log("adopted by " + std::to_string(repositories) + " repositories: " + blob.digest.text());
    co_return true;
}

Task<> Scrub::walk_uploads(ScrubRound& round)
{
    for (bool more = true; more;) {
        CO_TRY(const auto stored, co_await needs_.inventory.list_uploads(round.position.after, page));
        more = std::ssize(stored) == page;
        std::vector<UploadId> ids;
        for (const auto& upload : stored) ids.push_back(upload.id);
        CO_TRY(const auto known, co_await needs_.catalog.known_uploads(std::move(ids)));
        for (const auto& upload : stored) {
            if (round.stopping()) co_return Result<>{};
            if (std::ranges::find(known, upload.id) == known.end()) CO_CHECK(co_await stray(round, upload));
            CO_CHECK(co_await round.passed(upload.id.text));
        }
    }
    round.position.phase = ScrubPosition::Phase::over;
    co_return co_await round.save();
}

Task<> Scrub::stray(ScrubRound& round, ListedUpload upload)
{
    // An upload that begins has its file for a moment before it has the file's lock.
    if (upload.written_at > std::min(round.judged_before(), needs_.clock.now() - youngest_stray)) {
        round.count().too_young += 1;
        co_return Result<>{};
    }
    round.count().stray_uploads += 1;
    const auto id = upload.id.text;
    const auto size = upload.size;
    if (round.options.orphans == OrphanPolicy::remove) {
        CO_TRY(const bool removed, co_await needs_.inventory.discard_stray(std::move(upload)));
        if (!removed) co_return Result<>{};  // somebody writes to it
        round.count().deleted += 1;
        round.run.log("stray upload, removed: " + id);
        std::vector<std::string> subjects{id};
        co_return co_await needs_.catalog.close(std::move(subjects), FindingState::deleted, round.actor());
    }
    NewFinding finding{.kind = FindingKind::stray_upload, .subject = id, .size = size};
    co_return co_await round.report(std::move(finding));
}

Task<> Scrub::finish(ScrubRound& round)
{
    CO_CHECK(co_await needs_.catalog.finish(
        round.position.began, round.options.verifies(), round.count().json(), round.actor()
    ));
    for (std::uint64_t gone = 1; gone > 0;) {
        CO_TRY(gone, co_await needs_.catalog.forget(needs_.clock.now() - keep_closed));
    }
    co_return Result<>{};
}

}  // namespace entrepot

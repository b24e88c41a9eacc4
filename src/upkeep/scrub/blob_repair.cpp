#include "upkeep/scrub/blob_repair.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr std::int64_t most_sources = 20;  // repositories of the replica that are asked for one blob

// Whether the store has a blob of this name, durably.
Task<bool> is_stored(BlobIngest& ingest, Digest digest)
{
    const auto size = co_await ingest.confirm(std::move(digest));
    if (!size && size.error().code() != Errc::blob_unknown) co_return std::unexpected{size.error()};
    co_return size.has_value();
}

}  // namespace

// A push stores bytes before its row, and a removal takes the row's word before its bytes: so what is missing behind a
// live row is looked for once more, and then it is lost.
Task<> BlobRepair::missing(ScrubRound& round, KnownBlob blob)
{
    CO_TRY(const auto known, co_await needs_.catalog.blob(blob.digest));
    if (!known || (known->state != BlobState::live && known->state != BlobState::lost)) co_return Result<>{};
    CO_TRY(const bool stored, co_await is_stored(needs_.ingest, blob.digest));
    if (stored) co_return co_await verify(round, *known);
    NewFinding finding{.kind = FindingKind::missing, .subject = blob.digest.text(), .size = known->size};
    round.count().missing += 1;
    round.run.log("missing: " + blob.digest.text());
    co_return co_await lost(round, *known, std::move(finding));
}

Task<BlobRepair::Looked> BlobRepair::look_at(ScrubRound& round, Digest digest)
{
    auto opened = co_await needs_.inventory.check(digest);
    if (!opened && opened.error().code() == Errc::blob_unknown) co_return Looked{};
    if (!opened) co_return std::unexpected{opened.error()};
    Looked looked{.check = *std::move(opened)};
    for (;;) {
        if (round.stopping()) {
            looked.verdict = Verdict::stopped;
            co_return std::move(looked);
        }
        const auto count = co_await looked.check->read(round.portion());
        if (!count && count.error().code() == Errc::corrupt) {
            looked.verdict = Verdict::unreadable;
            co_return std::move(looked);
        }
        if (!count) co_return std::unexpected{count.error()};
        if (*count == 0) break;
        round.count().verified_bytes += *count;
        needs_.verified_bytes.fetch_add(*count, std::memory_order_relaxed);
        CO_CHECK(co_await round.pace(*count));
        CO_CHECK(co_await round.still_at_it());
    }
    round.count().verified += 1;
    looked.verdict = looked.check->actual() == digest ? Verdict::sound : Verdict::rotten;
    co_return std::move(looked);
}

Task<> BlobRepair::verify(ScrubRound& round, KnownBlob blob)
{
    CO_TRY(auto looked, co_await look_at(round, blob.digest));
    switch (looked.verdict) {
        case Verdict::stopped: co_return Result<>{};
        case Verdict::gone:
            if (blob.state != BlobState::live) co_return Result<>{};
            co_return co_await missing(round, std::move(blob));
        case Verdict::unreadable: co_return co_await unreadable(round, std::move(blob), *looked.check);
        case Verdict::rotten: {
            const auto note = looked.check->actual().text() + ", " + std::to_string(looked.check->size()) + " bytes";
            co_return co_await rotten(round, std::move(blob), *looked.check, note);
        }
        case Verdict::sound: break;
    }
    if (blob.state == BlobState::lost) {
        CO_TRY(const bool restored, co_await restore(round, blob.digest, "found"));
        if (restored) round.run.log("there again: " + blob.digest.text());
        co_return Result<>{};
    }
    if (looked.check->size() == blob.size) co_return Result<>{};
    round.count().wrong_sizes += 1;
    NewFinding finding{.kind = FindingKind::wrong_size, .subject = blob.digest.text(), .size = blob.size};
    finding.note = std::to_string(looked.check->size()) + " bytes are stored";
    co_return co_await round.report(std::move(finding));
}

Task<bool> BlobRepair::sound(ScrubRound& round, Digest digest)
{
    CO_TRY(const auto looked, co_await look_at(round, std::move(digest)));
    co_return looked.verdict == Verdict::sound;
}

Task<> BlobRepair::rotten(ScrubRound& round, KnownBlob blob, BlobCheck& check, std::string note)
{
    CO_TRY(const bool moved, co_await check.quarantine());
    if (!moved) co_return Result<>{};  // pushed again, or removed, while we read: not these bytes are served
    round.count().rotten += 1;
    round.run.log("rotten, moved aside: " + blob.digest.text() + " is " + note);
    NewFinding finding{.kind = FindingKind::rotten, .subject = blob.digest.text(), .size = blob.size};
    finding.note = std::move(note);
    co_return co_await lost(round, std::move(blob), std::move(finding));
}

// The device may give them back yet, so they stay in their place as long as nothing better is to be had.
Task<> BlobRepair::unreadable(ScrubRound& round, KnownBlob blob, BlobCheck& check)
{
    if (needs_.replica && round.options.heal) co_return co_await rotten(round, std::move(blob), check, "unreadable");
    round.count().unreadable += 1;
    round.run.log("unreadable: " + blob.digest.text());
    NewFinding finding{.kind = FindingKind::unreadable, .subject = blob.digest.text(), .size = blob.size};
    co_return co_await round.report(std::move(finding));
}

// The bytes are not in the store any more: the catalog is told, then they are looked for. A push that stored them in
// between linked a row that was live, so it is there that they are found.
Task<> BlobRepair::lost(ScrubRound& round, KnownBlob blob, NewFinding finding)
{
    if (blob.state == BlobState::live) {
        CO_TRY(const bool now_lost, co_await needs_.catalog.lose(std::move(finding), round.actor()));
        if (!now_lost) co_return Result<>{};
    } else {
        // At once: what follows may close it.
        std::vector<NewFinding> findings;
        findings.push_back(std::move(finding));
        CO_CHECK(co_await needs_.catalog.report(std::move(findings), round.actor()));
    }
    CO_TRY(const bool pushed, co_await restore(round, blob.digest, "push"));
    if (pushed || !needs_.replica || !round.options.heal) co_return Result<>{};
    CO_TRY(const bool healed, co_await heal(round, blob));
    round.run.log((healed ? "healed from the replica: " : "not to be had from the replica: ") + blob.digest.text());
    co_return Result<>{};
}

// True where the bytes are there and the row is live by this.
Task<bool> BlobRepair::restore(ScrubRound& round, Digest digest, std::string by)
{
    CO_TRY(const auto look, co_await needs_.blobs.look(digest));
    CO_TRY(const bool stored, co_await is_stored(needs_.ingest, digest));
    if (!stored) co_return false;
    CO_TRY(
        const bool restored,
        co_await needs_.catalog.restore(std::move(digest), look.sweeps, std::move(by), round.actor())
    );
    round.count().healed += restored ? 1 : 0;
    co_return restored;
}

// From the first repository of the replica that has it.
Task<bool> BlobRepair::heal(ScrubRound& round, KnownBlob blob)
{
    CO_TRY(const auto holders, co_await needs_.blobs.holders(blob.digest, most_sources));
    for (const auto& repository : holders) {
        if (round.stopping()) co_return false;
        CO_TRY(const auto look, co_await needs_.blobs.look(blob.digest));
        const auto fetched = co_await fetch(round, repository, blob);
        if (!fetched) {
            if (fetched.error().code() == Errc::storage_full) co_return std::unexpected{fetched.error()};
            round.run.log("from " + repository.text() + " of the replica: " + fetched.error().message());
            log::failure(log::Level::warning, "fetching a lost blob from the replica", fetched.error());
            continue;
        }
        CO_TRY(
            const bool restored, co_await needs_.catalog.restore(blob.digest, look.sweeps, "replica", round.actor())
        );
        round.count().healed += restored ? 1 : 0;
        co_return restored;
    }
    co_return false;
}

// Durable and verified when it answers. An upload of ours that a kill leaves behind is a stray one.
Task<> BlobRepair::fetch(ScrubRound& round, RepositoryName repository, KnownBlob blob)
{
    CO_TRY(const auto source, co_await needs_.replica->open(std::move(repository), blob.digest));
    const UploadId id{needs_.random.hex(16)};
    CO_TRY(auto upload, co_await needs_.ingest.resume(id, blob.digest.algorithm(), 0, {}));
    Result<> received;
    for (std::uint64_t total = 0; received;) {
        Buffer chunk;
        const auto count = co_await read_full(*source, chunk.room());
        if (!count) received = std::unexpected{count.error()};
        if (!count || *count == 0) break;
        chunk.grow(*count);
        total += *count;
        if (total > blob.size) {
            received = fail(Errc::digest_mismatch, "the replica's blob is longer than ours was");
        } else {
            received = co_await upload->append(std::move(chunk));
        }
        CO_CHECK(co_await round.pace(*count));
        CO_CHECK(co_await round.still_at_it());
    }
    if (received) {
        const auto stored = co_await upload->commit(blob.digest);
        if (!stored) received = std::unexpected{stored.error()};
    }
    upload.reset();
    if (!received) (void)co_await needs_.ingest.discard(id);
    co_return received;
}

}  // namespace entrepot

// What goes from the store, and what is written in its own time.
#include "core/log.hpp"
#include "drivers/chunk_files/blob_chunks.hpp"
#include "drivers/chunk_files/chunk_files.hpp"
#include "drivers/chunk_files/chunk_pin_hold.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace entrepot {
namespace {

// Times of use need not be exact, and each takes a write.
constexpr Micros use_step = 60 * Micros{1'000'000};

std::unexpected<Error> no_room(std::string detail)
{
    return fail(Errc::storage_full, "the chunk store has no room for the blob", std::move(detail));
}

void write_last_use(const ChunkHome& home, BlobChunks& blob)
{
    const Micros used = blob.last_used;
    if (used - blob.last_used_on_disk < use_step) return;
    std::array<timespec, 2> times{};
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = static_cast<time_t>(used / 1'000'000);
    times[1].tv_nsec = static_cast<long>(used % 1'000'000 * 1000);
    if (::utimensat(home.folder.index(), blob.name().c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0) {
        blob.last_used_on_disk = used;
    }
}

}  // namespace

Result<std::shared_ptr<ChunkRoom>> ChunkFiles::make_room(std::uint64_t bytes)
{
    if (bytes > budget_->bytes()) return no_room("it is larger than the budget");
    for (;;) {
        TRY(const auto free_bytes, home_->disk->free_bytes(home_->folder.root()));
        const auto victims = take_victims(bytes, free_bytes);
        const bool is_last_try = victims.empty();
        CHECK(evict(victims));
        if (free_bytes >= bytes && budget_->try_take(bytes)) return std::make_shared<ChunkRoom>(budget_, bytes);
        if (is_last_try) return no_room("what is pinned, and what others have on the disk, leaves too little");
    }
}

// Taken out of the store, and busy until evict() has removed their files. None where all of them would not be enough.
std::vector<ChunkFiles::Blob> ChunkFiles::take_victims(std::uint64_t wanted, std::uint64_t free_bytes)
{
    const auto shortage = free_bytes < wanted ? wanted - free_bytes : 0;
    const std::lock_guard guard{mutex_};
    const auto needed = std::max(budget_->excess(wanted), shortage);
    const auto desired = std::max(needed, budget_->above_low(wanted));
    if (desired == 0) return {};
    std::vector<Blob> candidates;
    std::vector<EvictionChoice> choices;
    std::uint64_t possible = 0;
    const auto now = home_->clock.now();
    for (const auto& [digest, blob] : blobs_) {
        if (blob->pins != 0 || busy_.contains(digest)) continue;
        const std::int64_t others = blob->other_holders;
        EvictionChoice choice{.idle = now - blob->last_used, .bytes = blob->room(), .number = candidates.size()};
        if (others >= 0) choice.other_holders = static_cast<std::uint32_t>(others);
        possible += choice.bytes;
        choices.push_back(choice);
        candidates.push_back(blob);
    }
    // At a start nothing is wanted, and every byte less is one less above the budget.
    if (possible < needed && wanted != 0) return {};
    std::vector<Blob> victims;
    for (const auto number : choose_evictions(std::move(choices), desired)) {
        const auto& blob = candidates[number];
        blob->mark_removed();
        blobs_.erase(blob->blob().digest);
        busy_.insert(blob->blob().digest);
        victims.push_back(blob);
    }
    return victims;
}

Result<> ChunkFiles::evict(const std::vector<Blob>& victims)
{
    Result<> first;
    for (const auto& blob : victims) {
        ++home_->counters.evictions;
        home_->counters.evicted_bytes += blob->room();
        if (auto gone = remove_files(blob); !gone && first) first = std::move(gone);
    }
    // Without an end to it, every blob would be forgotten, and none of their room won.
    if (!first) return home_->pause.begin(std::move(first).error());
    return {};
}

Result<> ChunkFiles::remove(const Sha256& digest)
{
    Lock lock{mutex_};
    settled_.wait(lock, [&] { return !busy_.contains(digest); });
    const auto known = blobs_.find(digest);
    if (known == blobs_.end()) return {};
    const auto blob = known->second;
    lock.unlock();
    // Where that answers false, somebody else was quicker.
    return take_out(blob) ? remove_files(blob) : Result<>{};
}

// From here on nobody finds it; the caller alone removes its files.
bool ChunkFiles::take_out(const Blob& blob)
{
    const auto& digest = blob->blob().digest;
    const std::lock_guard guard{mutex_};
    const auto known = blobs_.find(digest);
    if (known == blobs_.end() || known->second != blob) return false;
    blob->mark_removed();
    blobs_.erase(known);
    busy_.insert(digest);
    return true;
}

Result<> ChunkFiles::remove_files(const Blob& blob)
{
    blob->mark_removed();
    if (const auto file = blob->opened()) {
        const std::lock_guard guard{mutex_};
        std::erase(open_, file);
    }
    auto gone = blob->remove();
    const std::lock_guard guard{mutex_};
    busy_.erase(blob->blob().digest);
    if (!gone) leftovers_.emplace(blob->blob().digest, blob);
    settled_.notify_all();
    return gone;
}

Result<> ChunkFiles::take_leftovers_away()
{
    std::map<Sha256, Blob> leftovers;
    {
        const std::lock_guard guard{mutex_};
        for (const auto& [digest, blob] : leftovers_) {
            // Of one that begins anew, its begin() takes them away.
            if (busy_.insert(digest).second) leftovers.emplace(digest, blob);
        }
        for (const auto& [digest, blob] : leftovers) leftovers_.erase(digest);
    }
    Result<> first;
    for (const auto& [digest, blob] : leftovers) {
        const auto gone = blob->remove();
        const std::lock_guard guard{mutex_};
        busy_.erase(digest);
        settled_.notify_all();
        if (gone) continue;
        leftovers_.emplace(digest, blob);
        if (first) first = gone;
    }
    return first;
}

Result<> ChunkFiles::flush()
{
    auto first = take_leftovers_away();
    std::vector<Blob> all;
    {
        const std::lock_guard guard{mutex_};
        all.reserve(blobs_.size());
        for (const auto& [digest, blob] : blobs_) all.push_back(blob);
    }
    const auto note = [&](const Error& error) {
        if (first && error.code() != Errc::blob_unknown) first = std::unexpected{error};
    };
    for (const auto& blob : all) {
        write_last_use(*home_, *blob);
        if (!blob->wants_flush()) continue;
        if (const auto writable = home_->pause.may_write(); !writable) {
            note(writable.error());
            break;
        }
        Lock lock{mutex_};
        const auto known = blobs_.find(blob->blob().digest);
        if (known == blobs_.end() || known->second != blob) continue;
        ChunkPin held{std::make_shared<ChunkPin::Hold>(blob)};
        lock.unlock();
        const auto pin = open_pinned(std::move(held));
        auto done = pin ? Result<>{} : std::unexpected{pin.error()};
        if (done) done = blob->sync(pin->hold_->file);
        if (done) {
            if (const auto finished = blob->finish(pin->hold_->file); !finished)
                done = std::unexpected{finished.error()};
        }
        if (!done) {
            note(done.error());
            remove_refuted(blob);
        }
    }
    return first;
}

}  // namespace entrepot

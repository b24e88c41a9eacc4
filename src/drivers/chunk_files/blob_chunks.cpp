#include "drivers/chunk_files/blob_chunks.hpp"

#include "core/buffer.hpp"
#include "core/bytes.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace entrepot {
namespace {

constexpr int most_hashed_behind = 2;

}  // namespace

BlobChunks::BlobChunks(
    std::shared_ptr<ChunkHome> home, const DescribedBlob& blob, std::shared_ptr<ChunkRoom> room, State state
)
    : last_used{state.last_used},
      last_used_on_disk{state.last_used},
      home_{std::move(home)},
      blob_{blob},
      name_{chunk_file_name(blob.digest)},
      chunks_{static_cast<std::uint32_t>(chunk_count(blob.size))},
      room_bytes_{room->bytes()},
      sequence_{state.slot.sequence},
      room_{std::move(room)},
      here_{state.is_complete ? ChunkSet{chunks_, true} : std::move(state.slot.here)},
      durable_{here_},
      checked_{chunks_},
      is_complete_{state.is_complete}
{
}

Result<OpenBlob> BlobChunks::create(const ChunkVerifier& verifier, std::span<const Sha256> hashes)
{
    auto& folder = home_->folder;
    // A file that an earlier removal could not take away would be believed at the next start.
    CHECK(remove_chunk_file(folder.complete(), name_));
    auto data = home_->disk->create(folder.partial(), name_, blob_.size);
    if (!data) return home_->pause.begin(std::move(data).error());
    const auto draft = name_ + ".new";
    auto index = home_->disk->create(folder.index(), draft, 0);
    if (!index) return home_->pause.begin(std::move(index).error());
    auto written = home_->disk->write(index->get(), as_bytes(encode_chunk_index(blob_, hashes)), 0);
    if (written) written = home_->disk->rename(folder.index(), draft, folder.index(), name_);
    if (!written) {
        static_cast<void>(remove_chunk_file(folder.index(), draft));
        return home_->pause.begin(std::move(written).error());
    }
    const std::lock_guard guard{mutex_};
    auto file = std::make_shared<OpenBlobChunks>(room_, *std::move(data), *std::move(index), verifier);
    open_ = file;
    return file;
}

Result<OpenBlob> BlobChunks::open()
{
    if (auto file = opened()) return file;
    // Nobody gives it another name meanwhile, or removes it.
    const std::lock_guard sync_guard{sync_mutex_};
    if (auto file = opened()) return file;
    if (is_removed_) return fail(Errc::blob_unknown, "the blob is not in the chunk store");
    auto index = open_chunk_file(home_->folder.index(), name_);
    auto data = open_chunk_file(is_complete() ? home_->folder.complete() : home_->folder.partial(), name_);
    const auto lost = [](Error error) -> std::unexpected<Error> {
        if (error.code() != Errc::not_found) return std::unexpected{std::move(error)};
        return fail(Errc::corrupt, "a file of the chunk store is gone", error.detail());
    };
    if (!index) return lost(std::move(index).error());
    if (!data) return lost(std::move(data).error());
    std::vector<std::byte> list(ChunkIndexShape{blob_}.hashes_bytes);
    TRY(const auto count, read_chunk_file(index->get(), list, chunk_index_head_bytes));
    TRY(auto hashes, parse_hash_list(std::span{list}.first(count / sizeof(Sha256) * sizeof(Sha256))));
    auto verifier = ChunkVerifier::of(blob_, std::move(hashes));
    if (!verifier) return fail(Errc::corrupt, "an index of the chunk store is damaged", verifier.error().message());
    const std::lock_guard guard{mutex_};
    auto file = std::make_shared<OpenBlobChunks>(room_, *std::move(data), *std::move(index), *std::move(verifier));
    open_ = file;
    return file;
}

OpenBlob BlobChunks::opened() const
{
    const std::lock_guard guard{mutex_};
    return open_.lock();
}

Result<> BlobChunks::remove()
{
    mark_removed();
    const std::lock_guard sync_guard{sync_mutex_};
    {
        const std::lock_guard guard{mutex_};
        unsynced_file_.reset();
        unsynced_bytes_ = 0;
    }
    // The index first: data without one are nothing after a crash.
    CHECK(remove_chunk_file(home_->folder.index(), name_));
    CHECK(remove_chunk_file(home_->folder.partial(), name_));
    CHECK(remove_chunk_file(home_->folder.complete(), name_));
    const std::lock_guard guard{mutex_};
    room_.reset();
    return {};
}

ChunkSet BlobChunks::here() const
{
    const std::lock_guard guard{mutex_};
    return here_;
}

std::uint64_t BlobChunks::missing() const
{
    const std::lock_guard guard{mutex_};
    std::uint64_t bytes = (std::uint64_t{chunks_} - here_.count()) * chunk_bytes;
    if (chunks_ != 0 && !here_.contains(chunks_ - 1)) bytes -= chunk_bytes - chunk_size(blob_.size, chunks_ - 1);
    return bytes;
}

bool BlobChunks::is_complete() const
{
    const std::lock_guard guard{mutex_};
    return is_complete_;
}

bool BlobChunks::wants_flush() const
{
    const std::lock_guard guard{mutex_};
    return !is_removed_ && (unsynced_bytes_ != 0 || (!is_complete_ && here_.full()));
}

bool BlobChunks::has(std::uint32_t chunk) const
{
    const std::lock_guard guard{mutex_};
    return here_.contains(chunk);
}

bool BlobChunks::came_and_waits(std::uint32_t chunk) const
{
    const std::lock_guard guard{mutex_};
    return !is_complete_ && checked_.contains(chunk);
}

Result<> BlobChunks::usable(ChunkSpan span) const
{
    if (is_removed_) return fail(Errc::blob_unknown, "the blob is not in the chunk store");
    if (span.count == 0 || span.first >= chunks_ || span.count > chunks_ - span.first) {
        return fail(Errc::range_invalid, "the blob has no such chunks");
    }
    return {};
}

Result<bool> BlobChunks::write(const OpenBlob& file, std::uint32_t chunk, std::span<const std::byte> bytes)
{
    CHECK(usable({chunk, 1}));
    CHECK(file->verifier.verify(chunk, bytes));
    {
        const std::lock_guard guard{mutex_};
        if (here_.contains(chunk)) return is_complete_;
    }
    CHECK(home_->pause.may_write());
    if (auto written = home_->disk->write(file->data.get(), bytes, chunk * chunk_bytes); !written) {
        return home_->pause.begin(std::move(written).error());
    }
    ++home_->counters.writes;
    home_->counters.written_bytes += bytes.size();
    bool is_full = false;
    bool is_due = false;
    {
        const std::lock_guard guard{mutex_};
        here_.insert(chunk);
        checked_.insert(chunk);
        unsynced_bytes_ += bytes.size();
        unsynced_file_ = file;
        is_full = here_.full();
        is_due = unsynced_bytes_ >= home_->sync_after_bytes;
    }
    hash_on(file, chunk, bytes);
    if (is_full) return finish(file);
    if (is_due) CHECK(sync(file));
    return false;
}

// Each chunk that comes takes the hash of the blob up to two further, so little is left for the end, in whatever order
// they come. Who finds another thread at it goes on.
void BlobChunks::hash_on(const OpenBlob& file, std::uint32_t chunk, std::span<const std::byte> bytes)
{
    const std::unique_lock guard{hash_mutex_, std::try_to_lock};
    if (!guard) return;
    if (chunk == hashed_) {
        stream_.update(bytes);
        ++hashed_;
    }
    Buffer buffer;
    for (int count = 0; count < most_hashed_behind && hashed_ < chunks_ && has(hashed_); ++count) {
        const auto before = buffer.room().first(chunk_size(blob_.size, hashed_));
        if (!load(file, hashed_, before)) return;
        stream_.update(before);
        ++hashed_;
    }
}

Result<> BlobChunks::load(const OpenBlob& file, std::uint32_t chunk, Bytes into) const
{
    const auto count = read_chunk_file(file->data.get(), into, chunk * chunk_bytes);
    if (!count || *count != into.size()) {
        const auto why = count ? std::string{"its file is shorter"} : count.error().detail();
        return fail(Errc::corrupt, "a chunk of the chunk store can't be read", why);
    }
    return {};
}

// What can't be read is as lost as what was changed: both come again from elsewhere, to the same place. While the blob
// comes, neighbours ask for what came a moment ago: it was compared then, and the digest at the end looks at it again.
Result<> BlobChunks::fetch(const OpenBlob& file, std::uint32_t chunk, Bytes into, bool again)
{
    const bool has_just_come = !again && came_and_waits(chunk);
    const auto look = [&]() -> Result<> {
        CHECK(load(file, chunk, into));
        return has_just_come ? Result<>{} : file->verifier.verify(chunk, into);
    };
    if (look()) {
        const std::lock_guard guard{mutex_};
        if (here_.contains(chunk)) checked_.insert(chunk);
        return {};
    }
    const std::lock_guard sync_guard{sync_mutex_};
    // Somebody may have found it before us, and fetched it again.
    if (!has(chunk)) return fail(Errc::corrupt, "a chunk of the chunk store is damaged, and was dropped");
    if (look()) return {};
    drop(file, chunk);
    return fail(Errc::corrupt, "a chunk of the chunk store is damaged, and was dropped");
}

Result<> BlobChunks::read(const OpenBlob& file, ChunkSpan span, std::span<std::byte> into)
{
    CHECK(usable(span));
    const auto offset = span.first * chunk_bytes;
    const auto end = std::min(blob_.size, (std::uint64_t{span.first} + span.count) * chunk_bytes);
    if (into.size() != end - offset) return fail(Errc::size_invalid, "the chunks have another size");
    for (auto chunk = span.first; chunk < span.first + span.count; ++chunk) {
        if (!has(chunk)) return fail(Errc::not_found, "the chunk is not here");
        const auto size = chunk_size(blob_.size, chunk);
        CHECK(fetch(file, chunk, into.first(size), false));
        into = into.subspan(size);
    }
    ++home_->counters.reads;
    home_->counters.read_bytes += end - offset;
    return {};
}

Result<> BlobChunks::check(const OpenBlob& file, ChunkSpan span, bool again)
{
    CHECK(usable(span));
    Buffer buffer;
    for (auto chunk = span.first; chunk < span.first + span.count; ++chunk) {
        {
            const std::lock_guard guard{mutex_};
            if (!here_.contains(chunk)) return fail(Errc::not_found, "the chunk is not here");
            if (!again && checked_.contains(chunk)) continue;
        }
        CHECK(fetch(file, chunk, buffer.room().first(chunk_size(blob_.size, chunk)), true));
    }
    return {};
}

}  // namespace entrepot

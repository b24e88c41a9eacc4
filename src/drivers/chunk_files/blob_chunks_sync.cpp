// What of a blob is durable, and when it is complete.
#include "core/buffer.hpp"
#include "core/bytes.hpp"
#include "core/log.hpp"
#include "drivers/chunk_files/blob_chunks.hpp"

#include <utility>

namespace entrepot {

Result<> BlobChunks::sync(const OpenBlob& file)
{
    const std::lock_guard guard{sync_mutex_};
    return sync_data(file);
}

Result<> BlobChunks::sync_data(const OpenBlob& file)
{
    std::uint64_t bytes = 0;
    ChunkSet here{0};
    {
        const std::lock_guard guard{mutex_};
        if (unsynced_bytes_ == 0 || is_removed_) return {};
        bytes = std::exchange(unsynced_bytes_, 0);
        here = here_;
    }
    if (auto synced = home_->disk->sync(file->data.get()); !synced) {
        // What the kernel could not write back it forgets, and a second sync would succeed without it (fsync(2)). So
        // what was not durable before is not here any more.
        const std::lock_guard guard{mutex_};
        here_ = durable_;
        for (std::uint32_t chunk = 0; chunk < chunks_; ++chunk) {
            if (!here_.contains(chunk)) checked_.erase(chunk);
        }
        unsynced_bytes_ = 0;
        unsynced_file_.reset();
        return home_->pause.begin(std::move(synced).error());
    }
    if (auto written = write_slot(file, here); !written) {
        const std::lock_guard guard{mutex_};
        unsynced_bytes_ += bytes;
        return home_->pause.begin(std::move(written).error());
    }
    const std::lock_guard guard{mutex_};
    durable_ = std::move(here);
    if (unsynced_bytes_ == 0) unsynced_file_.reset();
    return {};
}

// Over the older of the two: if this one is torn, the newer one says less than is here, and that is true.
Result<> BlobChunks::write_slot(const OpenBlob& file, const ChunkSet& here)
{
    const auto slot = encode_chunk_index_slot(blob_, sequence_ + 1, here);
    CHECK(home_->disk->write(file->index.get(), as_bytes(slot), ChunkIndexShape{blob_}.slot_offset(sequence_ + 1)));
    ++sequence_;
    return {};
}

// Its place on disk stays as it is until the chunk comes again. Where the disk refuses what is to be written here, a
// restart finds the chunk damaged once more, at its first read.
void BlobChunks::drop(const OpenBlob& file, std::uint32_t chunk)
{
    bool was_complete = false;
    ChunkSet durable{0};
    {
        const std::lock_guard hash_guard{hash_mutex_};
        stream_.take();
        hashed_ = 0;
        const std::lock_guard guard{mutex_};
        here_.erase(chunk);
        durable_.erase(chunk);
        checked_.erase(chunk);
        was_complete = std::exchange(is_complete_, false);
        durable = durable_;
    }
    ++home_->counters.corrupt_chunks;
    log::warning(
        "a chunk of the chunk store was damaged, and is dropped", {{"blob", name_}, {"chunk", std::uint64_t{chunk}}}
    );
    if (is_removed_) return;
    auto& folder = home_->folder;
    Result<> done;
    // First it loses its name, which says that all is here.
    if (was_complete) done = home_->disk->rename(folder.complete(), name_, folder.partial(), name_);
    if (done) done = write_slot(file, durable);
    if (!done) static_cast<void>(home_->pause.begin(std::move(done).error()));
}

Result<bool> BlobChunks::finish(const OpenBlob& file)
{
    const std::lock_guard sync_guard{sync_mutex_};
    {
        const std::lock_guard guard{mutex_};
        if (is_complete_) return true;
        if (!here_.full()) return false;
    }
    CHECK(sync_data(file));
    TRY(auto digest, hash_rest(file));
    if (digest != blob_.digest) {
        TRY(digest, hash_anew(file));
    }
    if (digest != blob_.digest) {
        is_refuted_ = true;
        return fail(Errc::digest_mismatch, "the chunks that were promised make another blob", name_);
    }
    if (is_removed_) return fail(Errc::blob_unknown, "the blob is not in the chunk store");
    auto& folder = home_->folder;
    if (auto named = home_->disk->rename(folder.partial(), name_, folder.complete(), name_); !named) {
        return home_->pause.begin(std::move(named).error());
    }
    const std::lock_guard guard{mutex_};
    is_complete_ = true;
    return true;
}

Result<Sha256> BlobChunks::hash_rest(const OpenBlob& file)
{
    const std::lock_guard guard{hash_mutex_};
    Buffer buffer;
    while (hashed_ < chunks_) {
        if (is_removed_) return fail(Errc::blob_unknown, "the blob is not in the chunk store");
        const auto bytes = buffer.room().first(chunk_size(blob_.size, hashed_));
        // What can't be read is found, and dropped, by the pass that looks at each chunk.
        if (!load(file, hashed_, bytes)) break;
        stream_.update(bytes);
        ++hashed_;
    }
    hashed_ = 0;
    return stream_.take();
}

Result<Sha256> BlobChunks::hash_anew(const OpenBlob& file)
{
    Sha256Stream stream;
    Buffer buffer;
    std::uint32_t dropped = 0;
    for (std::uint32_t chunk = 0; chunk < chunks_; ++chunk) {
        if (is_removed_) return fail(Errc::blob_unknown, "the blob is not in the chunk store");
        const auto bytes = buffer.room().first(chunk_size(blob_.size, chunk));
        const auto loaded = load(file, chunk, bytes);
        if (!loaded || !file->verifier.verify(chunk, bytes)) {
            drop(file, chunk);
            ++dropped;
        }
        stream.update(bytes);
    }
    if (dropped != 0) {
        return fail(Errc::corrupt, "chunks of the chunk store were damaged, and were dropped", std::to_string(dropped));
    }
    return stream.take();
}

}  // namespace entrepot

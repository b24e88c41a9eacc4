#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/file_descriptor.hpp"
#include "drivers/chunk_files/chunk_budget.hpp"
#include "drivers/chunk_files/chunk_home.hpp"
#include "drivers/chunk_files/chunk_index.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace entrepot {

// The open files of one blob and the hashes of its chunks. Immutable; their room on the disk is given back after they
// are closed.
struct OpenBlobChunks {
    std::shared_ptr<ChunkRoom> room;
    FileDescriptor data;
    FileDescriptor index;
    ChunkVerifier verifier;
};
using OpenBlob = std::shared_ptr<OpenBlobChunks>;

// One blob of a chunk store: which of its chunks are here, and what may be said of them after a crash. Chunks are
// numbered within the blob. Safe from any thread; all but the short questions block. `file` is what open() gave.
//
// What is on disk says at most what is true (docs/formats/chunk-store.md): data are synced before the index names them,
// and the file gets its name in blobs/ when all of it has been hashed.
class BlobChunks {
public:
    struct State {
        bool is_complete = false;
        ChunkIndexSlot slot;  // as the index has it; of a complete blob it does not matter
        Micros last_used = 0;
    };
    BlobChunks(
        std::shared_ptr<ChunkHome> home, const DescribedBlob& blob, std::shared_ptr<ChunkRoom> room, State state
    );

    const DescribedBlob& blob() const noexcept { return blob_; }
    const std::string& name() const noexcept { return name_; }
    std::uint64_t room() const noexcept { return room_bytes_; }

    // Makes its files. Afterwards open() has them.
    Result<OpenBlob> create(const ChunkVerifier& verifier, std::span<const Sha256> hashes);
    // corrupt: its index can't be used, and the blob should be removed.
    Result<OpenBlob> open();
    // What open() would answer at once; null where nobody has it open.
    OpenBlob opened() const;
    // Closes what open() keeps and takes the files away, now for who looks for them, and their room with the last who
    // has them open. May be called again where that failed.
    Result<> remove();

    // True when that made the blob complete, or it was. size_invalid, digest_mismatch, range_invalid: this is no such
    // chunk; blob_unknown: it was removed. storage_full, unavailable: with every failure of the disk the store pauses.
    // Of the chunk that is the last: as finish().
    Result<bool> write(const OpenBlob& file, std::uint32_t chunk, std::span<const std::byte> bytes);
    // range_invalid, size_invalid; not_found: one is not here; corrupt: one of them is not what was written, and is not
    // here any more; blob_unknown. Until the blob is complete, chunks that were written since the start are given as
    // the disk has them: who has them from us compares them too.
    Result<> read(const OpenBlob& file, ChunkSpan span, std::span<std::byte> into);
    // The same without the bytes, for those that were not looked at since the start, or for all with `again`.
    Result<> check(const OpenBlob& file, ChunkSpan span, bool again);

    // What was written stays.
    Result<> sync(const OpenBlob& file);
    // True where all chunks are here and have the blob's digest: it is complete then. corrupt: some were not what was
    // written; digest_mismatch: its chunks are those of another blob, and it should be removed (is_refuted()).
    Result<bool> finish(const OpenBlob& file);

    ChunkSet here() const;
    // In bytes.
    std::uint64_t missing() const;
    bool is_complete() const;
    bool is_refuted() const noexcept { return is_refuted_; }
    bool is_removed() const noexcept { return is_removed_; }
    // Something is not synced, or all is here and not hashed.
    bool wants_flush() const;
    // From here on nothing of it is read.
    void mark_removed() noexcept { is_removed_ = true; }

    std::atomic<std::uint32_t> pins{0};
    std::atomic<Micros> last_used;
    std::atomic<Micros> last_used_on_disk;
    std::atomic<std::int64_t> other_holders{-1};  // -1: nobody said

private:
    using Bytes = std::span<std::byte>;

    Result<> usable(ChunkSpan span) const;
    // `again`: looked at, whenever it was last.
    Result<> fetch(const OpenBlob& file, std::uint32_t chunk, Bytes into, bool again);
    Result<> load(const OpenBlob& file, std::uint32_t chunk, Bytes into) const;
    bool has(std::uint32_t chunk) const;
    // Compared since the start, and the digest of the whole is still to be.
    bool came_and_waits(std::uint32_t chunk) const;
    void hash_on(const OpenBlob& file, std::uint32_t chunk, std::span<const std::byte> bytes);
    // Below, sync_mutex_ is held.
    Result<> sync_data(const OpenBlob& file);
    Result<> write_slot(const OpenBlob& file, const ChunkSet& here);
    void drop(const OpenBlob& file, std::uint32_t chunk);
    Result<Sha256> hash_rest(const OpenBlob& file);
    Result<Sha256> hash_anew(const OpenBlob& file);

    const std::shared_ptr<ChunkHome> home_;
    const DescribedBlob blob_;
    const std::string name_;
    const std::uint32_t chunks_;
    const std::uint64_t room_bytes_;
    std::atomic<bool> is_removed_{false};
    std::atomic<bool> is_refuted_{false};

    // In this order: who syncs, gives names or takes chunks away; who hashes; who looks at the sets.
    std::mutex sync_mutex_;
    std::uint64_t sequence_;

    std::mutex hash_mutex_;
    Sha256Stream stream_;
    std::uint32_t hashed_ = 0;  // chunks from the first on that stream_ has

    mutable std::mutex mutex_;
    std::shared_ptr<ChunkRoom> room_;
    std::weak_ptr<OpenBlobChunks> open_;
    OpenBlob unsynced_file_;  // so that a failure to write back shows at the sync
    ChunkSet here_;
    ChunkSet durable_;
    ChunkSet checked_;  // since the start
    std::uint64_t unsynced_bytes_ = 0;
    bool is_complete_;
};

}  // namespace entrepot

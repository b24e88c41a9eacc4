#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "drivers/chunk_files/chunk_disk.hpp"
#include "drivers/chunk_files/chunk_index.hpp"
#include "swarm/descriptor/described_blob.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace entrepot {

class BlobChunks;
class ChunkBudget;
class ChunkRoom;
class ChunkVerifier;
struct ChunkHome;
struct OpenBlobChunks;

struct ChunkFilesOptions {
    std::filesystem::path root;      // made where it is missing; for this store alone
    std::uint64_t budget_bytes = 0;  // of disk that the store may use itself, whatever else is on the file system
    // Once a blob would take it above `high` permille of the budget, others go until it is at most at `low` with it.
    std::uint32_t high_permille = 950;
    std::uint32_t low_permille = 850;
    // Of one blob: after so much is written, it is synced. The most that is fetched again after a crash.
    std::uint64_t sync_after_bytes = 32U << 20U;
    // For how long nothing is written after the disk has refused something.
    std::chrono::seconds read_only_for{30};
    std::size_t most_open = 128;                // blobs whose files stay open after their last pin
    std::shared_ptr<ChunkDisk> disk = nullptr;  // the system's
};

// Keeps a blob from eviction as long as it or a copy lives, and its files open. May outlive the store, whose directory
// stays locked then. Safe from any thread.
class ChunkPin {
public:
    const DescribedBlob& blob() const noexcept;
    // The hashes of the blob's chunks, as begin() had them.
    const ChunkVerifier& verifier() const noexcept;
    // Of the blob's chunks, numbered within it: those that can be read.
    ChunkSet here() const;
    // All chunks are here, and together they had the blob's digest.
    bool is_complete() const;

private:
    friend class ChunkFiles;
    struct Hold;
    explicit ChunkPin(std::shared_ptr<Hold> hold) noexcept : hold_{std::move(hold)} {}
    std::shared_ptr<Hold> hold_;
};

// Where in a file chunks lie, for sendfile(2): valid as long as `pin`, which it holds, also when the blob is removed.
struct ChunkExtent {
    ChunkPin pin;
    int descriptor;
    std::uint64_t offset;  // bytes
    std::uint64_t length;
};

struct ChunkFilesStatistics {
    std::uint64_t budget_bytes = 0;
    std::uint64_t taken_bytes = 0;  // of the budget: what all blobs need when they are complete
    std::uint64_t used_bytes = 0;   // of these, what is on disk
    std::uint64_t blobs = 0;
    std::uint64_t complete_blobs = 0;
    std::uint64_t chunks = 0;
    std::uint64_t pinned_blobs = 0;
    bool is_read_only = false;
    // Since the start.
    std::uint64_t evictions = 0;
    std::uint64_t evicted_bytes = 0;
    std::uint64_t corrupt_chunks = 0;
    std::uint64_t reads = 0;  // read() and extent()
    std::uint64_t read_bytes = 0;
    std::uint64_t writes = 0;  // chunks
    std::uint64_t written_bytes = 0;
    // What the start found.
    std::uint64_t damaged_blobs = 0;  // forgotten, with their files
    std::uint64_t foreign_files = 0;  // not the store's; left alone
};

// One blob of the list that blobs() gives.
struct ChunkFilesEntry {
    DescribedBlob blob;
    std::uint32_t chunks_here = 0;
    bool is_complete = false;
    bool is_pinned = false;
    Micros last_used = 0;
};

// What a node keeps of images: blobs in chunks of 256 KiB (swarm/piece.hpp), each checked before it is kept, in a
// directory (docs/formats/chunk-store.md) within a budget. Partial blobs survive a restart, and kill -9. Safe from any
// thread. open(), begin(), pin(), all that takes a pin, remove(), flush() and the
// destructor block on the disk, and hash: call them on a pool. The rest answers from memory.
class ChunkFiles {
public:
    // Reads what is there; blobs that are beyond the budget go. conflict: another process has the directory;
    // unsupported: another version wrote it; storage_full, unavailable. `clock` outlives the store and its pins.
    static Result<std::unique_ptr<ChunkFiles>> open(ChunkFilesOptions options, const Clock& clock);
    // Flushes as well as it can.
    ~ChunkFiles();
    ChunkFiles(const ChunkFiles&) = delete;
    ChunkFiles& operator=(const ChunkFiles&) = delete;

    // Room for the blob, and the blob, or the one that is there with whatever is here of it. `hashes` are of all its
    // chunks, from whomever. size_invalid, digest_mismatch: they are not the blob's; conflict: a blob of this digest is
    // here with another size or chunk_root; storage_full: no room can be made in the budget or on the disk, or the disk
    // was full lately; unavailable.
    Result<ChunkPin> begin(const DescribedBlob& blob, std::vector<Sha256> hashes);
    // blob_unknown; corrupt: its index was damaged, and it is forgotten; unavailable.
    Result<ChunkPin> pin(const Sha256& digest);

    // Keeps a chunk that is what the blob's list says; again is fine. It can be read at once, and is durable with the
    // next sync of the blob. True where the blob is complete now: the last chunk's write hashes what is not hashed yet.
    // range_invalid, size_invalid, digest_mismatch: it is none of the blob's (or, with the last, the list was not: the
    // blob is removed then, and here() of its pins does not matter); blob_unknown: it was removed; corrupt: it was the
    // last, and others were damaged meanwhile: here() says which are missing; storage_full, unavailable: nothing is
    // written for a while, and retry_after() is how long.
    Result<bool> write(const ChunkPin& pin, std::uint32_t chunk, std::span<const std::byte> bytes);

    // The chunks' bytes, of which `into` has room for all exactly; each is hashed. range_invalid, size_invalid;
    // not_found: one is not here; corrupt: one was damaged, and is not here any more: fetch it again; blob_unknown.
    Result<> read(const ChunkPin& pin, ChunkSpan span, std::span<std::byte> into);
    // Where they are. Each chunk is hashed the first time since the start; errors as read().
    Result<ChunkExtent> extent(const ChunkPin& pin, ChunkSpan span);
    // Hashes them now, for one who doubts what an extent had. Errors as read().
    Result<> recheck(const ChunkPin& pin, ChunkSpan span);

    // Once it is called nothing of the blob is read any more, except what extents show already. A blob that is unknown
    // is fine. unavailable: its files can't be removed yet; flush() tries again.
    Result<> remove(const Sha256& digest);

    // How many others in the zone have all of the blob: 0 makes it go last; nullopt: nobody knows any more. Unknown
    // blobs are fine.
    void set_other_holders(const Sha256& digest, std::optional<std::uint32_t> others);

    // To be called every few seconds: what was written becomes durable, blobs of which all is here complete, times of
    // use are noted. The first failure, after all were tried.
    Result<> flush();

    std::vector<ChunkFilesEntry> blobs() const;
    ChunkFilesStatistics statistics() const;
    // Some of the foreign files, relative to the root.
    const std::vector<std::string>& foreign() const noexcept { return foreign_; }

private:
    using Blob = std::shared_ptr<BlobChunks>;
    using Lock = std::unique_lock<std::mutex>;

    ChunkFiles(std::shared_ptr<ChunkHome> home, std::shared_ptr<ChunkBudget> budget, std::size_t most_open);
    Result<> load();
    Result<ChunkPin> pin_blob(Lock lock, const Blob& blob);
    Result<ChunkPin> open_pinned(ChunkPin pin);
    Result<Blob> make(const DescribedBlob& blob, std::vector<Sha256> hashes);
    Result<std::shared_ptr<ChunkRoom>> make_room(std::uint64_t bytes);
    std::vector<Blob> take_victims(std::uint64_t wanted, std::uint64_t free_bytes);
    Result<> evict(const std::vector<Blob>& victims);
    bool take_out(const Blob& blob);
    Result<> remove_files(const Blob& blob);
    Result<> take_leftovers_away();
    void keep_open(const BlobChunks& blob, const std::shared_ptr<OpenBlobChunks>& file);
    void note_use(const Blob& blob) const;
    void remove_refuted(const Blob& blob);

    const std::shared_ptr<ChunkHome> home_;
    const std::shared_ptr<ChunkBudget> budget_;
    const std::size_t most_open_;
    std::vector<std::string> foreign_;
    std::uint64_t foreign_count_ = 0;
    std::uint64_t damaged_count_ = 0;

    mutable std::mutex mutex_;
    std::condition_variable settled_;
    std::map<Sha256, Blob> blobs_;
    // Whose files are being made or removed, outside the mutex.
    std::set<Sha256> busy_;
    // Removed, but their files are there yet.
    std::map<Sha256, Blob> leftovers_;
    std::list<std::shared_ptr<OpenBlobChunks>> open_;  // the last used first
};

}  // namespace entrepot

#pragma once

#include "core/completion.hpp"
#include "drivers/filesystem/blob_cache.hpp"
#include "drivers/filesystem/blob_tree.hpp"
#include "drivers/filesystem/journal.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace entrepot {

// Stores blobs of at most BlobCache::small bytes: through the journal where there is one, else each with syncs of its
// own. Safe from any thread.
class SmallBlobs {
public:
    // Replays the journals that are found. A store without the room for a journal works without one.
    SmallBlobs(
        BlobTree& tree,
        BlobCache& cache,
        asio::thread_pool& working,
        asio::thread_pool& syncing,
        std::size_t journal_bytes
    );
    ~SmallBlobs();
    SmallBlobs(const SmallBlobs&) = delete;
    SmallBlobs& operator=(const SmallBlobs&) = delete;

    // Durable and visible, and in the cache. storage_full, unavailable.
    Task<> put(Digest digest, std::string bytes);
    // Requires that the pools were joined.
    void stop();

    const std::vector<StoredBlob>& restored() const noexcept { return restored_; }

private:
    struct Put;
    void write_file(std::unique_ptr<Put> put);
    void publish(std::unique_ptr<Put> put, Result<Journal::Hold> synced);

    BlobTree& tree_;
    BlobCache& cache_;
    asio::thread_pool& working_;
    asio::thread_pool& syncing_;
    std::vector<StoredBlob> restored_;  // by the replays
    std::unique_ptr<Journal> journal_;
};

// One file of its own, its data and its name synced. Blocks.
Result<> write_durably(BlobTree& tree, const Digest& digest, std::string_view bytes);

}  // namespace entrepot

#pragma once

#include "core/asio.hpp"
#include "drivers/filesystem/blob_cache.hpp"
#include "drivers/filesystem/blob_tree.hpp"
#include "ports/blob_inventory.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstdint>

namespace entrepot {

// The files of a store as a list, and one by one against their names. A list keeps no more of a directory in memory
// than two pages. Everything blocking runs on `pool`. What it is made of outlives it and its checks.
class FilesystemInventory final : public BlobInventory {
public:
    // `removals`: counted by everybody who takes a blob's name away, for who fills the cache at the same time.
    FilesystemInventory(BlobTree& tree, BlobCache& cache, std::atomic<std::uint64_t>& removals, asio::thread_pool& pool)
        : tree_{tree}, cache_{cache}, removals_{removals}, pool_{pool}
    {
    }

    Task<std::vector<ListedBlob>> list(std::string after, std::size_t limit) override;
    Task<std::unique_ptr<BlobCheck>> check(Digest digest) override;
    Task<std::vector<ListedUpload>> list_uploads(std::string after, std::size_t limit) override;
    Task<bool> discard_stray(ListedUpload upload) override;

private:
    class Check;

    BlobTree& tree_;
    BlobCache& cache_;
    std::atomic<std::uint64_t>& removals_;
    asio::thread_pool& pool_;
};

}  // namespace entrepot

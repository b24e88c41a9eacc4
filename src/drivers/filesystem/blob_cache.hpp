#pragma once

#include "oci/digest.hpp"
#include "ports/blob_store.hpp"

#include <array>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace entrepot {

// What was used last: small blobs as bytes, larger ones as open files, each bounded by itself. A digest names the same
// bytes for ever, so nothing here grows stale but files that were taken away. Safe from any thread; a lock is held for
// one look-up in one shard.
class BlobCache {
public:
    // Larger blobs are not kept in memory.
    static constexpr std::size_t small = 64 * 1024;

    BlobCache(std::size_t bytes, std::size_t files) : bytes_{bytes}, files_{files} {}

    std::optional<BlobContent> find(const Digest& digest);
    void keep(const Digest& digest, const BlobContent& content);
    void forget(const Digest& digest);

private:
    static constexpr std::size_t shards = 16;
    // What an entry costs besides its bytes: two nodes, the digest twice, the control block.
    static constexpr std::size_t overhead = 512;

    struct Shard {
        using Order = std::list<std::pair<Digest, BlobContent>>;
        std::mutex mutex;
        Order order;  // the last used first
        std::unordered_map<Digest, Order::iterator> places;
        std::size_t cost = 0;
    };

    struct Kind {
        explicit Kind(std::size_t all) : most{(all + shards - 1) / shards} {}
        std::array<Shard, shards> parts;
        std::size_t most;
    };

    static std::size_t cost_of(const BlobContent& content);
    static Shard& shard_of(Kind& kind, const Digest& digest);
    static std::optional<BlobContent> find_in(Kind& kind, const Digest& digest);
    static void forget_in(Kind& kind, const Digest& digest);

    Kind bytes_;
    Kind files_;
};

}  // namespace entrepot

#pragma once

#include "core/address.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace entrepot::http {

// Counts connections, in all and by client, and says when there are too many. An IPv6 client is its /64: it owns all
// addresses in there. Grows with the number of clients connected at once. Safe from any thread.
class Admission {
public:
    Admission(std::size_t connections, std::size_t per_client) noexcept : most_{connections}, per_client_{per_client} {}

    // True when the connection may stay; then leave() must follow when it ends.
    bool enter(const Address& client);
    void leave(const Address& client) noexcept;
    std::size_t open() const noexcept { return open_.load(std::memory_order_relaxed); }

private:
    struct Shard {
        std::mutex mutex;
        std::unordered_map<std::uint64_t, std::size_t> counts;
    };

    static std::uint64_t key_of(const Address& client) noexcept;
    Shard& shard_of(std::uint64_t key) noexcept;

    std::size_t most_;
    std::size_t per_client_;
    std::atomic<std::size_t> open_{0};
    std::array<Shard, 16> shards_;
};

}  // namespace entrepot::http

#pragma once

#include "access/identity.hpp"
#include "core/clock.hpp"

#include <array>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace entrepot {

// Tokens that have been verified, so that the hot path pays for no signature: a lookup is a short hash and one
// comparison of the whole token. Bounded by count and bytes; what was not used for longest goes first, roughly. Safe
// from any thread.
class TokenMemory {
public:
    TokenMemory(std::size_t capacity, std::size_t bytes);

    std::optional<Caller> find(std::string_view token, Micros now) noexcept;
    void remember(std::string token, Caller caller, Micros until);
    std::size_t size() const;

private:
    // Only verified tokens are kept, and nobody chooses the end of their signatures: hashing that end is enough.
    struct TailHash {
        std::size_t operator()(std::string_view token) const noexcept;
    };
    struct Entry {
        std::string token;
        Caller caller;
        Micros until = 0;
        bool used = false;
    };
    struct alignas(64) Shard {
        mutable std::mutex mutex;
        std::list<Entry> entries;  // oldest first
        std::unordered_map<std::string_view, std::list<Entry>::iterator, TailHash> index;
        std::size_t bytes = 0;
    };
    static constexpr std::size_t shard_count = 16;

    Shard& shard_of(std::string_view token) noexcept;
    static void erase(Shard& shard, std::list<Entry>::iterator entry);
    void make_room(Shard& shard);

    std::size_t capacity_;  // of one shard
    std::size_t bytes_;     // of one shard
    std::array<Shard, shard_count> shards_;
};

}  // namespace entrepot

#include "http/admission.hpp"

#include <cstring>

namespace entrepot::http {

bool Admission::enter(const Address& client)
{
    if (open_.fetch_add(1, std::memory_order_relaxed) >= most_) {
        open_.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }
    const auto key = key_of(client);
    auto& shard = shard_of(key);
    const std::lock_guard lock{shard.mutex};
    auto& count = shard.counts[key];
    if (count >= per_client_) {
        if (count == 0) shard.counts.erase(key);
        open_.fetch_sub(1, std::memory_order_relaxed);
        return false;
    }
    ++count;
    return true;
}

void Admission::leave(const Address& client) noexcept
{
    const auto key = key_of(client);
    auto& shard = shard_of(key);
    {
        const std::lock_guard lock{shard.mutex};
        if (const auto found = shard.counts.find(key); found != shard.counts.end() && --found->second == 0) {
            shard.counts.erase(found);
        }
    }
    open_.fetch_sub(1, std::memory_order_relaxed);
}

// The address of an IPv4 client under a prefix that no IPv6 client has; the first 64 bits of an IPv6 address.
std::uint64_t Admission::key_of(const Address& client) noexcept
{
    std::uint64_t key = 0;
    std::memcpy(&key, client.bytes().data() + (client.is_v4() ? 8 : 0), sizeof key);
    return key;
}

Admission::Shard& Admission::shard_of(std::uint64_t key) noexcept
{
    return shards_[(key * 0x9e37'79b9'7f4a'7c15ULL) >> 60];
}

}  // namespace entrepot::http

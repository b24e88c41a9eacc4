#include "api/token/token_memory.hpp"

#include <cstring>

namespace entrepot {
namespace {

// What an entry takes besides the token itself: nodes, pointers, an identity and some scopes.
constexpr std::size_t overhead = 512;

}  // namespace

std::size_t TokenMemory::TailHash::operator()(std::string_view token) const noexcept
{
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    if (token.size() >= 2 * sizeof low) {
        std::memcpy(&low, token.data() + token.size() - sizeof low, sizeof low);
        std::memcpy(&high, token.data() + token.size() - 2 * sizeof low, sizeof high);
    }
    auto mixed = (low ^ (high * 0x9E3779B97F4A7C15U)) * 0xD6E8FEB86659FD93U;
    return static_cast<std::size_t>(mixed ^ (mixed >> 32U));
}

TokenMemory::TokenMemory(std::size_t capacity, std::size_t bytes)
    : capacity_{capacity / shard_count}, bytes_{bytes / shard_count}
{
}

std::optional<Caller> TokenMemory::find(std::string_view token, Micros now) noexcept
{
    auto& shard = shard_of(token);
    const std::lock_guard lock{shard.mutex};
    const auto found = shard.index.find(token);
    if (found == shard.index.end()) return std::nullopt;
    auto& entry = *found->second;
    if (entry.until <= now) {
        erase(shard, found->second);
        return std::nullopt;
    }
    entry.used = true;
    return entry.caller;
}

void TokenMemory::remember(std::string token, Caller caller, Micros until)
{
    auto& shard = shard_of(token);
    const std::lock_guard lock{shard.mutex};
    if (const auto found = shard.index.find(token); found != shard.index.end()) erase(shard, found->second);
    shard.bytes += token.size() + overhead;
    shard.entries.push_back({std::move(token), std::move(caller), until});
    shard.index.emplace(shard.entries.back().token, std::prev(shard.entries.end()));
    make_room(shard);
}

std::size_t TokenMemory::size() const
{
    std::size_t count = 0;
    for (const auto& shard : shards_) {
        const std::lock_guard lock{shard.mutex};
        count += shard.entries.size();
    }
    return count;
}

TokenMemory::Shard& TokenMemory::shard_of(std::string_view token) noexcept
{
    return shards_[(TailHash{}(token) >> 24U) % shard_count];
}

void TokenMemory::erase(Shard& shard, std::list<Entry>::iterator entry)
{
    shard.bytes -= entry->token.size() + overhead;
    shard.index.erase(entry->token);
    shard.entries.erase(entry);
}

// Second chance: an entry that was used since it was last looked at goes to the end of the queue once.
void TokenMemory::make_room(Shard& shard)
{
    while (!shard.entries.empty() && (shard.entries.size() > capacity_ || shard.bytes > bytes_)) {
        const auto oldest = shard.entries.begin();
        if (!oldest->used) {
            erase(shard, oldest);
            continue;
        }
        oldest->used = false;
        shard.entries.splice(shard.entries.end(), shard.entries, oldest);
    }
}

}  // namespace entrepot

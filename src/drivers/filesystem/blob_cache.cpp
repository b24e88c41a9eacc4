#include "drivers/filesystem/blob_cache.hpp"

namespace entrepot {

std::size_t BlobCache::cost_of(const BlobContent& content)
{
    return content.bytes ? content.bytes->size() + overhead : 1;
}

BlobCache::Shard& BlobCache::shard_of(Kind& kind, const Digest& digest)
{
    // The first hexadecimal digits are as random as any.
    const auto hex = digest.hex();
    return kind.parts[static_cast<std::size_t>(hex[0] * 7 + hex[1]) % shards];
}

std::optional<BlobContent> BlobCache::find_in(Kind& kind, const Digest& digest)
{
    auto& shard = shard_of(kind, digest);
    const std::lock_guard guard{shard.mutex};
    const auto place = shard.places.find(digest);
    if (place == shard.places.end()) return std::nullopt;
    shard.order.splice(shard.order.begin(), shard.order, place->second);
    return place->second->second;
}

std::optional<BlobContent> BlobCache::find(const Digest& digest)
{
    if (auto content = find_in(bytes_, digest)) return content;
    return find_in(files_, digest);
}

void BlobCache::keep(const Digest& digest, const BlobContent& content)
{
    auto& kind = content.bytes ? bytes_ : files_;
    const auto cost = cost_of(content);
    if (cost > kind.most) return;
    // What has to leave is destroyed after the lock: closing a file or freeing memory takes its time.
    Shard::Order leaving;
    auto& shard = shard_of(kind, digest);
    const std::lock_guard guard{shard.mutex};
    if (const auto place = shard.places.find(digest); place != shard.places.end()) {
        shard.order.splice(shard.order.begin(), shard.order, place->second);
        return;
    }
    shard.order.emplace_front(digest, content);
    shard.places.emplace(digest, shard.order.begin());
    shard.cost += cost;
    while (shard.cost > kind.most) {
        auto& last = shard.order.back();
        shard.cost -= cost_of(last.second);
        shard.places.erase(last.first);
        leaving.splice(leaving.begin(), shard.order, std::prev(shard.order.end()));
    }
}

void BlobCache::forget_in(Kind& kind, const Digest& digest)
{
    Shard::Order leaving;
    auto& shard = shard_of(kind, digest);
    const std::lock_guard guard{shard.mutex};
    const auto place = shard.places.find(digest);
    if (place == shard.places.end()) return;
    shard.cost -= cost_of(place->second->second);
    leaving.splice(leaving.begin(), shard.order, place->second);
    shard.places.erase(place);
}

void BlobCache::forget(const Digest& digest)
{
    forget_in(bytes_, digest);
    forget_in(files_, digest);
}

}  // namespace entrepot

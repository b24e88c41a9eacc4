#include "drivers/sql/exact_cache.hpp"

#include <functional>
#include <iterator>

namespace entrepot {

namespace {

constexpr std::size_t entry_overhead = 200;  // list node, index node and the entry itself, roughly
constexpr std::size_t second_chances = 8;    // how many entries one insertion may spare

std::size_t hash_of(std::string_view text) noexcept
{
    return std::hash<std::string_view>{}(text);
}

std::size_t mix(std::size_t seed, std::size_t value) noexcept
{
    return (seed ^ (value + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2))) * 0xff51afd7ed558ccdULL;
}

}  // namespace

ExactCache::Key::Key(Kind kind, std::string_view repository, std::string_view item, std::int64_t number) noexcept
    : kind_{kind},
      repository_{repository},
      item_{item},
      number_{number},
      repository_hash_{hash_of(repository)},
      hash_{mix(
          mix(repository_hash_, hash_of(item)), static_cast<std::size_t>(number) * 8 + static_cast<std::size_t>(kind)
      )}
{
}

bool ExactCache::KeyEqual::operator()(const Key& key, const Entry* entry) const noexcept
{
    return key.hash_ == entry->hash && key.kind_ == entry->kind && key.number_ == entry->number &&
           key.item_ == entry->item && key.repository_ == entry->repository;
}

const std::atomic<std::uint64_t>& ExactCache::counter(const Key& key) const noexcept
{
    const bool by_tag = key.kind_ == Kind::manifest_by_tag || key.kind_ == Kind::tag_page;
    return (by_tag ? *tag_counters_ : *removal_counters_)[key.repository_hash_ % counter_count];
}

std::optional<ExactCache::Value> ExactCache::find_value(const Key& key)
{
    Shard& shard = shard_of(key);
    const std::uint64_t now = epoch(key);
    const std::lock_guard lock{shard.mutex};
    const auto found = shard.index.find(key);
    if (found == shard.index.end()) return std::nullopt;
    if (found->second->epoch != now) {
        drop(shard, found->second);
        return std::nullopt;
    }
    found->second->used = true;
    return found->second->value;
}

void ExactCache::put(const Key& key, std::uint64_t epoch, Value value, std::size_t bytes)
{
    bytes += entry_overhead + key.repository_.size() + key.item_.size();
    if (bytes > most_shard_bytes_ / 2) return;
    Shard& shard = shard_of(key);
    const std::lock_guard lock{shard.mutex};
    if (const auto found = shard.index.find(key); found != shard.index.end()) drop(shard, found->second);
    shard.entries.push_front(Entry{
        key.kind_,
        std::string{key.repository_},
        std::string{key.item_},
        key.number_,
        key.hash_,
        epoch,
        std::move(value),
        bytes
    });
    shard.index.emplace(&shard.entries.front(), shard.entries.begin());
    shard.bytes += bytes;
    make_room(shard);
}

void ExactCache::tags_changed(std::string_view repository) noexcept
{
    (*tag_counters_)[hash_of(repository) % counter_count].fetch_add(1, std::memory_order_acq_rel);
}

void ExactCache::contents_removed(std::string_view repository) noexcept
{
    (*removal_counters_)[hash_of(repository) % counter_count].fetch_add(1, std::memory_order_acq_rel);
    tags_changed(repository);
}

std::size_t ExactCache::bytes() const
{
    std::size_t sum = 0;
    for (const Shard& shard : shards_) {
        const std::lock_guard lock{shard.mutex};
        sum += shard.bytes;
    }
    return sum;
}

void ExactCache::drop(Shard& shard, Entries::iterator entry)
{
    shard.bytes -= entry->bytes;
    shard.index.erase(&*entry);
    shard.entries.erase(entry);
}

void ExactCache::make_room(Shard& shard)
{
    std::size_t spared = 0;
    while (shard.bytes > most_shard_bytes_) {
        const auto oldest = std::prev(shard.entries.end());
        if (oldest->used && spared++ < second_chances) {
            oldest->used = false;
            shard.entries.splice(shard.entries.begin(), shard.entries, oldest);
        } else {
            drop(shard, oldest);
        }
    }
}

}  // namespace entrepot

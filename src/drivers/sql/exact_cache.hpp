#pragma once

#include "ports/manifest_catalog.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace entrepot {

// Answers of the catalog that are exact at the moment they are given, for an engine whose every write passes through
// this process. Two arrays of counters, indexed by a hash of the repository's name, say how often its tags changed and
// how often something was removed from it. An entry remembers the count from before its database read began and is
// valid while that count stands; a write raises the count after COMMIT and before its caller is answered. Two
// repositories that share a counter merely cool each other's entries. Safe from any thread; bounded in bytes.
class ExactCache {
public:
    enum class Kind : std::uint8_t { manifest_by_tag, manifest_by_digest, tag_page, blob_size, used_blob_size };
    using Value = std::variant<ManifestPtr, NamePagePtr, std::uint64_t>;

    // Borrows its texts. `item` is a tag, a digest, or a page's last name; `number` a page's limit.
    class Key {
    public:
        Key(Kind kind, std::string_view repository, std::string_view item, std::int64_t number = 0) noexcept;

    private:
        friend class ExactCache;
        Kind kind_;
        std::string_view repository_;
        std::string_view item_;
        std::int64_t number_;
        std::size_t repository_hash_;
        std::size_t hash_;
    };

    explicit ExactCache(std::size_t most_bytes) : most_shard_bytes_{most_bytes / shard_count} {}

    template <class T>
    std::optional<T> find(const Key& key)
    {
        auto value = find_value(key);
        if (!value) return std::nullopt;
        return std::get<T>(std::move(*value));
    }

    // To be asked before the database is.
    std::uint64_t epoch(const Key& key) const noexcept { return counter(key).load(std::memory_order_acquire); }
    // `bytes` is what the value weighs besides its key.
    void put(const Key& key, std::uint64_t epoch, Value value, std::size_t bytes);

    void tags_changed(std::string_view repository) noexcept;
    // Also for a manifest whose media type changed.
    void contents_removed(std::string_view repository) noexcept;

    std::size_t bytes() const;

private:
    static constexpr std::size_t shard_count = 16;
    static constexpr std::size_t counter_count = 65536;
    using Counters = std::array<std::atomic<std::uint64_t>, counter_count>;

    struct Entry {
        Kind kind;
        std::string repository;
        std::string item;
        std::int64_t number;
        std::size_t hash;
        std::uint64_t epoch;
        Value value;
        std::size_t bytes;
        bool used = false;
    };
    using Entries = std::list<Entry>;
    struct KeyHash {
        using is_transparent = void;
        std::size_t operator()(const Key& key) const noexcept { return key.hash_; }
        std::size_t operator()(const Entry* entry) const noexcept { return entry->hash; }
    };
    struct KeyEqual {
        using is_transparent = void;
        bool operator()(const Entry* left, const Entry* right) const noexcept { return left == right; }
        bool operator()(const Key& key, const Entry* entry) const noexcept;
        bool operator()(const Entry* entry, const Key& key) const noexcept { return (*this)(key, entry); }
    };
    struct Shard {
        mutable std::mutex mutex;
        Entries entries;  // new ones in front
        std::unordered_map<const Entry*, Entries::iterator, KeyHash, KeyEqual> index;
        std::size_t bytes = 0;
    };

    std::optional<Value> find_value(const Key& key);
    const std::atomic<std::uint64_t>& counter(const Key& key) const noexcept;
    Shard& shard_of(const Key& key) noexcept { return shards_[(key.hash_ >> 40) % shard_count]; }
    static void drop(Shard& shard, Entries::iterator entry);
    void make_room(Shard& shard);

    const std::size_t most_shard_bytes_;
    std::unique_ptr<Counters> tag_counters_ = std::make_unique<Counters>();
    std::unique_ptr<Counters> removal_counters_ = std::make_unique<Counters>();
    std::array<Shard, shard_count> shards_;
};

}  // namespace entrepot

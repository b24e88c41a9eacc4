#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace entrepot {

// A map of texts that holds the `capacity` entries that were changed last. One thread at a time.
template <class Value>
class RecentKeys {
public:
    explicit RecentKeys(std::size_t capacity) : capacity_{capacity} {}

    // Null when it is not there.
    const Value* find(std::string_view key) const noexcept
    {
        const auto found = index_.find(key);
        return found == index_.end() ? nullptr : &found->second->second;
    }

    // The entry, made where it is missing, as the one that was changed last.
    Value& touch(std::string_view key)
    {
        if (const auto found = index_.find(key); found != index_.end()) {
            entries_.splice(entries_.end(), entries_, found->second);
            return entries_.back().second;
        }
        entries_.emplace_back(std::string{key}, Value{});
        index_.emplace(entries_.back().first, std::prev(entries_.end()));
        if (entries_.size() > capacity_) erase(entries_.begin());
        return entries_.back().second;
    }

    void remove(std::string_view key)
    {
        if (const auto found = index_.find(key); found != index_.end()) erase(found->second);
    }

private:
    using Entries = std::list<std::pair<std::string, Value>>;  // changed longest ago first

    void erase(typename Entries::iterator entry)
    {
        index_.erase(entry->first);
        entries_.erase(entry);
    }

    std::size_t capacity_;
    Entries entries_;
    std::unordered_map<std::string_view, typename Entries::iterator> index_;
};

}  // namespace entrepot

#pragma once

#include "core/clock.hpp"
#include "oci/names.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace entrepot {

// What this instance knows of tags at upstreams: when they were looked at, and for a while those that are not there.
// Holds 100,000 at most, then begins anew. Safe from any thread.
class TagBook {
public:
    struct Entry {
        Micros checked_at = 0;
        bool missing = false;
    };

    std::optional<Entry> find(const RepositoryName& repository, std::string_view reference) const
    {
        const std::lock_guard guard{mutex_};
        const auto place = entries_.find(key(repository, reference));
        return place == entries_.end() ? std::nullopt : std::optional{place->second};
    }
    void note(const RepositoryName& repository, std::string_view reference, Entry entry)
    {
        const std::lock_guard guard{mutex_};
        if (entries_.size() >= most) entries_.clear();
        entries_.insert_or_assign(key(repository, reference), entry);
    }

private:
    static constexpr std::size_t most = 100'000;
    static std::string key(const RepositoryName& repository, std::string_view reference)
    {
        return repository.text() + ":" + std::string{reference};
    }

    mutable std::mutex mutex_;
    std::unordered_map<std::string, Entry> entries_;
};

}  // namespace entrepot

#include "agent/pull_grants.hpp"

#include <algorithm>
#include <iterator>

namespace entrepot {

void PullGrants::erase(Entries::iterator entry)
{
    const auto [first, last] = by_key_.equal_range(entry->key);
    for (auto place = first; place != last; ++place) {
        if (place->second != entry) continue;
        by_key_.erase(place);
        break;
    }
    entries_.erase(entry);
}

template <class Matches>
void PullGrants::erase_if(Matches matches)
{
    const std::lock_guard guard{mutex_};
    for (auto entry = entries_.begin(); entry != entries_.end();) {
        const auto next = std::next(entry);
        if (matches(*entry)) erase(entry);
        entry = next;
    }
}

void PullGrants::grant(const Puller& puller, const RepositoryName& repository, ServedImagePtr image)
{
    const auto now = clock_.now();
    const auto ends = std::min(now + longest, puller.ends().value_or(now + longest));
    if (ends <= now) return;
    Key key{puller.key(), repository.text()};
    const std::lock_guard guard{mutex_};
    const auto [first, last] = by_key_.equal_range(key);
    const auto same = std::find_if(first, last, [&](const auto& each) { return each.second->image == image; });
    if (same != last) erase(same->second);
    entries_.push_front({.key = key, .image = std::move(image), .ends = ends});
    by_key_.emplace(std::move(key), entries_.begin());
    while (entries_.size() > most_) erase(std::prev(entries_.end()));
}

ServedImagePtr PullGrants::find(const Puller& puller, const RepositoryName& repository, const Sha256& blob)
{
    const auto now = clock_.now();
    const std::lock_guard guard{mutex_};
    const auto [first, last] = by_key_.equal_range(Key{puller.key(), repository.text()});
    for (auto place = first; place != last; ++place) {
        const auto entry = place->second;
        if (entry->ends <= now || !entry->image->image().descriptor().find(blob)) continue;
        entries_.splice(entries_.begin(), entries_, entry);
        return entry->image;
    }
    return nullptr;
}

void PullGrants::revoke(const SwarmId& image)
{
    erase_if([&](const Entry& entry) { return entry.image->swarm() == image; });
}

void PullGrants::sweep()
{
    erase_if([now = clock_.now()](const Entry& entry) { return entry.ends <= now; });
}

std::size_t PullGrants::size() const
{
    const std::lock_guard guard{mutex_};
    return entries_.size();
}

}  // namespace entrepot

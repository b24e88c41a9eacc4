#include "events/feed/pull_events.hpp"

#include <utility>

namespace entrepot {

Event PullEvents::event_of(const GatheredPull& pull) const
{
    Event event;
    event.type = event_type::artifact_pulled;
    event.repository = pull.repository;
    event.project = pull.repository.substr(0, pull.repository.find('/'));
    if (const auto project = policy_.project(event.project)) {
        event.project_id = project->id;
        event.tenant_id = project->tenant_id;
    }
    event.digest = pull.digest;
    event.tag = pull.tag;
    event.media_type = pull.media_type;
    event.size = pull.size;
    event.user_id = pull.caller->user_id;
    event.user = pull.caller->name;
    event.at = pull.last;
    event.count = pull.count;
    return event;
}

void PullEvents::add(const std::vector<GatheredPull>& pulls)
{
    const std::scoped_lock lock{mutex_};
    for (const auto& pull : pulls) {
        Key key{pull.manifest_id, pull.caller->user_id, pull.tag};
        const auto found = waiting_.find(key);
        if (found != waiting_.end()) {
            found->second.count += pull.count;
            found->second.at = pull.last;
        } else if (waiting_.size() < most_waiting) {
            waiting_.emplace(std::move(key), event_of(pull));
        } else {
            dropped_.fetch_add(static_cast<std::uint64_t>(pull.count), std::memory_order_relaxed);
        }
    }
}

Task<> PullEvents::flush()
{
    std::vector<Event> events;
    std::uint64_t pulls = 0;
    {
        const std::scoped_lock lock{mutex_};
        for (auto& [key, event] : std::exchange(waiting_, {})) {
            pulls += static_cast<std::uint64_t>(event.count);
            events.push_back(std::move(event));
        }
    }
    if (events.empty()) co_return Result<>{};
    auto written = co_await log_.add(std::move(events));
    if (!written) dropped_.fetch_add(pulls, std::memory_order_relaxed);
    co_return written;
}

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "core/task.hpp"
#include "events/audit/gathered_pulls.hpp"
#include "ports/event_log.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace entrepot {

// Turns gathered pulls into events: one for each artifact, tag and caller between two flushes, with a count; at most
// `most_waiting`, beyond which pulls are dropped and counted. Safe from any thread.
class PullEvents {
public:
    static constexpr std::size_t most_waiting = 4'096;

    PullEvents(EventLog& log, const AccessPolicy& policy) : log_{log}, policy_{policy} {}

    void add(const std::vector<GatheredPull>& pulls);
    // Writes what was added; what can't be written is dropped, and counted as dropped.
    Task<> flush();

    std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

private:
    using Key = std::tuple<std::int64_t, std::int64_t, std::string>;  // manifest, user, tag
    Event event_of(const GatheredPull& pull) const;

    EventLog& log_;
    const AccessPolicy& policy_;
    std::mutex mutex_;
    std::map<Key, Event> waiting_;
    std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace entrepot

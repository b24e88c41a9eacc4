#pragma once

#include "access/policy.hpp"
#include "app/audit_parts.hpp"
#include "app/background.hpp"
#include "app/config.hpp"
#include "core/metrics.hpp"
#include "events/feed/event_feed.hpp"
#include "events/feed/pull_events.hpp"

#include <vector>

namespace entrepot {

// The log of events as this instance follows it.
class EventParts {
public:
    EventParts(const Config& config, EventLog& log, const AccessPolicy& policy, AuditParts& audit, const Clock& clock);

    EventFeed& feed() noexcept { return feed_; }
    std::vector<Background::Chore> chores();
    void add_metrics(MetricsText& text) const;
    // Before the metadata store stops: writes what was gathered. Blocks.
    void stop();

    // The chore that is to be hurried when something has happened.
    static constexpr const char* following = "events";

private:
    Task<> remove_old();

    const Config& config_;
    EventLog& log_;
    const Clock& clock_;
    EventTail tail_;
    EventFeed feed_;
    PullEvents pulls_;
};

}  // namespace entrepot

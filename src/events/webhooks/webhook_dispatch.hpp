#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "events/feed/event_tail.hpp"
#include "ports/event_cursor.hpp"
#include "ports/webhook_catalog.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace entrepot {

// Turns events into deliveries: follows the log behind EventTail, and hands each event that a policy asks for to the
// job queue with the move of its EventCursor. run() is called by one at a time, after EventTail::follow().
class WebhookDispatch {
public:
    static constexpr const char* consumer = "webhooks";

    struct Parts {
        EventLog& log;
        EventTail& tail;
        WebhookCatalog& catalog;
        const Clock& clock;
    };
    explicit WebhookDispatch(const Parts& parts) : parts_{parts}, cursor_{parts.log, parts.clock, consumer} {}

    Task<> run();

    std::uint64_t dispatched() const noexcept { return dispatched_.load(std::memory_order_relaxed); }
    // Events that are not handed over yet.
    std::int64_t behind() const noexcept;

private:
    struct Matches {
        std::vector<NewJob> jobs;
        std::vector<WebhookTrigger> triggers;
    };
    Task<> take_policies();
    Matches match(const std::vector<EventPtr>& events) const;
    std::vector<const WebhookPolicy*> policies_about(const Event& event) const;
    Task<> hand_over(std::int64_t to, Matches matches);

    Parts parts_;
    EventCursor cursor_;
    std::unordered_map<std::int64_t, std::vector<WebhookPolicy>> policies_;  // by project
    bool policies_known_ = false;
    std::atomic<std::uint64_t> dispatched_{0};
};

}  // namespace entrepot

#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/event_cursor.hpp"
#include "ports/promotion_catalog.hpp"

#include <atomic>
#include <cstdint>
#include <vector>

namespace entrepot {

// Turns tags that come or move into waiting promotions by the policies that act by themselves, and has those looked at
// again whose artifacts changed, with the move of its EventCursor. run() is called by one at a time, whenever something
// may have happened.
class PromotionDispatch {
public:
    static constexpr const char* consumer = "promotion";

    struct Parts {
        EventLog& log;
        PromotionCatalog& catalog;
        const Clock& clock;
    };
    explicit PromotionDispatch(const Parts& parts) : parts_{parts}, cursor_{parts.log, parts.clock, consumer} {}

    Task<> run();

    std::uint64_t started() const noexcept { return started_.load(std::memory_order_relaxed); }

    // What the event asks for by these policies.
    static std::vector<PromotionStart> starts_of(const Event& event, const std::vector<PromotionPolicy>& policies);
    // What it may have changed for promotions that wait.
    static std::vector<PromotionTouch> touched_by(const Event& event);

private:
    Task<> hand_over(std::int64_t to, std::vector<Event> events, const std::vector<PromotionPolicy>& policies);

    Parts parts_;
    EventCursor cursor_;
    std::atomic<std::uint64_t> started_{0};
};

}  // namespace entrepot

#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/event_log.hpp"
#include "ports/promotion_catalog.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace entrepot {

// Turns tags that come or move into waiting promotions by the policies that act by themselves, and has those looked at
// again whose artifacts changed, in the transaction that moves the cursor of "promotion": of several instances one does
// it, once. run() is called by one at a time, whenever something may have happened.
class PromotionDispatch {
public:
    static constexpr const char* consumer = "promotion";

    struct Parts {
        EventLog& log;
        PromotionCatalog& catalog;
        const Clock& clock;
    };
    explicit PromotionDispatch(const Parts& parts) : parts_{parts} {}

    Task<> run();

    std::uint64_t started() const noexcept { return started_.load(std::memory_order_relaxed); }

    // What the event asks for by these policies.
    static std::vector<PromotionStart> starts_of(const Event& event, const std::vector<PromotionPolicy>& policies);
    // What it may have changed for promotions that wait.
    static std::vector<PromotionTouch> touched_by(const Event& event);

private:
    Task<> hand_over(std::int64_t to, std::vector<PromotionStart> starts, std::vector<PromotionTouch> touched);

    Parts parts_;
    std::int64_t written_ = -1;  // the cursor in the log; -1: unknown
    std::int64_t read_ = -1;
    std::chrono::steady_clock::time_point written_at_{};
    std::atomic<std::uint64_t> started_{0};
};

}  // namespace entrepot

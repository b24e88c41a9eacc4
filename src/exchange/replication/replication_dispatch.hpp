#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "exchange/replication/replication_event.hpp"
#include "ports/event_cursor.hpp"
#include "ports/replication_catalog.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

namespace entrepot {

// Turns what happens here into executions of the policies that are triggered by events, one for each event and policy,
// with the move of its EventCursor. run() is called by one at a time, whenever something may have happened.
//
// What was there already and is pushed once more triggers nothing, so two registries that replicate into each other
// come to rest. What replication brought from a registry does not go back there.
class ReplicationDispatch {
public:
    static constexpr const char* consumer = "replication";

    struct Parts {
        EventLog& log;
        ReplicationCatalog& catalog;
        const Clock& clock;
    };
    explicit ReplicationDispatch(const Parts& parts) : parts_{parts}, cursor_{parts.log, parts.clock, consumer} {}

    Task<> run();

    std::uint64_t dispatched() const noexcept { return dispatched_.load(std::memory_order_relaxed); }

    // What the event asks for, whatever the policy; nullopt: nothing.
    static std::optional<ReplicationEvent> change_in(const Event& event);
    // The part of it that is of the policy's concern.
    static std::optional<ReplicationEvent>
    concern_of(const ReplicationPolicy& policy, const Event& event, const ReplicationEvent& change);

private:
    Task<> hand_over(std::int64_t to, std::vector<NewJob> jobs);
    std::vector<NewJob> match(const std::vector<Event>& events, const std::vector<ReplicationPolicy>& policies) const;

    Parts parts_;
    EventCursor cursor_;
    std::atomic<std::uint64_t> dispatched_{0};
};

}  // namespace entrepot

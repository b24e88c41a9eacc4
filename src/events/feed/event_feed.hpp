#pragma once

#include "events/feed/event_filter.hpp"
#include "events/feed/event_tail.hpp"

namespace entrepot {

// A part of the log as somebody may see it. `next` is where the next one goes on: also events that the filter left out
// or that are hidden from the caller are behind it then.
struct EventPage {
    std::vector<EventPtr> events;
    std::int64_t next = 0;
};

// The log, to be read again from any place in it. Safe from any thread.
class EventFeed {
public:
    EventFeed(EventLog& log, EventTail& tail) : log_{log}, tail_{tail} {}

    // Looks at some thousand events at most, so a page may hold fewer than `limit`, or none, before the end is reached:
    // that is when `next` stays what `after` was. gone: some after `after` are not kept any more (0 is the beginning,
    // wherever that is).
    Task<EventPage> read(EventViewer viewer, EventFilter filter, std::int64_t after, std::size_t limit);

    EventTail& tail() noexcept { return tail_; }

private:
    Task<std::vector<EventPtr>> some_after(std::int64_t after);

    EventLog& log_;
    EventTail& tail_;
};

}  // namespace entrepot

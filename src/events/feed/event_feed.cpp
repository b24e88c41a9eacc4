#include "events/feed/event_feed.hpp"

namespace entrepot {
namespace {

constexpr std::size_t read_at_once = 1'000;
constexpr int most_reads = 5;

}  // namespace

// What was acknowledged before somebody asks is in the answer, so at the tail's end the log itself is asked.
Task<std::vector<EventPtr>> EventFeed::some_after(std::int64_t after)
{
    CO_TRY(auto events, co_await tail_.read(after, read_at_once));
    if (!events.empty()) co_return events;
    CO_CHECK(co_await log_.settle());
    CO_TRY(auto newer, co_await log_.read(after, static_cast<std::int64_t>(read_at_once)));
    for (auto& event : newer) events.push_back(std::make_shared<const Event>(std::move(event)));
    co_return events;
}

Task<EventPage> EventFeed::read(EventViewer viewer, EventFilter filter, std::int64_t after, std::size_t limit)
{
    EventPage page{.events = {}, .next = after};
    for (int i = 0; i < most_reads && page.events.size() < limit; ++i) {
        CO_TRY(const auto events, co_await some_after(page.next));
        if (events.empty()) break;
        if (page.next > 0 && events.front()->sequence != page.next + 1) {
            const auto oldest = std::to_string(events.front()->sequence);
            co_return fail(Errc::gone, "events after this one are not kept any more; the oldest is " + oldest);
        }
        for (const auto& event : events) {
            if (page.events.size() == limit) break;
            page.next = event->sequence;
            if (filter.admits(*event) && viewer.sees(*event)) page.events.push_back(event);
        }
    }
    co_return page;
}

}  // namespace entrepot

#include "app/event_parts.hpp"

#include "core/log.hpp"
#include "core/run_to_end.hpp"

namespace entrepot {

using namespace std::chrono_literals;

EventParts::EventParts(
    const Config& config, EventLog& log, const AccessPolicy& policy, AuditParts& audit, const Clock& clock
)
    : config_{config}, log_{log}, clock_{clock}, tail_{log}, feed_{log, tail_}, pulls_{log, policy}
{
    if (config.events.pulls) {
        audit.watch_pulls([this](const std::vector<GatheredPull>& pulls) { pulls_.add(pulls); });
    }
}

std::vector<Background::Chore> EventParts::chores()
{
    return {
        {.name = following, .every = 1s, .run = [this] { return tail_.follow(); }},
        {.name = "pull events", .every = 400ms, .run = [this] { return pulls_.flush(); }},
        {.name = "old events", .every = 1min, .run = [this] { return remove_old(); }},
    };
}

// A consumer that has not read an event for twice as long will not read it any more.
Task<> EventParts::remove_old()
{
    const auto keep = std::chrono::microseconds{config_.events.keep}.count();
    const auto now = clock_.now();
    while (true) {
        CO_TRY(const auto removed, co_await log_.remove(now - keep, now - 2 * keep));
        if (removed == 0) co_return Result<>{};
    }
}

void EventParts::stop()
{
    if (const auto flushed = run_to_end(pulls_.flush()); !flushed) {
        log::failure(log::Level::warning, "writing the events of pulls", flushed.error());
    }
}

void EventParts::add_metrics(MetricsText& text) const
{
    const auto range = tail_.range();
    text.gauge(
        "entrepot_events_newest", "Sequence of the newest event seen.", static_cast<std::uint64_t>(range.newest)
    );
    text.gauge(
        "entrepot_events_oldest", "Sequence of the oldest event kept.", static_cast<std::uint64_t>(range.oldest)
    );
    text.counter("entrepot_events_dropped_pulls_total", "Pulls whose event was dropped.", pulls_.dropped());
}

}  // namespace entrepot

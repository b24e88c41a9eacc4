#include "app/event_parts.hpp"

#include "app/outbound_parts.hpp"
#include "core/log.hpp"
#include "core/run_to_end.hpp"

#include <stdexcept>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<OutboundClient> outbound_of(const Config& config)
{
    auto client = OutboundClient::create(outbound_rules_of(config));
    if (!client) throw std::runtime_error{"outbound requests: " + client.error().message()};
    return *std::move(client);
}

// By which clients reach us, as far as we know.
std::string registry_of(const Config& config)
{
    const std::string_view url = config.auth.external_url;
    if (!url.empty()) return std::string{url.substr(url.find("://") + 3)};
    const auto& listener = config.listeners.front();
    const bool is_v6 = listener.address.find(':') != std::string::npos;
    return (is_v6 ? "[" + listener.address + "]" : listener.address) + ":" + std::to_string(listener.port);
}

}  // namespace

EventParts::EventParts(const Needs& needs)
    : needs_{needs},
      tail_{needs.store.events()},
      feed_{needs.store.events(), tail_},
      pulls_{needs.store.events(), needs.policy},
      secrets_{needs.master_key, needs.random},
      outbound_{outbound_of(needs.config)},
      webhooks_{
          {.catalog = needs.store.webhooks(),
           .jobs = needs.store.jobs(),
           .queue = needs.store.job_queue(),
           .outbound = *outbound_,
           .secrets = secrets_,
           .policy = needs.policy,
           .clock = needs.clock}
      },
      dispatch_{{.log = needs.store.events(), .tail = tail_, .catalog = needs.store.webhooks(), .clock = needs.clock}},
      delivery_{
          {.catalog = needs.store.webhooks(),
           .repositories = needs.store.repositories(),
           .outbound = *outbound_,
           .secrets = secrets_,
           .policy = needs.policy,
           .clock = needs.clock,
           .random = needs.random},
          {.registry = registry_of(needs.config)}
      }
{
    if (needs.config.events.pulls) {
        needs.audit.watch_pulls([this](const std::vector<GatheredPull>& pulls) { pulls_.add(pulls); });
    }
}

std::vector<Background::Chore> EventParts::chores()
{
    return {
        {.name = following, .every = 1s, .run = [this] { return follow(); }},
        {.name = "pull events", .every = 400ms, .run = [this] { return pulls_.flush(); }},
        {.name = "old events", .every = 1min, .run = [this] { return remove_old(); }},
        {.name = "webhook circuits", .every = 10s, .run = [this] { return count_circuits(); }},
    };
}

Task<> EventParts::follow()
{
    CO_CHECK(co_await tail_.follow());
    co_return co_await dispatch_.run();
}

// A consumer that has not read an event for twice as long will not read it any more.
Task<> EventParts::remove_old()
{
    const auto keep = std::chrono::microseconds{needs_.config.events.keep}.count();
    const auto now = needs_.clock.now();
    while (true) {
        CO_TRY(const auto removed, co_await needs_.store.events().remove(now - keep, now - 2 * keep));
        if (removed == 0) co_return Result<>{};
    }
}

Task<> EventParts::count_circuits()
{
    CO_TRY(const auto open, co_await needs_.store.webhooks().open_circuits(needs_.clock.now()));
    open_circuits_ = static_cast<std::uint64_t>(open);
    co_return Result<>{};
}

void EventParts::stop()
{
    if (const auto flushed = run_to_end(pulls_.flush()); !flushed) {
        log::failure(log::Level::warning, "writing the events of pulls", flushed.error());
    }
}

void EventParts::add_metrics(MetricsText& text) const
{
    const auto number = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
    const auto range = tail_.range();
    text.gauge("entrepot_events_newest", "Sequence of the newest event seen.", number(range.newest));
    text.gauge("entrepot_events_oldest", "Sequence of the oldest event kept.", number(range.oldest));
    text.gauge("entrepot_events_lag", "Events that webhooks have yet to hear of.", number(dispatch_.behind()));
    text.counter("entrepot_events_dropped_pulls_total", "Pulls whose event was dropped.", pulls_.dropped());
    text.counter("entrepot_webhook_dispatched_total", "Deliveries that events have asked for.", dispatch_.dispatched());
    const auto counters = delivery_.counters();
    const auto outcome = [&](const char* name, std::uint64_t count) {
        text.counter("entrepot_webhook_deliveries_total", "Tries to deliver, by outcome.", count, {{"outcome", name}});
    };
    outcome("delivered", counters.delivered);
    outcome("failed", counters.failed);
    outcome("put_off", counters.put_off);
    outcome("dropped", counters.dropped);
    text.gauge("entrepot_webhook_open_circuits", "Targets that are left alone for a while.", open_circuits_.load());
}

}  // namespace entrepot

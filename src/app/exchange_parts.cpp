#include "app/exchange_parts.hpp"

#include <algorithm>

namespace entrepot {

using namespace std::chrono_literals;

namespace {

// Each of them is some series in /metrics.
constexpr std::int64_t most_shown = 200;

}  // namespace

ExchangeParts::ExchangeParts(const Needs& needs)
    : needs_{needs},
      endpoints_{
          {.catalog = needs.store.endpoints(),
           .upstreams = needs.upstreams,
           .outbound = needs.outbound,
           .secrets = needs.secrets,
           .policy = needs.policy,
           .clock = needs.clock}
      },
      replications_{
          {.catalog = needs.store.replications(),
           .endpoints = needs.store.endpoints(),
           .jobs = needs.store.jobs(),
           .queue = needs.store.job_queue(),
           .timetable = needs.timetable,
           .policy = needs.policy,
           .clock = needs.clock}
      }
{
}

std::vector<Background::Chore> ExchangeParts::chores()
{
    return {
        {.name = "registry endpoints", .every = 15s, .run = [this] { return endpoints_.look_at_due(); }},
        {.name = "replication lag", .every = 10s, .run = [this] { return count(); }},
    };
}

Task<> ExchangeParts::count()
{
    CO_TRY(auto looked_at, co_await endpoints_.all(most_shown));
    ListQuery first;
    first.limit = most_shown;
    CO_TRY(auto policies, co_await needs_.store.replications().list(std::move(first)));
    CO_TRY(const auto pending, co_await needs_.store.replications().lag(std::nullopt));
    std::vector<PolicyLag> lags;
    for (auto& policy : policies.items) {
        const auto found = std::ranges::find(pending, policy.id, &ReplicationLag::policy_id);
        auto lag = found == pending.end() ? ReplicationLag{.policy_id = policy.id} : *found;
        lags.push_back({std::move(policy.name), lag});
    }
    const std::lock_guard lock{mutex_};
    looked_at_ = std::move(looked_at);
    lags_ = std::move(lags);
    co_return Result<>{};
}

void ExchangeParts::add_metrics(MetricsText& text) const
{
    const std::lock_guard lock{mutex_};
    for (const auto& endpoint : looked_at_) {
        if (endpoint.status == "unknown") continue;
        text.gauge(
            "entrepot_registry_endpoint_healthy",
            "1 while the registry elsewhere answers and lets us in.",
            endpoint.status == "healthy" ? 1 : 0,
            {{"name", endpoint.name}}
        );
    }
    const auto number = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
    for (const auto& [name, lag] : lags_) {
        const MetricsText::Labels policy{{"policy", name}};
        const auto age = lag.oldest == 0 ? 0 : std::max<Micros>(needs_.clock.now() - lag.oldest, 0);
        text.gauge(
            "entrepot_replication_lag_seconds",
            "For how long what is pending longest has been missing over there.",
            static_cast<double>(age) / 1e6,
            policy
        );
        text.gauge(
            "entrepot_replication_lag_artifacts",
            "Tags and artifacts still to be copied.",
            number(lag.artifacts),
            policy
        );
        text.gauge("entrepot_replication_lag_bytes", "Their bytes, as far as known.", number(lag.bytes), policy);
        text.gauge(
            "entrepot_replication_lag_failed", "Of them: tried in vain at least once.", number(lag.failed), policy
        );
    }
}

}  // namespace entrepot

#include "app/accounting_parts.hpp"

#include <chrono>

namespace entrepot {

using namespace std::chrono_literals;

AccountingParts::AccountingParts(
    const Config& config, MetadataStore& store, const AccessPolicy& policy, const Clock& clock
)
    : watch{store.quotas(), clock, config.quotas.warn_at},
      accounting{store.quotas(), store.usage(), clock, std::chrono::microseconds{config.quotas.keep_usage}.count()},
      reports{store.usage(), policy},
      ledger_{store.quotas()},
      clock_{clock},
      has_rivals_{config.uses_postgres()}
{
}

std::vector<Background::Chore> AccountingParts::chores()
{
    return {
        // Only instances that share a database leave something to be added up.
        {.name = "quotas", .every = has_rivals_ ? 1s : 10min, .run = [this] { return ledger_.settle(clock_.now()); }},
        {.name = "quota warnings", .every = 10s, .run = [this] { return watch.tell(); }},
        {.name = "accounting", .every = 1min, .run = [this] { return accounting.go_on(); }},
    };
}

void AccountingParts::add_metrics(MetricsText& text) const
{
    watch.add_metrics(text);
    accounting.add_metrics(text);
}

}  // namespace entrepot

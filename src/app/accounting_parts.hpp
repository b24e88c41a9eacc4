#pragma once

#include "app/background.hpp"
#include "app/config.hpp"
#include "ports/metadata_store.hpp"
#include "upkeep/accounting/accounting.hpp"
#include "upkeep/accounting/quota_watch.hpp"
#include "upkeep/accounting/usage_reports.hpp"

#include <vector>

namespace entrepot {

// What looks after quotas and what is used.
struct AccountingParts {
    AccountingParts(const Config& config, MetadataStore& store, const AccessPolicy& policy, const Clock& clock);

    QuotaWatch watch;
    Accounting accounting;
    UsageReports reports;

    std::vector<Background::Chore> chores();
    void add_metrics(MetricsText& text) const;

private:
    QuotaLedger& ledger_;
    const Clock& clock_;
    const bool has_rivals_;
};

}  // namespace entrepot

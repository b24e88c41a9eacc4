#pragma once

#include "core/clock.hpp"
#include "core/metrics.hpp"
#include "ports/quota_ledger.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Makes events of quotas that fill up and of pushes that did not fit. Refusals are gathered, so that a client which
// tries again all the time is one event in ten seconds. Safe from any loop.
class QuotaWatch {
public:
    // `levels` in percent, ascending.
    QuotaWatch(QuotaLedger& ledger, const Clock& clock, std::vector<std::int64_t> levels)
        : ledger_{ledger}, clock_{clock}, levels_{std::move(levels)}
    {
    }

    // `project` as a client named it.
    void refused(std::string_view project, std::string_view message);
    // A chore. Refusals that can't be written are kept for the next time.
    Task<> tell();
    void add_metrics(MetricsText& text) const;

private:
    using Refusals = std::map<std::string, QuotaRefusals, std::less<>>;
    void keep(std::vector<QuotaRefusals> refusals);

    QuotaLedger& ledger_;
    const Clock& clock_;
    const std::vector<std::int64_t> levels_;
    std::atomic<std::uint64_t> refused_{0};
    mutable std::mutex mutex_;
    Refusals refusals_;
    std::vector<QuotaLevel> reached_;
};

}  // namespace entrepot

#include "app/backup_metrics.hpp"

#include <charconv>

namespace entrepot {

Task<> BackupMetrics::refresh()
{
    CO_TRY(const auto values, co_await settings_.all());
    const auto found = values.find(setting);
    Micros last = 0;
    if (found != values.end()) std::from_chars(found->second.data(), found->second.data() + found->second.size(), last);
    last_ = last;
    co_return Result<>{};
}

void BackupMetrics::add_to(MetricsText& text) const
{
    text.gauge(
        "entrepot_backup_last_success_timestamp_seconds",
        "When the last whole backup ended, in seconds since 1970; 0: never.",
        static_cast<double>(last_.load()) / 1e6
    );
}

}  // namespace entrepot

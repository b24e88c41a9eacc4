#pragma once

#include "core/clock.hpp"
#include "core/metrics.hpp"
#include "core/task.hpp"
#include "ports/settings_catalog.hpp"

#include <atomic>
#include <string_view>

namespace entrepot {

// When the last backup ended that holds everything: `entrepot backup` leaves it among the settings.
class BackupMetrics {
public:
    static constexpr std::string_view setting = "backup.last_success";

    explicit BackupMetrics(SettingsCatalog& settings) noexcept : settings_{settings} {}

    Task<> refresh();
    void add_to(MetricsText& text) const;

private:
    SettingsCatalog& settings_;
    std::atomic<Micros> last_{0};
};

}  // namespace entrepot

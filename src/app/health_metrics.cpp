#include "app/health_metrics.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// As /readyz calls them.
constexpr std::string_view parts[] = {"database", "store"};

void add_room(MetricsText& text, std::string_view of, const std::optional<StorageSpace>& space)
{
    if (!space) return;
    text.gauge("entrepot_disk_total_bytes", "Size of what holds it.", space->total, {{"of", of}});
    text.gauge("entrepot_disk_free_bytes", "Room that is left.", space->free, {{"of", of}});
}

}  // namespace

std::vector<Background::Chore> HealthMetrics::chores()
{
    return {{.name = "health", .every = 10s, .run = [this] { return look(); }}};
}

Task<> HealthMetrics::look()
{
    std::vector<std::string> failing;
    for (auto& failure : co_await operations_.check()) failing.push_back(std::move(failure.part));
    const auto stored = co_await store_.space();
    std::error_code error;
    const auto local = std::filesystem::space(data_, error);
    const std::lock_guard lock{mutex_};
    failing_ = std::move(failing);
    stored_ = stored ? std::optional{*stored} : std::nullopt;
    local_ = error ? std::nullopt : std::optional{StorageSpace{local.capacity, local.available}};
    co_return Result<>{};
}

void HealthMetrics::add_to(MetricsText& text) const
{
    const std::lock_guard lock{mutex_};
    if (failing_) {
        for (const auto part : parts) {
            const bool fails = std::ranges::find(*failing_, part) != failing_->end();
            text.gauge("entrepot_ready", "1 while the part answers.", fails ? 0 : 1, {{"part", part}});
        }
    }
    add_room(text, "blobs", stored_);
    add_room(text, "data", local_);
}

}  // namespace entrepot

#include "upkeep/accounting/quota_watch.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr std::size_t most_projects = 10'000;  // between two tellings; the refusals of others are only counted

}  // namespace

void QuotaWatch::refused(std::string_view project, std::string_view message)
{
    refused_.fetch_add(1, std::memory_order_relaxed);
    const std::lock_guard lock{mutex_};
    auto found = refusals_.find(project);
    if (found == refusals_.end()) {
        if (refusals_.size() >= most_projects) return;
        found = refusals_.emplace(std::string{project}, QuotaRefusals{.project = std::string{project}}).first;
    }
    ++found->second.count;
    found->second.message = message;
    found->second.last = clock_.now();
}

void QuotaWatch::keep(std::vector<QuotaRefusals> refusals)
{
    const std::lock_guard lock{mutex_};
    for (auto& before : refusals) {
        const auto [found, is_new] = refusals_.try_emplace(before.project, before);
        if (!is_new) found->second.count += before.count;
    }
}

Task<> QuotaWatch::tell()
{
    Refusals gathered;
    {
        const std::lock_guard lock{mutex_};
        gathered.swap(refusals_);
    }
    std::vector<QuotaRefusals> refusals;
    for (auto& [project, refusal] : gathered) refusals.push_back(std::move(refusal));
    if (!refusals.empty()) {
        auto noted = co_await ledger_.note(refusals);
        if (!noted) {
            keep(std::move(refusals));
            co_return std::unexpected{noted.error()};
        }
    }
    if (levels_.empty()) co_return Result<>{};
    CO_TRY(auto reached, co_await ledger_.warn(levels_, clock_.now()));
    const std::lock_guard lock{mutex_};
    reached_ = std::move(reached);
    co_return Result<>{};
}

void QuotaWatch::add_metrics(MetricsText& text) const
{
    text.counter("entrepot_quota_refusals_total", "Pushes that did not fit into a quota.", refused_.load());
    const std::lock_guard lock{mutex_};
    for (const auto& level : reached_) {
        const auto percent = std::to_string(level.percent);
        const auto gauge = [&](const char* of, std::int64_t count) {
            text.gauge(
                "entrepot_quota_reached",
                "How many have used so many percent of their quota, and not yet the next level's.",
                static_cast<std::uint64_t>(count),
                {{"percent", percent}, {"of", of}}
            );
        };
        gauge("project", level.projects);
        gauge("tenant", level.tenants);
    }
}

}  // namespace entrepot

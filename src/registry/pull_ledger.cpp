#include "registry/pull_ledger.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <vector>

namespace entrepot {

void PullLedger::count(const StoredManifest& manifest) noexcept
{
    pulls_.fetch_add(1, std::memory_order_relaxed);
    add({.manifest_id = manifest.id, .repository_id = manifest.repository_id, .pulls = 1, .last = clock_.now()});
}

void PullLedger::add(const PullCount& count) noexcept
{
    auto& shard = shards_[static_cast<std::size_t>(count.manifest_id) % shards_.size()];
    const std::scoped_lock lock{shard.mutex};
    const auto found = shard.counts.find(count.manifest_id);
    if (found != shard.counts.end()) {
        found->second.pulls += count.pulls;
        found->second.last = std::max(found->second.last, count.last);
    } else if (shard.counts.size() < most_per_shard) {
        shard.counts.emplace(count.manifest_id, count);
    } else {
        lost_.fetch_add(static_cast<std::uint64_t>(count.pulls), std::memory_order_relaxed);
    }
}

Task<> PullLedger::flush()
{
    std::vector<PullCount> counts;
    for (auto& shard : shards_) {
        const std::scoped_lock lock{shard.mutex};
        for (const auto& [id, count] : shard.counts) counts.push_back(count);
        shard.counts.clear();
    }
    if (counts.empty()) co_return Result<>{};
    auto written = co_await counters_.add(counts);
    if (!written) {
        for (const auto& count : counts) add(count);
    }
    co_return written;
}

void PullLedger::add_metrics(MetricsText& text) const
{
    text.counter("entrepot_manifest_pulls_total", "Manifests pulled.", pulls());
    text.counter("entrepot_manifest_pulls_uncounted_total", "Pulls whose record was lost.", lost());
}

}  // namespace entrepot

#pragma once

#include "core/clock.hpp"
#include "core/metrics.hpp"
#include "core/task.hpp"
#include "ports/manifest_catalog.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace entrepot {

// Counts pulls in memory, so that a pull writes nothing; flush() hands the sums on, once a second. Holds one entry per
// manifest pulled since the last flush, at most 1,000,000: pulls beyond that, and those of the second before a kill,
// are lost, the former with a count. Safe from any thread.
class PullLedger {
public:
    PullLedger(PullCounters& counters, const Clock& clock) : counters_{counters}, clock_{clock} {}

    void count(const StoredManifest& manifest) noexcept;
    // What could not be written stays here for the next flush.
    Task<> flush();

    std::uint64_t pulls() const noexcept { return pulls_.load(std::memory_order_relaxed); }
    void add_metrics(MetricsText& text) const;
    std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

private:
    struct Shard {
        std::mutex mutex;
        std::unordered_map<std::int64_t, PullCount> counts;
    };
    void add(const PullCount& count) noexcept;

    static constexpr std::size_t most_per_shard = 62'500;
    PullCounters& counters_;
    const Clock& clock_;
    std::array<Shard, 16> shards_;
    std::atomic<std::uint64_t> pulls_{0};
    std::atomic<std::uint64_t> lost_{0};
};

}  // namespace entrepot

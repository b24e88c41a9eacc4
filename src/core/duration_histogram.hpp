#pragma once

#include "core/metrics.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace entrepot {

// How long something took, in buckets from a millisecond to five minutes. Safe from any thread: a reader may see a
// count without its sum.
class DurationHistogram {
public:
    static constexpr std::array bounds{
        0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0
    };

    void observe(std::chrono::steady_clock::duration time) noexcept
    {
        const auto seconds = std::chrono::duration<double>{time}.count();
        const auto place = std::ranges::lower_bound(bounds, seconds) - bounds.begin();
        counts_[static_cast<std::size_t>(place)].fetch_add(1, std::memory_order_relaxed);
        const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
        nanoseconds_.fetch_add(
            static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0)), std::memory_order_relaxed
        );
    }

    void add_to(MetricsText& text, std::string_view name, std::string_view help, MetricsText::Labels labels = {}) const
    {
        std::array<MetricsText::Bucket, bounds.size()> buckets;
        std::uint64_t count = 0;
        for (std::size_t at = 0; at < bounds.size(); ++at) {
            count += counts_[at].load(std::memory_order_relaxed);
            buckets[at] = {.bound = bounds[at], .count = count};
        }
        count += counts_.back().load(std::memory_order_relaxed);
        const auto sum = static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / 1e9;
        text.histogram(name, help, buckets, count, sum, labels);
    }

private:
    std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts_{};  // the last: longer than all bounds
    std::atomic<std::uint64_t> nanoseconds_{0};
};

}  // namespace entrepot

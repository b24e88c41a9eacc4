#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace entrepot {

// Bytes per second that several loops share. Holds a tenth of a second's worth. Safe from any thread.
class TokenBucket {
public:
    using Time = std::chrono::steady_clock::time_point;

    explicit TokenBucket(std::uint64_t bytes_per_second) noexcept : rate_{static_cast<double>(bytes_per_second)} {}

    bool limited() const noexcept { return rate_ > 0; }

    // How many bytes may be sent now, `wanted` at most and possibly none; they count as sent.
    std::uint64_t take(std::uint64_t wanted, Time now) noexcept
    {
        const auto time = now.time_since_epoch().count();
        auto paid = paid_until_.load(std::memory_order_relaxed);
        while (true) {
            const auto start = std::max(paid, time - burst);
            const auto most = static_cast<std::uint64_t>(
                static_cast<double>(std::max<std::int64_t>(time - start, 0)) * rate_ / nanoseconds
            );
            const auto granted = std::min(wanted, most);
            if (granted == 0) return 0;
            const auto next = start + cost(granted);
            if (paid_until_.compare_exchange_weak(paid, next, std::memory_order_relaxed)) return granted;
        }
    }
    void give_back(std::uint64_t bytes) noexcept { paid_until_.fetch_sub(cost(bytes), std::memory_order_relaxed); }

private:
    static constexpr double nanoseconds = 1e9;
    static constexpr std::int64_t burst = 100'000'000;

    std::int64_t cost(std::uint64_t bytes) const noexcept
    {
        return static_cast<std::int64_t>(static_cast<double>(bytes) * nanoseconds / rate_) + 1;
    }

    double rate_;
    std::atomic<std::int64_t> paid_until_{0};  // the time up to which all bytes are paid for, in nanoseconds
};

}  // namespace entrepot

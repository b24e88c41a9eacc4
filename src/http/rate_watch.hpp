#pragma once

#include "http/timer_wheel.hpp"

#include <algorithm>
#include <cstdint>

namespace entrepot::http {

// Whether a peer moves bytes at least at a given rate, averaged over windows of ten seconds. Only the time spent
// waiting for the peer counts: what we ourselves are slow at is not its fault.
class RateWatch {
public:
    static constexpr Tick window = 10;

    void begin(std::int64_t moved) noexcept
    {
        waited_ = 0;
        moved_before_ = moved;
    }
    // A wait begins; returns when to ask too_slow().
    Tick wait(Tick now) noexcept
    {
        since_ = now;
        return now + (waited_ < window ? window - waited_ : 1);
    }
    void resume(Tick now) noexcept { waited_ += now - since_; }
    // Asked during a wait. False begins the next window.
    bool too_slow(Tick now, std::int64_t moved, std::uint64_t least_rate) noexcept
    {
        resume(now);
        since_ = now;
        const auto least = static_cast<std::int64_t>(least_rate * std::max<Tick>(waited_, 1));
        if (moved - moved_before_ < least) return true;
        begin(moved);
        return false;
    }

private:
    Tick waited_ = 0;
    Tick since_ = 0;
    std::int64_t moved_before_ = 0;
};

}  // namespace entrepot::http

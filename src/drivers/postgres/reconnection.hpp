#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>

namespace entrepot {

// When the connections of a pool may try to connect: at will while the server answers; while it doesn't, one of them at
// a time and after growing pauses, so that everybody else fails at once. Safe from any thread.
class Reconnection {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    bool may_try(TimePoint now)
    {
        const std::lock_guard lock{mutex_};
        if (!down_) return true;
        if (now < next_) return false;
        next_ = now + pause_;
        return true;
    }

    void succeeded()
    {
        const std::lock_guard lock{mutex_};
        down_ = false;
        pause_ = shortest;
    }

    void failed(TimePoint now)
    {
        const std::lock_guard lock{mutex_};
        pause_ = down_ ? std::min(pause_ * 2, longest) : shortest;
        down_ = true;
        next_ = now + pause_;
    }

private:
    using Pause = std::chrono::milliseconds;
    static constexpr Pause shortest{250};
    static constexpr Pause longest{2000};

    std::mutex mutex_;
    bool down_ = false;
    Pause pause_ = shortest;
    TimePoint next_{};
};

}  // namespace entrepot

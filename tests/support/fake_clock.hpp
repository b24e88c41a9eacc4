#pragma once

#include "core/clock.hpp"

#include <atomic>
#include <chrono>

namespace entrepot {

// Time that moves only when a test says so. Safe from any thread.
class FakeClock final : public Clock {
public:
    Micros now() const noexcept override { return now_.load(); }
    std::chrono::steady_clock::time_point steady() const noexcept override
    {
        return std::chrono::steady_clock::time_point{std::chrono::microseconds{now_.load()}};
    }
    void advance(std::chrono::microseconds by) noexcept { now_ += by.count(); }

private:
    std::atomic<Micros> now_{1'790'000'000'000'000};
};

}  // namespace entrepot

#pragma once

#include "swarm/net/wait_line.hpp"
#include "swarm/wire/wire_values.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace entrepot {

// Bytes per second in one direction of a node's link, which its connections share by turns: whoever was refused first
// is next. Bursts are at most 64 KiB, or 10 ms of the rate after a rest, what is more. Used on one loop.
class RateLine {
public:
    using Time = std::chrono::steady_clock::time_point;

    // A connection's place in the line. Outlives its last ask(), or goes with it.
    class Turn {
    public:
        Turn(RateLine& line, WaitLine& waits) noexcept : line_{line}, waits_{waits} {}
        ~Turn() { give_up(); }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

        // How many of the `wanted` bytes may move now; they count once they are spent(). 0: wait until opens_at(), or
        // until it is woken.
        std::size_t ask(std::size_t wanted, Time now);
        // When it makes sense to ask again; it is woken when others leave the line.
        Time opens_at() const noexcept;
        // Leaves the line: there is something else to do first.
        void give_up();

    private:
        RateLine& line_;
        WaitLine& waits_;
        bool in_line_ = false;
        friend class RateLine;
    };

    explicit RateLine(std::uint64_t rate) noexcept : rate_{rate} {}

    // 0 forbids, no_rate_limit does what it says. Takes effect at once.
    void set(std::uint64_t rate, Time now);
    std::uint64_t rate() const noexcept { return rate_; }
    void spent(std::size_t bytes, Time now) noexcept;

private:
    std::size_t allowance(std::size_t wanted, Time now) const noexcept;

    std::uint64_t rate_;
    Time paid_until_{};  // what has moved is paid for from then on
    std::deque<Turn*> line_;
};

}  // namespace entrepot

#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <mutex>

namespace entrepot {

// Stops asking an upstream that has failed several times in a row: everybody hears so at once, but for one probe after
// a pause that doubles with each failed one. Safe from any thread.
class Breaker {
public:
    static constexpr int most_failures = 5;
    static constexpr Micros first_pause = 5'000'000;
    static constexpr Micros longest_pause = 120'000'000;

    enum class State : std::uint8_t { closed, half_open, open };

    // Whether it may be asked: unavailable where not. An admitted call is followed by one settle() or abandon().
    Result<> admit(Micros now);
    void settle(bool worked, Micros now);
    // The call ended without an outcome.
    void abandon();

    State state(Micros now) const;

private:
    mutable std::mutex mutex_;
    int failures_ = 0;
    Micros pause_ = 0;
    Micros closed_until_ = 0;  // 0: it may be asked
    bool probing_ = false;
};

// Whether an error says that the upstream doesn't work, rather than that it hasn't or won't.
bool is_outage(Errc code) noexcept;

}  // namespace entrepot

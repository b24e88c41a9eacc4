#pragma once

#include "swarm/peer/peer_policy.hpp"
#include "swarm/wire/wire_values.hpp"

#include <algorithm>
#include <cstdint>

namespace entrepot {

// Bytes a second that a node exchanges with nodes of other zones, both ways together. Whether there is room is asked
// before something is asked for or promised, and what has moved is paid for afterwards: what was under way may go
// beyond, and is made up for by waiting. Not safe across threads.
class AcrossBudget {
public:
    // From now on: 0 allows nothing, no_rate_limit everything.
    void set(std::uint64_t bytes_per_second, SwarmTime now) noexcept
    {
        rate_ = bytes_per_second;
        paid_until_ = std::min(paid_until_, now + longest_debt);
    }
    bool has_room(SwarmTime now) const noexcept { return rate_ == no_rate_limit || (rate_ != 0 && paid_until_ <= now); }
    void spent(std::uint64_t bytes, SwarmTime now) noexcept
    {
        if (rate_ == no_rate_limit || rate_ == 0) return;
        const auto time = static_cast<double>(bytes) / static_cast<double>(rate_) * swarm_second;
        const auto most = static_cast<double>(longest_debt);
        paid_until_ = std::max(paid_until_, now - rest) + static_cast<SwarmTime>(std::min(time, most));
    }

private:
    // What was not used is there for so long.
    static constexpr SwarmTime rest = 100 * swarm_millisecond;
    // Of one piece, and when the rate changes.
    static constexpr SwarmTime longest_debt = 60 * swarm_second;

    std::uint64_t rate_ = no_rate_limit;
    SwarmTime paid_until_ = 0;
};

}  // namespace entrepot

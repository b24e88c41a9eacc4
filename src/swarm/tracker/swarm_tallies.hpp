#pragma once

#include "swarm/peer/peer_policy.hpp"
#include "swarm/wire/wire_values.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// Bytes of chunks that nodes have received, as they say.
struct SwarmReceived {
    std::uint64_t origin = 0;  // from the registry
    std::uint64_t zone = 0;    // from nodes of their own zone
    std::uint64_t across = 0;  // from nodes of others

    std::uint64_t all() const noexcept { return origin + zone + across; }
    void add(const SwarmReceived& more) noexcept
    {
        origin += more.origin;
        zone += more.zone;
        across += more.across;
    }
    bool operator==(const SwarmReceived&) const noexcept = default;
};

// How fast nodes that have become complete were, summed: what their own links would have taken for the bytes that they
// received, and what it took. The first by the second is the swarm's efficiency.
struct SwarmPace {
    double bound_seconds = 0;
    double seconds = 0;

    void add(const SwarmPace& more) noexcept
    {
        bound_seconds += more.bound_seconds;
        seconds += more.seconds;
    }
    bool operator==(const SwarmPace&) const noexcept = default;
};

// Those members of one swarm that are in one zone and have their right from the same place.
struct SwarmTally {
    static constexpr std::size_t steps = 101;

    std::uint64_t right = 0;  // whatever Tracker::admitted() was told
    std::string zone{};
    std::uint32_t members = 0;
    std::array<std::uint32_t, steps> percents{};  // of them, by whole percents of progress; the last: complete
    SwarmReceived received{};                     // also by those that have left
    SwarmPace pace{};

    std::uint32_t complete() const noexcept { return percents.back(); }
    bool operator==(const SwarmTally&) const noexcept = default;
};

// One member's part in a swarm.
struct SwarmPart {
    SwarmTally* tally = nullptr;  // null: it isn't admitted
    SwarmReceived received{};
    std::uint64_t uploaded = 0;
    SwarmTime since = 0;
    SwarmTime complete_at = 0;  // 0: it isn't
    std::uint8_t neighbours = 0;
    std::uint8_t idle = 0;  // percent of the time, as it said last
};

// Sums over a swarm's members, kept as they report, so that looking at them takes as long with many members as with
// few. Progress is in thousandths. Memory: 600 bytes for each zone and right. Not safe across threads.
class SwarmTallies {
public:
    // More zones are counted as one without a name, for each right.
    static constexpr std::size_t most = 1'024;

    SwarmTallies() = default;
    // Parts point into it.
    SwarmTallies(const SwarmTallies&) = delete;
    SwarmTallies& operator=(const SwarmTallies&) = delete;

    void enter(SwarmPart& part, std::uint64_t right, const std::string& zone, std::uint16_t progress, SwarmTime now);
    void leave(SwarmPart& part, std::uint16_t progress);
    // `down`: bytes per second that the member's network allows; 0: unknown. How fast it was, where it is complete now
    // and that is known; zeros otherwise.
    SwarmPace move(SwarmPart& part, std::uint16_t from, std::uint16_t to, std::uint64_t down, SwarmTime now);
    void receive(SwarmPart& part, const SwarmReceived& more);

    std::vector<SwarmTally> all() const;

private:
    static std::size_t step(std::uint16_t progress) noexcept { return progress / 10U; }

    std::map<std::pair<std::uint64_t, std::string>, SwarmTally> tallies_;
};

// What a tracker knows of one member.
struct SwarmMember {
    NodeId node{};
    std::string name{};
    std::string zone{};
    std::uint64_t right = 0;
    std::uint16_t progress = 0;  // thousandths
    SwarmTime heard = 0;         // when anything came of the node last
    SwarmPart part{};            // without its tally
};

}  // namespace entrepot

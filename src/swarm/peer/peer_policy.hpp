#pragma once

#include <cstdint>

namespace entrepot {

// Microseconds on a clock that never goes back; which one is the caller's affair.
using SwarmTime = std::int64_t;

inline constexpr SwarmTime swarm_millisecond = 1'000;
inline constexpr SwarmTime swarm_second = 1'000'000;

// What a node does in a swarm, in numbers. The defaults are what simulations of 40 to 100,000 nodes led to
// (docs/decisions/0028-swarm-core.md); an operator has no reason to touch them, a simulation has.
struct PeerPolicy {
    // Data asked for and not here yet, in pieces; and at least so much time's worth of what arrives.
    std::uint32_t pipeline_pieces = 6;
    SwarmTime pipeline_time = 10 * swarm_millisecond;
    // Of one neighbour, in pieces.
    std::uint32_t neighbour_pieces = 2;
    // Pieces that are looked ahead from where the image is read: so many, or this share of the image, what is more.
    std::uint32_t window_pieces = 64;
    std::uint32_t window_percent = 20;
    // While neighbours have too little of that, it doubles, no more often than this.
    SwarmTime widen_interval = 10 * swarm_millisecond;
    // News of pieces are gathered for so long.
    SwarmTime announce_interval = 2 * swarm_millisecond;
    // How often waiting requests and neighbours are looked at while anything is missing.
    SwarmTime look_interval = 100 * swarm_millisecond;
    // With fewer requests under way than half of what the pipeline takes for so long, another neighbour is wanted.
    SwarmTime idle_until_rewire = 200 * swarm_millisecond;
    // No neighbour is given up before it had so much time to be of use.
    SwarmTime neighbour_trial = 1 * swarm_second;
    // A request is given up after three times what answers take, and not before this.
    SwarmTime shortest_timeout = 200 * swarm_millisecond;
    // Of all bytes, as many may be asked for twice when only slow answers are missing.
    std::uint32_t duplicate_percent = 2;
    // Data that a node has promised and not sent, in time of its link and in pieces, what is more; then it is busy.
    SwarmTime upload_queue_time = 5 * swarm_millisecond;
    std::uint32_t upload_queue_pieces = 3;
    // Who has neighbours in other zones takes turns with others of its zone at what is fetched from there: it is given
    // one of so many parts of the pieces by chance, anew after so long or the time of four pieces. What it then asks
    // for is little, and beside the pipeline.
    SwarmTime turn_time = 10 * swarm_millisecond;
    std::uint32_t turns = 8;
    std::uint32_t across_pieces = 4;
};

}  // namespace entrepot

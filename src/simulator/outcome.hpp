#pragma once

#include "swarm/peer/peer_policy.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace entrepot {

// What became of one node.
struct NodeOutcome {
    SwarmTime arrived = 0;
    std::optional<SwarmTime> done;   // nullopt: it died, or the time was up
    std::optional<SwarmTime> first;  // when the first piece of the image was here
    bool died = false;
    bool ordinary = true;  // neither slow nor silent nor lying by the scenario
    std::uint16_t zone = 0;
    double streamable = 0;  // of what was held, the share that could be read from the start, on average over time
    std::uint64_t from_origin = 0;
    std::uint64_t from_zone = 0;
    std::uint64_t across = 0;
    std::uint64_t sent = 0;
    std::uint64_t wasted = 0;  // duplicates and false pieces
};

struct Outcome {
    std::vector<NodeOutcome> nodes;
    SwarmTime bound = 0;  // of one node, from its arrival
    SwarmTime ended = 0;
    std::uint64_t image_bytes = 0;
    std::uint64_t origin_bytes = 0;
    std::uint64_t events = 0;
    std::uint64_t requests = 0;
    std::uint64_t refusals = 0;
    std::uint64_t timeouts = 0;
    std::uint64_t rewires = 0;
    std::uint64_t tracker_messages = 0;
    std::uint32_t most_neighbours = 0;
    double mean_neighbours = 0;
};

}  // namespace entrepot

#pragma once

#include "swarm/net/peer_network_counters.hpp"
#include "swarm/tracker/swarm_tallies.hpp"

#include <cstdint>

namespace entrepot {

// How the swarm does, as one instance of the registry sees it.
struct SwarmReport {
    std::uint64_t nodes = 0;    // with a control stream
    std::uint64_t images = 0;   // that nodes take part in, or did lately
    std::uint64_t members = 0;  // nodes that do, summed over images
    std::uint64_t tickets_renewed = 0;
    std::uint64_t refusals = 0;  // of nodes that wanted to take part
    std::uint64_t revocations = 0;
    std::uint64_t reports = 0;  // of false chunks
    PeerNetworkCounters seed;
    SwarmReceived received;  // by all nodes, as they say
    SwarmPace pace;          // of those that have become complete
};

}  // namespace entrepot

#pragma once

#include "swarm/net/peer_network_counters.hpp"
#include "swarm/tracker/tracker.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// How the swarm does, as one instance of the registry sees it.
struct SwarmReport {
    struct Image {
        SwarmId swarm{};
        Sha256 manifest{};
        std::uint64_t bytes = 0;
        std::vector<std::uint64_t> repositories;  // that nodes have it because of, by number
        SwarmOverview overview;
    };
    std::uint64_t nodes = 0;  // with a control stream
    std::vector<Image> images;
    std::uint64_t tickets_renewed = 0;
    std::uint64_t refusals = 0;  // of nodes that wanted to take part
    std::uint64_t revocations = 0;
    std::uint64_t reports = 0;  // of false chunks
    PeerNetworkCounters seed;
};

}  // namespace entrepot

#pragma once

#include "swarm/wire/wire_values.hpp"

#include <span>

namespace entrepot {

// Which of the registry's instances tracks a swarm, by rendezvous: each instance has a weight for each swarm that
// everybody works out alike, and the heaviest one has it. When an instance goes only its own swarms change their owner;
// when one comes it takes a share from each. Instances go by where nodes find them. nullptr: there are none.
const PeerEndpoint* owner_of(const SwarmId& swarm, std::span<const PeerEndpoint> instances) noexcept;

}  // namespace entrepot

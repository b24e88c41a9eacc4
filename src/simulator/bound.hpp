#pragma once

#include "simulator/scenario.hpp"
#include "swarm/piece_layout.hpp"

namespace entrepot {

// How long a rollout takes at best, from the arrival of a node: the fixed cost, the image at the rate of the tightest
// of origin, node and all links together, and for each doubling of the nodes one chunk and one hop. After Kumar and
// Ross (fluid limit) and Mundinger, Weber and Weiss (discrete pieces); a hop is an announcement, a request and the
// data's way.
SwarmTime bound_of(const Scenario& scenario, const PieceLayout& layout) noexcept;

}  // namespace entrepot

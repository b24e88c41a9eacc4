#pragma once

#include "simulator/outcome.hpp"
#include "simulator/scenario.hpp"

#include <functional>

namespace entrepot {

// Carries a scenario out: the agents' and the tracker's own code under simulated links and time. One thread.
// `progress` hears, now and then, the simulated time and how many nodes are done. size_invalid: an image that no swarm
// can have.
using SimulationProgress = std::function<void(SwarmTime now, std::uint32_t done)>;
Result<Outcome> simulate(const Scenario& scenario, const SimulationProgress& progress = {});

}  // namespace entrepot

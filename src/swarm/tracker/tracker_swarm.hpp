#pragma once

#include "swarm/tracker/tracker.hpp"

#include <boost/container/flat_set.hpp>

namespace entrepot {

// One swarm, for Tracker's own files.
struct Tracker::Swarm {
    Swarm(const SwarmId& its_id, const TrackerPolicy& policy, std::uint64_t seed) : id{its_id}, members{policy, seed} {}

    const SwarmId id;
    SwarmMembers members;
    std::uint32_t announced = 0;               // members, and those who want to be
    std::map<NodeIndex, SwarmHandle> handles;  // of members
    SwarmTallies tallies;
    std::map<std::uint16_t, boost::container::flat_set<NodeIndex>> holders;  // members that have all of it, by zone
};

}  // namespace entrepot

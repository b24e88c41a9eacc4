#pragma once

#include "swarm/peer/peer_policy.hpp"

#include <cstdint>

namespace entrepot {

// A neighbour's place in one swarm on one node: small numbers, used again after it has gone.
using NeighbourSlot = std::uint16_t;

// What a node knows of a neighbour besides its pieces.
struct Neighbour {
    bool present = false;
    bool seed = false;           // the registry: it shows only what it wants to be asked for, and waits for that
    bool across = false;         // in another zone
    bool interested = true;      // in our pieces
    bool answers = false;        // did so when it was last asked: until then it is on trial
    bool dry = false;            // has nothing that we could ask for, until it announces more
    std::uint16_t asked = 0;     // requests under way
    std::uint16_t strikes = 0;   // answers in a row that did not come in time
    std::uint16_t refusals = 0;  // in a row
    std::uint32_t pieces = 0;    // that it has, as far as we were told
    SwarmTime load = 0;          // how long a request would have waited there, by its latest word
    SwarmTime busy_until = 0;
    SwarmTime since = 0;
    SwarmTime useful = 0;  // when its last piece came
};

}  // namespace entrepot

#pragma once

#include "swarm/peer/super_seed.hpp"
#include "swarm/peer/swarm_peer.hpp"
#include "swarm/wire/wire_values.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// What a node has of one swarm: as one among many who miss pieces, or as the registry that has them all.
struct SwarmSession {
    SwarmSession(const SwarmId& swarm, PieceLayout its_layout, std::string its_ticket)
        : id{swarm}, layout{std::move(its_layout)}, ticket{std::move(its_ticket)}
    {
    }

    const SwarmId id;
    const PieceLayout layout;  // peer and seed refer to it
    std::string ticket;
    std::optional<SwarmPeer> peer;
    std::optional<SuperSeed> seed;
    std::vector<std::uint32_t> connections;  // by slot; 0: none
    bool told_complete = false;
    std::uint8_t priority = 0;  // of what is asked for, at those who are asked: the higher goes first

    bool has(PieceIndex piece) const noexcept { return seed.has_value() || peer->picker().held().contains(piece); }
    bool complete() const noexcept { return seed.has_value() || peer->complete(); }
};

}  // namespace entrepot

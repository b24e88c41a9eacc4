#pragma once

#include "swarm/peer/swarm_node.hpp"

namespace entrepot {

// What one swarm's SwarmPeer or SuperSeed says, as frames on the connections of its neighbours.
class SwarmNode::Links final : public PeerLinks, public SeedLinks {
public:
    Links(SwarmNode& node, SwarmIndex swarm) noexcept : node_{node}, swarm_{swarm} {}

    void announce(std::span<const PieceRange> ranges) override;
    // News that announce() has kept back.
    void say_what_waits();
    void ask(NeighbourSlot neighbour, std::span<const PieceIndex> pieces) override;
    void cancel(NeighbourSlot neighbour, PieceIndex piece) override;
    void rewire(std::optional<NeighbourSlot> useless) override;
    void wake_at(SwarmTime time) override;
    void reveal(NeighbourSlot neighbour, std::span<const PieceRange> ranges) override;

private:
    SwarmSession& session() noexcept;
    ConnectionId connection_at(NeighbourSlot neighbour) noexcept;
    void say(ConnectionId id, Membership& membership);
    // One REQUEST for pieces that together are not larger than one piece may be.
    void request(ConnectionId id, PeerConnection& connection, std::span<const PieceIndex> pieces);

    SwarmNode& node_;
    const SwarmIndex swarm_;
};

}  // namespace entrepot

#pragma once

#include "simulator/world.hpp"
#include "swarm/peer/across_budget.hpp"

#include <optional>

namespace entrepot {

// A node of the simulated world: an agent, or an instance of the registry.
class World::Node final : public PeerLinks, public SeedLinks {
public:
    struct Link {
        std::uint32_t connection = 0;  // 0: none
        std::uint32_t node = 0;
        NeighbourSlot slot = 0;  // of us, over there
        std::uint8_t falsehoods = 0;
    };

    Node(World& world, std::uint32_t index, std::uint16_t zone, double up, double down);

    bool is_origin() const noexcept { return seed.has_value(); }
    bool has(PieceIndex piece) const noexcept { return is_origin() || silent || peer->picker().held().contains(piece); }
    // The slot at which `connection` is, or nullptr when it has gone.
    Link* link(NeighbourSlot slot, std::uint32_t connection) noexcept;
    void link_at(NeighbourSlot slot, const Link& there);
    SwarmTime load(SwarmTime now) const noexcept;
    void sample() noexcept;

    void announce(std::span<const PieceRange> ranges) override;
    void ask(NeighbourSlot neighbour, std::span<const PieceIndex> pieces) override;
    void cancel(NeighbourSlot neighbour, PieceIndex piece) override;
    void rewire(std::optional<NeighbourSlot> useless) override;
    void wake_at(SwarmTime time) override;
    void reveal(NeighbourSlot neighbour, std::span<const PieceRange> ranges) override;

    World& world;
    const std::uint32_t index;
    const std::uint16_t zone;
    const double up;  // bytes a microsecond
    const double down;
    std::optional<SwarmPeer> peer;  // of an agent
    std::optional<SuperSeed> seed;  // of an instance of the registry
    UploadQueue uploads;
    AcrossBudget across;
    std::vector<Link> links;
    std::uint64_t zones_near = 0;  // a bit for each zone in which it ever had a neighbour
    bool present = false;
    bool sending = false;
    bool silent = false;
    bool lying = false;
    bool slow = false;
    SwarmTime sending_until = 0;
    SwarmTime down_until = 0;
    PieceIndex readable = 0;  // pieces held from the first on
    double readable_sum = 0;
    std::uint32_t samples = 0;
    NodeOutcome outcome;
};

}  // namespace entrepot

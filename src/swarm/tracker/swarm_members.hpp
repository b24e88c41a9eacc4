#pragma once

#include "swarm/swarm_random.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace entrepot {

// A node in the tracker's numbering: dense, used again.
using NodeIndex = std::uint32_t;

// How neighbours are chosen.
struct TrackerPolicy {
    // That a joining node is given; as many again come to it when others join.
    std::uint32_t given_neighbours = 12;
    // Of them, in other zones.
    std::uint32_t given_across = 1;
    // Nobody is given away who has so many.
    std::uint32_t most_neighbours = 32;
    // Nodes that have the registry itself as a neighbour, for each zone.
    std::uint32_t seed_neighbours = 24;
    // In all zones together: who invents zones gets no more.
    std::uint32_t seed_neighbours_in_all = 192;
};

// Who is in one swarm, and who should talk to whom: what the tracker knows of an image. Soft state: nodes tell it again
// when it is lost. Near-random graph of even degree: of a few members taken at random, those with the fewest neighbours
// are given away. Memory: 16 bytes a member and its place in a table. Not safe across threads.
class SwarmMembers {
public:
    SwarmMembers(const TrackerPolicy& policy, std::uint64_t seed) : policy_{policy}, random_{seed} {}

    // Comes, or says how far it is: thousandths of the image, and how many neighbours it has.
    void report(NodeIndex node, std::uint16_t zone, std::uint16_t progress, std::uint16_t neighbours);
    void leave(NodeIndex node);

    struct Choice {
        std::vector<NodeIndex> neighbours;
        bool seed = false;  // the registry too
    };
    // For a member that has just come.
    Choice for_newcomer(NodeIndex node);
    // For one whose neighbours have nothing for it: one that is as far or further, not among `known`; and the registry,
    // where it has room or nobody else is left.
    // `seed` false: not the registry.
    Choice for_starved(NodeIndex node, std::span<const NodeIndex> known, bool seed = true);
    // A node doesn't talk to the registry any more.
    void release_seed(NodeIndex node);

    std::size_t size() const noexcept { return members_.size(); }
    // That talk to the registry.
    std::uint32_t seeded() const noexcept;

private:
    struct Member {
        NodeIndex node;
        std::uint16_t zone;
        std::uint16_t progress;
        std::uint16_t neighbours;
        bool seeded;
    };
    enum class Place { same_zone, other_zone };

    bool take_seed(Member& member);
    void choose(const Member& of, Place place, std::uint32_t count, std::vector<NodeIndex>& chosen);
    Member* find(NodeIndex node) noexcept;

    const TrackerPolicy& policy_;
    SwarmRandom random_;
    std::vector<Member> members_;
    std::unordered_map<NodeIndex, std::uint32_t> places_;
    std::unordered_map<std::uint16_t, std::uint32_t> seeded_;  // by zone
};

}  // namespace entrepot

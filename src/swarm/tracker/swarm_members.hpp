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
    // Nodes of a zone that have neighbours in others, its gateways; all others have none.
    std::uint32_t gateways = 12;
    // Neighbours in other zones that a gateway is given, of those that are gateways there.
    std::uint32_t given_across = 3;
    // Nobody is given away who has so many.
    std::uint32_t most_neighbours = 32;
    // Nodes that have the registry itself as a neighbour, for each zone.
    std::uint32_t seed_neighbours = 24;
    // In all zones together: who invents zones gets no more. The last quarter is for zones that have fewer than four.
    std::uint32_t seed_neighbours_in_all = 192;
};

// Who is in one swarm, and who should talk to whom: what the tracker knows of an image. Soft state: nodes tell it again
// when it is lost. In each zone a near-random graph of even degree: of a few members taken at random, those with the
// fewest neighbours are given away. The first of a zone are its gateways: they have each other as neighbours, and
// gateways of other zones. Memory: 32 bytes a member and its place in a table. Not safe across threads.
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
    // Who is starved again and again becomes a gateway: those that there are may have died without a word.
    // `seed` false: not the registry.
    Choice for_starved(NodeIndex node, std::span<const NodeIndex> known, bool seed = true);
    // A node doesn't talk to the registry any more.
    void release_seed(NodeIndex node);

    std::size_t size() const noexcept { return members_.size(); }
    // That talk to the registry.
    std::uint32_t seeded() const noexcept { return seeded_; }

private:
    struct Member {
        NodeIndex node;
        std::uint16_t zone;
        std::uint16_t progress;
        std::uint16_t neighbours;
        std::uint16_t starved;     // times in a row, with no progress in between
        std::uint32_t zone_place;  // in its zone's list
        bool seeded;
        bool gateway;
    };
    struct Zone {
        std::vector<NodeIndex> members;
        std::vector<NodeIndex> gateways;
        std::uint32_t seeded = 0;
    };

    enum class Place { same_zone, other_zone };

    bool take_seed(Member& member);
    void make_gateway(Member& member);
    void choose(const Member& of, Place place, std::uint32_t count, std::vector<NodeIndex>& chosen);
    void choose_across(const Member& of, std::uint32_t count, std::vector<NodeIndex>& chosen);
    const Member*
    best_for_starved(const Member& member, std::span<const NodeIndex> among, std::span<const NodeIndex> known) noexcept;
    Member* find(NodeIndex node) noexcept;

    const TrackerPolicy& policy_;
    SwarmRandom random_;
    std::vector<Member> members_;
    std::unordered_map<NodeIndex, std::uint32_t> places_;
    std::unordered_map<std::uint16_t, Zone> zones_;
    std::vector<NodeIndex> gateways_;  // of all zones
    std::uint32_t seeded_ = 0;
};

}  // namespace entrepot

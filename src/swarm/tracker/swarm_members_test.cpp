#include "swarm/tracker/swarm_members.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace entrepot {
namespace {

TEST(SwarmMembers, ACrowdGetsAGraphOfEvenDegree)
{
    const TrackerPolicy policy;
    SwarmMembers members{policy, 1};
    constexpr NodeIndex crowd = 3'000;
    std::vector<std::set<NodeIndex>> graph(crowd);
    std::uint32_t seeded = 0;
    for (NodeIndex node = 0; node < crowd; ++node) {
        members.report(node, static_cast<std::uint16_t>(node % 3), 0, 0);
        const auto choice = members.for_newcomer(node);
        seeded += choice.seed ? 1 : 0;
        for (const auto other : choice.neighbours) {
            EXPECT_NE(other, node);
            graph[node].insert(other);
            graph[other].insert(node);
        }
    }
    EXPECT_EQ(seeded, 3 * policy.seed_neighbours);
    std::size_t fewest = crowd;
    std::size_t most = 0;
    std::size_t links = 0;
    std::size_t across = 0;
    for (NodeIndex node = 0; node < crowd; ++node) {
        fewest = std::min(fewest, graph[node].size());
        most = std::max(most, graph[node].size());
        links += graph[node].size();
        across += static_cast<std::size_t>(std::ranges::count_if(graph[node], [=](NodeIndex other) {
            return other % 3 != node % 3;
        }));
    }
    EXPECT_GE(fewest, policy.given_neighbours);
    EXPECT_LE(most, policy.most_neighbours);
    EXPECT_NEAR(static_cast<double>(links) / crowd, 2.0 * policy.given_neighbours, 1);
    // Between gateways alone, each link seen from both sides.
    EXPECT_GT(across, 3 * policy.gateways);
    EXPECT_LE(across, 2 * 3 * policy.gateways * policy.given_across);
    // Everybody can reach everybody.
    std::vector<bool> seen(crowd);
    std::vector<NodeIndex> reached{0};
    seen[0] = true;
    for (std::size_t at = 0; at < reached.size(); ++at) {
        for (const auto other : graph[reached[at]]) {
            if (!seen[other]) reached.push_back(other);
            seen[other] = true;
        }
    }
    EXPECT_EQ(reached.size(), crowd);
}

TEST(SwarmMembers, ASmallSwarmIsMixedToo)
{
    const TrackerPolicy policy;
    SwarmMembers members{policy, 1};
    std::vector<std::uint32_t> degrees(200);
    for (NodeIndex node = 0; node < 200; ++node) {
        members.report(node, 0, 0, 0);
        for (const auto other : members.for_newcomer(node).neighbours) {
            ++degrees[node];
            ++degrees[other];
        }
    }
    EXPECT_LE(*std::ranges::max_element(degrees), 28U);
}

TEST(SwarmMembers, TheFirstOfASmallSwarmFindEachOther)
{
    const TrackerPolicy policy;
    SwarmMembers members{policy, 1};
    members.report(5, 0, 0, 0);
    EXPECT_TRUE(members.for_newcomer(5).neighbours.empty());
    members.report(6, 0, 0, 0);
    EXPECT_EQ(members.for_newcomer(6).neighbours, std::vector<NodeIndex>{5});
    members.report(7, 1, 0, 0);
    auto both = members.for_newcomer(7).neighbours;
    std::ranges::sort(both);
    EXPECT_EQ(both, (std::vector<NodeIndex>{5, 6})) << "another zone is better than nobody";
}

TEST(SwarmMembers, TheStarvedGetSomebodyWhoIsAsFarAndNew)
{
    const TrackerPolicy policy;
    SwarmMembers members{policy, 1};
    for (NodeIndex node = 0; node < 20; ++node) members.report(node, 0, static_cast<std::uint16_t>(node * 50), 3);
    const std::vector<NodeIndex> known{17, 18};
    const auto choice = members.for_starved(16, known);
    EXPECT_EQ(choice.neighbours, std::vector<NodeIndex>{19});
    EXPECT_TRUE(choice.seed);
    EXPECT_FALSE(members.for_starved(16, known).seed) << "it has the registry already";
}

TEST(SwarmMembers, OnlyGatewaysHaveNeighboursInOtherZones)
{
    const TrackerPolicy policy;
    SwarmMembers members{policy, 1};
    std::set<NodeIndex> crossing;
    for (NodeIndex node = 0; node < 400; ++node) {
        members.report(node, static_cast<std::uint16_t>(node % 2), 0, 0);
        for (const auto other : members.for_newcomer(node).neighbours) {
            if (other % 2 != node % 2) crossing.insert({node, other});
        }
    }
    EXPECT_EQ(crossing.size(), 2 * policy.gateways);
}

TEST(SwarmMembers, WhoIsStarvedTakesThePlaceOfAGatewayThatHasGone)
{
    const TrackerPolicy policy{.gateways = 2};
    SwarmMembers members{policy, 1};
    const auto crosses = [](const SwarmMembers::Choice& choice) {
        return std::ranges::any_of(choice.neighbours, [](NodeIndex node) { return node >= 100; });
    };
    for (NodeIndex node = 100; node < 104; ++node) members.report(node, 1, 0, 0);
    for (NodeIndex node = 0; node < 10; ++node) members.report(node, 0, 0, 0);
    EXPECT_FALSE(crosses(members.for_starved(5, {})));
    members.leave(0);
    EXPECT_TRUE(crosses(members.for_starved(5, {})));
    // Gateways that the tracker takes for alive: who starves on becomes one too.
    bool crossed = false;
    for (int times = 0; times < 10; ++times) crossed = crossed || crosses(members.for_starved(6, {}));
    EXPECT_TRUE(crossed);
}

TEST(SwarmMembers, ALateZoneHasPlacesWithTheRegistryToo)
{
    const TrackerPolicy policy;
    SwarmMembers members{policy, 1};
    NodeIndex node = 0;
    for (std::uint16_t zone = 0; zone < 20; ++zone) {
        std::uint32_t seeded = 0;
        for (int count = 0; count < 30; ++count) {
            members.report(++node, zone, 0, 0);
            seeded += members.for_newcomer(node).seed ? 1 : 0;
        }
        if (zone < 18) {
            EXPECT_GE(seeded, 4U) << zone;
        }
    }
    EXPECT_EQ(members.seeded(), policy.seed_neighbours_in_all);
}

TEST(SwarmMembers, PlacesWithTheRegistryAreGivenBack)
{
    const TrackerPolicy policy{.seed_neighbours = 1};
    SwarmMembers members{policy, 1};
    members.report(1, 0, 0, 0);
    members.report(2, 0, 0, 0);
    EXPECT_TRUE(members.for_newcomer(1).seed);
    EXPECT_FALSE(members.for_newcomer(2).seed);
    members.leave(1);
    EXPECT_TRUE(members.for_starved(2, {}).seed);
    EXPECT_EQ(members.size(), 1U);
    members.leave(1);
    EXPECT_TRUE(members.for_newcomer(1).neighbours.empty()) << "who isn't here gets nothing";
}

}  // namespace
}  // namespace entrepot

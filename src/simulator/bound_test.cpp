#include "simulator/bound.hpp"

#include "swarm/piece_layout.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

Scenario crowd(std::uint32_t nodes)
{
    Scenario scenario;
    scenario.nodes = nodes;
    scenario.layers = {64'000'000};
    scenario.up = 4e6;
    scenario.down = 4e6;
    scenario.origin_up = 8e6;
    scenario.latency = 250;
    scenario.handling = 50;
    scenario.fixed = 30'000;
    return scenario;
}

SwarmTime bound(const Scenario& scenario)
{
    return bound_of(scenario, PieceLayout::of(scenario.layers, 1).value());
}

// A chunk of 262,144 bytes at 4 MB/s takes 65,536 us, a hop three times 300 us; forty nodes are six doublings.
constexpr SwarmTime six_doublings = 6 * (65'536 + 900);

TEST(Bound, is_the_nodes_own_link_in_a_crowd)
{
    EXPECT_EQ(bound(crowd(40)), 30'000 + 16'000'000 + six_doublings);
}

TEST(Bound, is_the_same_for_one_node_without_hops)
{
    EXPECT_EQ(bound(crowd(1)), 30'000 + 16'000'000);
    EXPECT_EQ(bound(crowd(2)), 30'000 + 16'000'000 + 65'536 + 900);
}

TEST(Bound, is_the_registrys_link_where_that_is_the_slowest)
{
    auto scenario = crowd(40);
    scenario.origin_up = 1e6;
    EXPECT_EQ(bound(scenario), 30'000 + 64'000'000 + six_doublings);
    scenario.origins = 2;
    EXPECT_EQ(bound(scenario), 30'000 + 32'000'000 + six_doublings);
}

// 40 times 64 MB through 8 MB/s and forty times 4 MB/s.
TEST(Bound, is_all_uplinks_together_where_nodes_take_faster_than_they_give)
{
    auto scenario = crowd(40);
    scenario.down = 100e6;
    EXPECT_EQ(bound(scenario), 30'000 + static_cast<SwarmTime>(2'560e12 / 168e6 + six_doublings));
}

TEST(Bound, grows_with_what_headers_take)
{
    auto scenario = crowd(1);
    scenario.goodput = 0.5;
    EXPECT_EQ(bound(scenario), 30'000 + 32'000'000);
}

TEST(Bound, grows_by_one_doubling_when_nodes_double)
{
    EXPECT_EQ(bound(crowd(16'384)) - bound(crowd(8'192)), 65'536 + 900);
}

}  // namespace
}  // namespace entrepot

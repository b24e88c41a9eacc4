#include "swarm/tracker/swarm_tallies.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

constexpr SwarmTime begin = 100 * swarm_second;

TEST(SwarmTallies, AreKeptByZoneAndRight)
{
    SwarmTallies tallies;
    SwarmPart one;
    SwarmPart two;
    SwarmPart three;
    tallies.enter(one, 7, "a", 0, begin);
    tallies.enter(two, 7, "a", 1000, begin);
    tallies.enter(three, 8, "a", 555, begin);
    const auto all = tallies.all();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].right, 7U);
    EXPECT_EQ(all[0].members, 2U);
    EXPECT_EQ(all[0].complete(), 1U);
    EXPECT_EQ(all[0].percents[0], 1U);
    EXPECT_EQ(all[1].percents[55], 1U);
    EXPECT_EQ(two.complete_at, begin);
    EXPECT_EQ(one.complete_at, 0);
}

TEST(SwarmTallies, KeepTheBytesOfThoseWhoLeft)
{
    SwarmTallies tallies;
    SwarmPart part;
    tallies.enter(part, 1, "a", 0, begin);
    tallies.receive(part, {.origin = 5, .zone = 6, .across = 7});
    tallies.move(part, 0, 500, 0, begin);
    tallies.leave(part, 500);
    tallies.leave(part, 500);
    const auto all = tallies.all();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].members, 0U);
    EXPECT_EQ(all[0].percents[50], 0U);
    EXPECT_EQ(all[0].received.all(), 18U);
}

TEST(SwarmTallies, CompareThoseWhoAreCompleteWithTheirLinks)
{
    SwarmTallies tallies;
    SwarmPart part;
    tallies.enter(part, 1, "a", 0, begin);
    tallies.receive(part, {.origin = 0, .zone = 1'000, .across = 0});
    EXPECT_EQ(tallies.move(part, 0, 990, 500, begin + 3 * swarm_second), SwarmPace{});
    const auto its = tallies.move(part, 990, 1000, 500, begin + 4 * swarm_second);
    EXPECT_DOUBLE_EQ(its.bound_seconds, 2);
    EXPECT_DOUBLE_EQ(its.seconds, 4);
    EXPECT_EQ(tallies.all()[0].pace, its);
    EXPECT_EQ(part.complete_at, begin + 4 * swarm_second);
    // What had it from elsewhere, or says nothing of its link, is no measure.
    SwarmPart cached;
    tallies.enter(cached, 1, "a", 0, begin);
    EXPECT_EQ(tallies.move(cached, 0, 1000, 500, begin + swarm_second), SwarmPace{});
    SwarmPart unknown;
    tallies.enter(unknown, 1, "a", 0, begin);
    tallies.receive(unknown, {.origin = 9, .zone = 0, .across = 0});
    EXPECT_EQ(tallies.move(unknown, 0, 1000, 0, begin + swarm_second), SwarmPace{});
}

TEST(SwarmTallies, WhoLosesSomethingIsNotCompleteAnyMore)
{
    SwarmTallies tallies;
    SwarmPart part;
    tallies.enter(part, 1, "a", 1000, begin);
    tallies.move(part, 1000, 700, 500, begin + swarm_second);
    EXPECT_EQ(part.complete_at, 0);
    EXPECT_EQ(tallies.all()[0].complete(), 0U);
    EXPECT_EQ(tallies.all()[0].percents[70], 1U);
}

TEST(SwarmTallies, InventedZonesAreOneInTheEnd)
{
    SwarmTallies tallies;
    std::vector<SwarmPart> parts(3 * SwarmTallies::most);
    for (std::size_t at = 0; at < parts.size(); ++at) tallies.enter(parts[at], 1, "z" + std::to_string(at), 0, begin);
    const auto all = tallies.all();
    EXPECT_EQ(all.size(), SwarmTallies::most + 1);
    std::uint32_t members = 0;
    for (const auto& tally : all) members += tally.members;
    EXPECT_EQ(members, parts.size());
    for (auto& part : parts) tallies.leave(part, 0);
    for (const auto& tally : tallies.all()) EXPECT_EQ(tally.members, 0U);
}

}  // namespace
}  // namespace entrepot

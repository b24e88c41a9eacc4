#include "swarm/peer/super_seed.hpp"
#include "swarm/peer/upload_queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

namespace entrepot {
namespace {

struct Shown final : SeedLinks {
    void reveal(NeighbourSlot neighbour, std::span<const PieceRange> ranges) override
    {
        for (const auto range : ranges) {
            for (std::uint32_t at = 0; at < range.count; ++at) pieces.emplace_back(neighbour, range.first + at);
        }
    }
    std::vector<std::pair<NeighbourSlot, PieceIndex>> take() { return std::exchange(pieces, {}); }
    std::vector<std::pair<NeighbourSlot, PieceIndex>> pieces;
};

class ASuperSeed : public ::testing::Test {
protected:
    PieceLayout layout = *PieceLayout::of(std::vector<std::uint64_t>(1, 30 * chunk_bytes), 1);
    SeedPolicy policy{.shown_pieces = 2, .offered_copies = 2};
    Shown links;
    // A new neighbour, shown what there is to show.
    NeighbourSlot join(SuperSeed& whose)
    {
        const auto slot = *whose.add_neighbour(now);
        whose.wake(now);
        return slot;
    }

    SuperSeed seed{layout, policy, links, 0, 0, 3};
    SwarmTime now = swarm_second;
};

TEST_F(ASuperSeed, ShowsEachPieceToOneNeighbourInOrder)
{
    join(seed);
    join(seed);
    join(seed);
    PieceIndex next = 0;
    for (int round = 0; next < 30; ++round) {
        for (const auto& [neighbour, piece] : links.take()) {
            EXPECT_EQ(piece, next++);
            seed.sent(neighbour, piece, now);
        }
        ASSERT_LT(round, 30);
    }
    EXPECT_EQ(seed.sent_bytes(), 30 * chunk_bytes);
}

TEST_F(ASuperSeed, AfterTheFirstCopyItShowsWhatIsRareAndStopsAtItsLimit)
{
    const auto one = join(seed);
    const auto two = join(seed);
    std::map<PieceIndex, int> sent;
    for (int round = 0; round < 100; ++round) {
        for (const auto& [neighbour, piece] : links.take()) {
            ++sent[piece];
            seed.sent(neighbour, piece, now);
        }
    }
    EXPECT_EQ(sent.size(), 30U);
    EXPECT_EQ(seed.sent_bytes(), 60 * chunk_bytes) << "each has all, nobody anything twice";
    EXPECT_NE(one, two);
}

TEST_F(ASuperSeed, WhatAGoneNeighbourDidNotTakeIsShownToTheNext)
{
    const auto gone = join(seed);
    const auto owed = links.take();
    ASSERT_EQ(owed.size(), 2U);
    seed.remove_neighbour(gone);
    join(seed);
    const auto again = links.take();
    ASSERT_EQ(again.size(), 2U);
    EXPECT_EQ(again[0].second, owed[0].second);
    EXPECT_EQ(again[1].second, owed[1].second);
}

TEST_F(ASuperSeed, WhatANeighbourDoesNotAskForIsShownToOthers)
{
    const auto silent = join(seed);
    const auto lost = links.take();
    ASSERT_EQ(lost.size(), 2U);
    seed.asked(silent, lost[1].second);
    const auto other = join(seed);
    for (const auto& [neighbour, piece] : links.take()) seed.asked(neighbour, piece);
    now += 2 * policy.asking_time;
    seed.sent(other, 2, now);
    const auto again = links.take();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again.front(), (std::pair<NeighbourSlot, PieceIndex>{other, lost[0].second}));
    // Who was silent is shown nothing until it asks.
    seed.sent(silent, lost[1].second, now);
    EXPECT_TRUE(links.take().empty());
    seed.asked(silent, 9);
    seed.sent(silent, 9, now);
    EXPECT_FALSE(links.take().empty());
}

TEST_F(ASuperSeed, DoesNotShowWhatANeighbourHas)
{
    const auto slot = join(seed);
    links.take();
    const std::vector<PieceRange> most{{0, 29}};
    seed.has(slot, most, now);
    for (const auto& [neighbour, piece] : links.take()) EXPECT_EQ(piece, 29U);
}

TEST_F(ASuperSeed, InstancesBeginElsewhere)
{
    SuperSeed second{layout, policy, links, 0, 15, 3};
    join(second);
    EXPECT_EQ(links.take().front().second, 15U);
}

TEST_F(ASuperSeed, ShowsNoMoreThanLeavesSoonAndEverybodyInTurn)
{
    policy.shown_time = 10 * swarm_millisecond;
    // In that time less than four pieces leave, which it shows all the same.
    SuperSeed slow{layout, policy, links, 4.0, 0, 3};
    for (int count = 0; count < 10; ++count) join(slow);
    auto shown = links.take();
    EXPECT_EQ(shown.size(), 4U);
    std::map<NeighbourSlot, int> turns;
    for (int sent = 0; sent < 16; ++sent) {
        ASSERT_EQ(shown.size(), 4U);
        slow.sent(shown.front().first, shown.front().second, now);
        shown.erase(shown.begin());
        for (const auto& more : links.take()) {
            ++turns[more.first];
            shown.push_back(more);
        }
    }
    EXPECT_GE(turns.size(), 8U);
}

TEST_F(ASuperSeed, AZoneThatNothingComesToIsShownAllThatItLacks)
{
    const auto here = *seed.add_neighbour(now, 0);
    const auto there = *seed.add_neighbour(now, 1);
    std::map<NeighbourSlot, std::set<PieceIndex>> sent;
    for (int round = 0; round < 200; ++round) {
        seed.wake(now);
        for (const auto& [neighbour, piece] : links.take()) {
            sent[neighbour].insert(piece);
            seed.sent(neighbour, piece, now);
        }
        now += policy.asking_time / 2;
    }
    EXPECT_EQ(sent[here].size(), 30U);
    EXPECT_EQ(sent[there].size(), 30U);
}

TEST(UploadQueue, IsBoundedButTakesOnePieceOfAnySize)
{
    UploadQueue queue{100};
    EXPECT_TRUE(queue.offer({.link = 1, .request = 1, .extents = {}, .bytes = 500}));
    EXPECT_FALSE(queue.offer({.link = 1, .request = 2, .extents = {}, .bytes = 1}));
    EXPECT_EQ(queue.next()->request, 1U);
    EXPECT_EQ(queue.bytes(), 0U);
    EXPECT_FALSE(queue.next().has_value());
}

TEST(UploadQueue, ServesByRankAndThenInOrder)
{
    UploadQueue queue{1000};
    queue.offer({.request = 1, .extents = {}, .bytes = 1, .rank = 1});
    queue.offer({.request = 2, .extents = {}, .bytes = 1, .rank = 1});
    queue.offer({.request = 3, .extents = {}, .bytes = 1, .rank = 0});
    std::vector<std::uint32_t> order;
    while (const auto next = queue.next()) order.push_back(next->request);
    EXPECT_EQ(order, (std::vector<std::uint32_t>{3, 1, 2}));
}

TEST(UploadQueue, ForgetsWhatIsCancelledAndWhoHasGone)
{
    UploadQueue queue{1000};
    queue.offer({.link = 1, .request = 1, .extents = {}, .bytes = 10});
    queue.offer({.link = 2, .request = 1, .extents = {}, .bytes = 10});
    queue.offer({.link = 2, .request = 2, .extents = {}, .bytes = 10});
    EXPECT_EQ(queue.cancel(2, 1)->bytes, 10U);
    EXPECT_FALSE(queue.cancel(2, 1).has_value());
    EXPECT_EQ(queue.bytes(), 20U);
    queue.drop_link(2);
    EXPECT_EQ(queue.bytes(), 10U);
    EXPECT_EQ(queue.next()->link, 1U);
}

}  // namespace
}  // namespace entrepot

#include "swarm/peer/swarm_peer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

namespace entrepot {
namespace {

struct Told final : PeerLinks {
    void announce(std::span<const PieceRange> ranges) override
    {
        news.insert(news.end(), ranges.begin(), ranges.end());
    }
    void ask(NeighbourSlot neighbour, std::span<const PieceIndex> pieces) override
    {
        ++requests;
        for (const auto piece : pieces) asked.emplace_back(neighbour, piece);
    }
    void cancel(NeighbourSlot neighbour, PieceIndex piece) override { cancelled.emplace_back(neighbour, piece); }
    void rewire(std::optional<NeighbourSlot> useless) override { rewired.push_back(useless); }
    void wake_at(SwarmTime time) override { alarm = time; }

    std::vector<std::pair<NeighbourSlot, PieceIndex>> take() { return std::exchange(asked, {}); }

    std::vector<PieceRange> news;
    std::vector<std::pair<NeighbourSlot, PieceIndex>> asked;
    std::vector<std::pair<NeighbourSlot, PieceIndex>> cancelled;
    std::vector<std::optional<NeighbourSlot>> rewired;
    SwarmTime alarm = 0;
    int requests = 0;
};

class ASwarmPeer : public ::testing::Test {
protected:
    NeighbourSlot neighbour_with(std::vector<PieceRange> ranges, bool seed = false)
    {
        const auto slot = *peer.add_neighbour(seed, now);
        peer.has(slot, ranges, 0, now);
        return slot;
    }
    NeighbourSlot neighbour_across_with(std::vector<PieceRange> ranges)
    {
        const auto slot = *peer.add_neighbour(false, now, true);
        peer.has(slot, ranges, 0, now);
        return slot;
    }
    // One that has answered already, with one piece of these.
    NeighbourSlot answering_neighbour_with(const std::vector<PieceRange>& ranges)
    {
        const auto slot = neighbour_with(ranges);
        const auto mine = std::ranges::find(links.asked, slot, &std::pair<NeighbourSlot, PieceIndex>::first);
        if (mine == links.asked.end()) {
            ADD_FAILURE() << "it was asked for nothing";
            return slot;
        }
        const auto piece = mine->second;
        links.asked.erase(mine);
        peer.arrived(slot, piece, ++now);
        return slot;
    }
    // Lets time pass, waking the peer whenever it wants to be.
    void pass(SwarmTime time)
    {
        const auto until = now + time;
        while (links.alarm != 0 && links.alarm <= until) {
            now = std::max(now, std::exchange(links.alarm, 0));
            peer.wake(now);
        }
        now = until;
    }

    PieceLayout layout = *PieceLayout::of(std::vector<std::uint64_t>(1, 40 * chunk_bytes), 1);
    PeerPolicy policy;
    Told links;
    SwarmPeer peer{layout, policy, links, 7};
    SwarmTime now = swarm_second;
};

TEST_F(ASwarmPeer, AsksForNoMoreThanItsPipelineAndOfNobodyTooMuch)
{
    peer.start(now);
    const auto one = answering_neighbour_with({{0, 40}});
    EXPECT_EQ(links.asked.size(), policy.neighbour_pieces);
    answering_neighbour_with({{0, 40}});
    answering_neighbour_with({{0, 40}});
    const auto last = neighbour_with({{0, 40}});
    EXPECT_EQ(links.asked.size(), policy.pipeline_pieces);
    std::set<PieceIndex> different;
    for (const auto& [neighbour, piece] : links.asked) different.insert(piece);
    EXPECT_EQ(different.size(), policy.pipeline_pieces);
    const auto first = links.take().front();
    peer.arrived(first.first, first.second, ++now);
    EXPECT_EQ(first.first, one);
    // There is room for one again; who is on trial is asked beside.
    std::set<NeighbourSlot> asked;
    for (const auto& [neighbour, piece] : links.asked) asked.insert(neighbour);
    EXPECT_EQ(links.asked.size(), 2U);
    EXPECT_EQ(asked, (std::set{one, last}));
}

TEST_F(ASwarmPeer, ManySmallPiecesAreOneRequest)
{
    const auto tiny = *PieceLayout::of(std::vector<std::uint64_t>(40, 1000), 1);
    policy.neighbour_pieces = 64;
    SwarmPeer small{tiny, policy, links, 7};
    small.start(now);
    const auto slot = *small.add_neighbour(false, now);
    const std::vector<PieceRange> all{{0, 40}};
    small.has(slot, all, 0, now);
    const auto first = links.take();
    ASSERT_EQ(first.size(), 1U);
    small.arrived(slot, first.front().second, ++now);
    EXPECT_EQ(links.requests, 2);
    EXPECT_EQ(links.asked.size(), 39U);
}

TEST_F(ASwarmPeer, WhoAnswersNothingDoesNotFillThePipeline)
{
    peer.start(now);
    std::set<NeighbourSlot> silent;
    for (std::uint32_t count = 0; count < policy.pipeline_pieces; ++count) silent.insert(neighbour_with({{0, 40}}));
    const auto good = neighbour_with({{0, 40}});
    const auto began = now;
    std::map<NeighbourSlot, int> asked;
    for (auto requests = links.take(); !requests.empty();) {
        const auto [neighbour, piece] = requests.front();
        requests.erase(requests.begin());
        ++asked[neighbour];
        if (neighbour == good) peer.arrived(neighbour, piece, ++now);
        for (const auto& more : links.take()) requests.push_back(more);
    }
    for (const auto neighbour : silent) EXPECT_EQ(asked[neighbour], 1);
    EXPECT_EQ(peer.picker().missing(), silent.size()) << "all that the silent ones were not asked for";
    EXPECT_LT(now - began, policy.shortest_timeout) << "nobody was given up meanwhile";
}

TEST_F(ASwarmPeer, WhoIsLateIsAskedForOnePieceAtATime)
{
    peer.start(now);
    const auto late = answering_neighbour_with({{0, 40}});
    ASSERT_EQ(links.take().size(), policy.neighbour_pieces);
    while (links.cancelled.size() < policy.neighbour_pieces) pass(policy.look_interval);
    while (links.asked.empty()) pass(policy.look_interval);
    const auto again = links.take();
    ASSERT_EQ(again.size(), 1U);
    peer.arrived(late, again.front().second, ++now);
    EXPECT_EQ(links.asked.size(), policy.neighbour_pieces) << "it answered";
}

TEST_F(ASwarmPeer, FinishesAndSaysSo)
{
    peer.start(now);
    neighbour_with({{0, 40}});
    neighbour_with({{0, 20}});
    while (!links.asked.empty()) {
        for (const auto& [neighbour, piece] : links.take()) peer.arrived(neighbour, piece, now += swarm_millisecond);
    }
    EXPECT_TRUE(peer.complete());
    EXPECT_EQ(peer.held_bytes(), 40 * chunk_bytes);
    PieceSet told{40};
    for (const auto range : links.news) {
        for (std::uint32_t at = 0; at < range.count; ++at) EXPECT_TRUE(told.insert(range.first + at));
    }
    EXPECT_TRUE(told.full());
    EXPECT_EQ(peer.counts().duplicates, 0U);
}

TEST_F(ASwarmPeer, NewsAreGatheredAndNotForgotten)
{
    peer.start(now);
    peer.arrived(std::nullopt, 0, now);
    peer.arrived(std::nullopt, 1, now + 1);
    peer.arrived(std::nullopt, 2, now + 2);
    ASSERT_EQ(links.news.size(), 1U);
    pass(policy.announce_interval);
    const std::vector<PieceRange> expected{{0, 1}, {1, 2}};
    EXPECT_EQ(links.news, expected);
}

TEST_F(ASwarmPeer, AsksAnotherWhenOneIsBusy)
{
    peer.start(now);
    const auto busy = neighbour_with({{0, 1}});
    const auto other = neighbour_with({{0, 1}});
    ASSERT_EQ(links.take(), (std::vector<std::pair<NeighbourSlot, PieceIndex>>{{busy, 0}}));
    peer.refused(busy, 0, 5 * swarm_millisecond, 5 * swarm_millisecond, now);
    EXPECT_EQ(links.take(), (std::vector<std::pair<NeighbourSlot, PieceIndex>>{{other, 0}}));
    peer.refused(other, 0, 50 * swarm_millisecond, 50 * swarm_millisecond, now);
    EXPECT_TRUE(links.asked.empty()) << "both are busy";
    pass(policy.look_interval);
    EXPECT_EQ(links.take(), (std::vector<std::pair<NeighbourSlot, PieceIndex>>{{busy, 0}}));
}

TEST_F(ASwarmPeer, GivesUpWhoDoesNotAnswer)
{
    peer.start(now);
    const auto silent = neighbour_with({{0, 40}});
    pass(10 * swarm_second);
    EXPECT_GE(peer.counts().timeouts, 3U);
    EXPECT_FALSE(links.cancelled.empty());
    ASSERT_FALSE(links.rewired.empty());
    EXPECT_NE(std::ranges::find(links.rewired, std::optional{silent}), links.rewired.end());
    // Late, and welcome all the same.
    peer.arrived(silent, 3, now);
    EXPECT_TRUE(peer.picker().held().contains(3));
}

TEST_F(ASwarmPeer, WhatAGoneNeighbourOwedIsAskedOfOthers)
{
    peer.start(now);
    const auto gone = answering_neighbour_with({{0, 3}});
    const auto owed = links.take();
    ASSERT_EQ(owed.size(), 2U);
    const auto other = neighbour_with({{0, 3}});
    EXPECT_TRUE(links.asked.empty());
    peer.remove_neighbour(gone, now);
    std::set<PieceIndex> again;
    while (!links.asked.empty()) {
        for (const auto& [neighbour, piece] : links.take()) {
            EXPECT_EQ(neighbour, other);
            again.insert(piece);
            peer.arrived(neighbour, piece, ++now);
        }
    }
    EXPECT_EQ(again, (std::set{owed[0].second, owed[1].second}));
    EXPECT_EQ(peer.neighbours(), 1U);
}

TEST_F(ASwarmPeer, ASlotIsUsedAgainWithoutItsPast)
{
    peer.start(now);
    const auto first = neighbour_with({{5, 1}});
    links.take();
    peer.remove_neighbour(first, now);
    const auto second = *peer.add_neighbour(false, now);
    EXPECT_EQ(second, first);
    pass(policy.look_interval);
    EXPECT_TRUE(links.asked.empty());
    EXPECT_EQ(peer.picker().holders(5), 0U);
}

TEST_F(ASwarmPeer, WhatTheRegistryShowsIsAskedForAtOnce)
{
    peer.start(now);
    for (int count = 0; count < 3; ++count) answering_neighbour_with({{0, 40}});
    ASSERT_EQ(links.take().size(), policy.pipeline_pieces);
    const auto seed = *peer.add_neighbour(true, now);
    PieceIndex open = 0;
    while (!peer.picker().is_open(open)) ++open;
    const std::vector<PieceRange> shown{{open, 1}};
    peer.has(seed, shown, 0, now);
    EXPECT_EQ(links.take(), (std::vector<std::pair<NeighbourSlot, PieceIndex>>{{seed, open}}));
}

TEST_F(ASwarmPeer, AFalsePieceIsFetchedElsewhere)
{
    peer.start(now);
    const auto liar = neighbour_with({{0, 1}});
    links.take();
    const auto honest = neighbour_with({{0, 1}});
    peer.was_false(liar, 0, now);
    EXPECT_EQ(links.take(), (std::vector<std::pair<NeighbourSlot, PieceIndex>>{{honest, 0}}));
    EXPECT_FALSE(peer.picker().held().contains(0));
}

TEST_F(ASwarmPeer, StarvedItWantsAnotherNeighbour)
{
    peer.start(now);
    const auto poor = neighbour_with({});
    pass(5 * swarm_second);
    ASSERT_FALSE(links.rewired.empty());
    EXPECT_EQ(links.rewired.front(), std::nullopt) << "nobody goes before its trial is over";
    EXPECT_EQ(links.rewired.back(), poor);
}

TEST_F(ASwarmPeer, WithoutATrackerItGivesUpNobody)
{
    peer.set_tracked(false);
    peer.start(now);
    neighbour_with({});
    const auto silent = neighbour_with({{0, 40}});
    pass(10 * swarm_second);
    EXPECT_GE(peer.counts().timeouts, 3U);
    EXPECT_TRUE(links.rewired.empty()) << "nobody would name another one";
    // They may go when there is somebody who would.
    peer.set_tracked(true);
    pass(10 * swarm_second);
    EXPECT_NE(std::ranges::find(links.rewired, std::optional{silent}), links.rewired.end());
}

TEST_F(ASwarmPeer, AsksOtherZonesOnlyForWhatNobodyNearHas)
{
    peer.start(now);
    for (int count = 0; count < 4; ++count) neighbour_with({{0, 30}});
    const auto far = neighbour_across_with({{0, 40}});
    std::set<PieceIndex> asked;
    for (int count = 0; count < 400; ++count) {
        for (const auto& [neighbour, piece] : links.take()) {
            if (neighbour == far) asked.insert(piece);
            peer.arrived(neighbour, piece, now);
        }
        pass(policy.turn_time);
    }
    EXPECT_TRUE(peer.complete());
    EXPECT_EQ(asked.size(), 10U);
    EXPECT_GE(*asked.begin(), 30U);
}

TEST_F(ASwarmPeer, WhoPromisesMuchAndAnswersNothingKeepsNothingFromAnotherZone)
{
    peer.start(now);
    const auto silent = neighbour_with({{0, 40}});
    const auto far = neighbour_across_with({{0, 40}});
    for (int count = 0; count < 400 && !peer.complete(); ++count) {
        for (const auto& [neighbour, piece] : links.take()) {
            if (neighbour != silent) peer.arrived(neighbour, piece, now);
        }
        pass(policy.look_interval);
    }
    EXPECT_TRUE(peer.complete());
    EXPECT_EQ(peer.neighbours(), 2U) << far;
}

TEST_F(ASwarmPeer, WithoutABudgetNothingComesFromAnotherZone)
{
    AcrossBudget budget;
    budget.set(0, now);
    peer.set_budget(budget);
    peer.start(now);
    neighbour_across_with({{0, 40}});
    pass(5 * swarm_second);
    EXPECT_TRUE(links.take().empty());
    budget.set(no_rate_limit, now);
    pass(policy.look_interval);
    EXPECT_FALSE(links.take().empty());
}

TEST(AcrossBudget, IsMadeUpForByWaiting)
{
    AcrossBudget budget;
    const SwarmTime now = swarm_second;
    EXPECT_TRUE(budget.has_room(now));
    budget.set(1'000, now);
    EXPECT_TRUE(budget.has_room(now));
    budget.spent(3'000, now);
    EXPECT_FALSE(budget.has_room(now + 2 * swarm_second));
    EXPECT_TRUE(budget.has_room(now + 3 * swarm_second));
    budget.set(0, now);
    EXPECT_FALSE(budget.has_room(now + 1'000 * swarm_second));
    budget.set(no_rate_limit, now);
    EXPECT_TRUE(budget.has_room(now));
}

TEST_F(ASwarmPeer, TakesNoMoreNeighboursThanItCanHold)
{
    for (std::size_t count = 0; count < SwarmPeer::most_neighbours; ++count)
        ASSERT_TRUE(peer.add_neighbour(false, now).has_value());
    EXPECT_EQ(peer.add_neighbour(false, now), std::nullopt);
}

TEST_F(ASwarmPeer, CompleteItSparesThoseWhoAreTooAndSleeps)
{
    for (PieceIndex piece = 0; piece < 40; ++piece) peer.hold(piece);
    peer.start(now);
    EXPECT_EQ(links.alarm, 0);
    neighbour_with({{0, 10}});
    EXPECT_EQ(peer.spare_neighbour(), std::nullopt);
    const auto done = neighbour_with({{0, 40}});
    EXPECT_EQ(peer.spare_neighbour(), done);
    EXPECT_TRUE(links.asked.empty());
}

}  // namespace
}  // namespace entrepot

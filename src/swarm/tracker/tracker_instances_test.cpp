#include "swarm/tracker/swarm_owner.hpp"
#include "swarm/tracker/test_tracker.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace entrepot {
namespace {

PeerEndpoint instance_named(std::uint8_t number)
{
    PeerEndpoint instance{.port = 7400};
    instance.address[10] = instance.address[11] = 0xff;
    instance.address[12] = 192;
    instance.address[15] = number;
    return instance;
}

std::vector<PeerEndpoint> instances(std::uint8_t count)
{
    std::vector<PeerEndpoint> all;
    for (std::uint8_t number = 1; number <= count; ++number) all.push_back(instance_named(number));
    return all;
}

SwarmId any_swarm(std::uint32_t number)
{
    return {node_named(number).bytes};
}

TEST(OwnerOfASwarm, IsNobodyWhereThereAreNoInstances)
{
    EXPECT_EQ(owner_of(any_swarm(1), {}), nullptr);
}

TEST(OwnerOfASwarm, SpreadsSwarmsEvenly)
{
    const auto all = instances(5);
    std::map<std::uint8_t, int> swarms;
    for (std::uint32_t number = 0; number < 10'000; ++number) ++swarms[owner_of(any_swarm(number), all)->address[15]];
    for (const auto& one : all) {
        EXPECT_GT(swarms[one.address[15]], 1'800);
        EXPECT_LT(swarms[one.address[15]], 2'200);
    }
}

TEST(OwnerOfASwarm, DoesNotDependOnTheirOrder)
{
    const auto all = instances(5);
    auto reversed = all;
    std::ranges::reverse(reversed);
    for (std::uint32_t number = 0; number < 1'000; ++number)
        EXPECT_EQ(*owner_of(any_swarm(number), all), *owner_of(any_swarm(number), reversed));
}

TEST(OwnerOfASwarm, ChangesForThoseOfAnInstanceThatGoesAlone)
{
    const auto all = instances(5);
    const auto fewer = instances(4);
    int of_the_gone = 0;
    for (std::uint32_t number = 0; number < 1'000; ++number) {
        const auto before = *owner_of(any_swarm(number), all);
        if (before == all.back())
            ++of_the_gone;
        else
            EXPECT_EQ(*owner_of(any_swarm(number), fewer), before);
    }
    EXPECT_GT(of_the_gone, 100);
}

// The tracker is the first of two instances.
class ATrackerOfTwo : public ATracker {
protected:
    ATrackerOfTwo()
    {
        tracker.set_instances(self, {self, other});
        while (*owner_of(swarm_named(ours), {{self, other}}) != self) ++ours;
        while (*owner_of(swarm_named(theirs), {{self, other}}) != other) ++theirs;
    }

    void open_that_moves(ControlId stream, std::uint32_t node, bool aside = false)
    {
        tracker.opened(stream, node_named(node), {.port = 999}, now);
        RegisterFrame hello;
        hello.name = "node-" + std::to_string(node);
        hello.endpoint.port = 7000;
        hello.capabilities = hello.capabilities.with(Capability::moves);
        hello.aside = aside;
        tracker.received(stream, hello, now);
    }
    void announce_here(ControlId stream, std::uint8_t swarm, std::uint16_t handle = 1)
    {
        AnnounceFrame frame;
        frame.handle = SwarmHandle{handle};
        frame.swarm = swarm_named(swarm);
        frame.here = true;
        tracker.received(stream, frame, now);
    }
    MovedFrame moved(std::uint16_t handle, const PeerEndpoint& to)
    {
        return {.handle = SwarmHandle{handle}, .control = to};
    }

    const PeerEndpoint self = instance_named(1);
    const PeerEndpoint other = instance_named(2);
    std::uint8_t ours = 1;
    std::uint8_t theirs = 1;
};

TEST_F(ATrackerOfTwo, SendsNodesToWhoTracksASwarm)
{
    open_that_moves(1, 1);
    EXPECT_EQ(shell.take<InstancesFrame>(1), (std::vector<InstancesFrame>{{.others = {other}}}));
    announce(1, theirs, 7);
    EXPECT_EQ(shell.take<MovedFrame>(1), std::vector{moved(7, other)});
    EXPECT_TRUE(shell.wishes.empty());
    EXPECT_EQ(tracker.swarms(), 0U);
    announce(1, ours, 8);
    EXPECT_TRUE(shell.take<MovedFrame>(1).empty());
    EXPECT_EQ(shell.wishes.size(), 1U);
    // Its number is free again.
    announce(1, theirs, 7);
    EXPECT_EQ(shell.take<MovedFrame>(1).size(), 1U);
}

TEST_F(ATrackerOfTwo, TracksForThoseThatDoNotKnowOfMoving)
{
    open(1);
    EXPECT_TRUE(shell.take<InstancesFrame>(1).empty());
    announce(1, theirs);
    EXPECT_TRUE(shell.take<MovedFrame>(1).empty());
    ASSERT_EQ(shell.wishes.size(), 1U);
    admit_all();
    // Nor are they sent away later.
    tracker.set_instances(self, {self, other, instance_named(3)});
    tracker.set_instances(self, {self, other});
    EXPECT_TRUE(shell.take<MovedFrame>(1).empty());
    EXPECT_EQ(tracker.overview(swarm_named(theirs))->members, 1U);
}

TEST_F(ATrackerOfTwo, TracksForWhoCannotReachTheOwner)
{
    open_that_moves(1, 1);
    announce_here(1, theirs);
    EXPECT_TRUE(shell.take<MovedFrame>(1).empty());
    admit_all();
    EXPECT_EQ(tracker.overview(swarm_named(theirs))->members, 1U);
    // Until it tries again.
    announce(1, theirs);
    EXPECT_EQ(shell.take<MovedFrame>(1), std::vector{moved(1, other)});
    EXPECT_FALSE(tracker.overview(swarm_named(theirs)));
}

TEST_F(ATrackerOfTwo, SendsMembersOnWhenTheOwnerIsAnotherOne)
{
    open_that_moves(1, 1);
    announce_here(1, theirs, 1);
    announce(1, ours, 2);
    admit_all();
    // Whoever comes or goes, what stays with its owner stays.
    tracker.set_instances(self, {self, other});
    EXPECT_TRUE(shell.take<MovedFrame>(1).empty());
    shell.frames.clear();
    auto third = instance_named(3);
    while (*owner_of(swarm_named(ours), {{self, other, third}}) != third) ++third.address[15];
    const bool both = *owner_of(swarm_named(theirs), {{self, other, third}}) == third;
    tracker.set_instances(self, {third, other, self});
    EXPECT_EQ(shell.take<InstancesFrame>(1).size(), 1U);
    auto expected = std::vector{moved(2, third)};
    if (both) expected.insert(expected.begin(), moved(1, third));
    EXPECT_EQ(shell.take<MovedFrame>(1), expected);
    EXPECT_FALSE(tracker.overview(swarm_named(ours)));
    // It goes again, and what was its is ours.
    tracker.set_instances(self, {other, self});
    announce(1, ours, 2);
    EXPECT_TRUE(shell.take<MovedFrame>(1).empty());
}

TEST_F(ATrackerOfTwo, KeepsWhatIsItsOwnWhereItIsAlone)
{
    open_that_moves(1, 1);
    tracker.set_instances(self, {});
    announce(1, theirs);
    EXPECT_TRUE(shell.take<MovedFrame>(1).empty());
    EXPECT_EQ(shell.wishes.size(), 1U);
}

TEST_F(ATrackerOfTwo, HasOneStreamOfANode)
{
    open_that_moves(1, 1, true);
    EXPECT_TRUE(shell.take<InstancesFrame>(1).empty());
    EXPECT_EQ(shell.take<WelcomeFrame>(1).size(), 1U);
    EXPECT_EQ(tracker.nodes(), 0U) << "its own stream is elsewhere";
    announce(1, ours);
    admit_all();
    EXPECT_EQ(tracker.overview(swarm_named(ours))->members, 1U);
    // Its own one takes the place of that aside.
    open_that_moves(2, 1);
    EXPECT_EQ(shell.closed, std::set<ControlId>{1});
    EXPECT_EQ(tracker.nodes(), 1U);
    EXPECT_FALSE(tracker.overview(swarm_named(ours)));
    // And another one aside is not wanted.
    open_that_moves(3, 1, true);
    EXPECT_EQ(shell.closed, (std::set<ControlId>{1, 3}));
    EXPECT_EQ(shell.take<ByeFrame>(3).front().reason, ByeReason::duplicate);
    EXPECT_TRUE(shell.take<WelcomeFrame>(3).empty());
    EXPECT_EQ(tracker.nodes(), 1U);
    announce(2, ours);
    EXPECT_EQ(shell.wishes.size(), 1U) << "it is still there";
}

TEST_F(ATrackerOfTwo, HasNobodyPreheatOnAStreamAside)
{
    open_that_moves(1, 1, true);
    open_that_moves(2, 2);
    PreheatFrame job;
    job.repository = "library/app";
    EXPECT_EQ(tracker.preheat(job, [](std::string_view, std::string_view) { return true; }), 1U);
    EXPECT_TRUE(shell.take<PreheatFrame>(1).empty());
}

}  // namespace
}  // namespace entrepot

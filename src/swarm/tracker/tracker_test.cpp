#include "swarm/tracker/test_tracker.hpp"

namespace entrepot {
namespace {

TEST_F(ATracker, WelcomesAndNamesNobodyBeforeTheRightIsKnown)
{
    open(1);
    ASSERT_EQ(shell.take<WelcomeFrame>(1).size(), 1U);
    announce(1, 1);
    EXPECT_TRUE(shell.frames[1].empty());
    ASSERT_EQ(shell.wishes.size(), 1U);
    admit_all();
    EXPECT_EQ(shell.take<TicketFrame>(1).front().ticket, "ticket");
    const auto named = shell.take<NeighboursFrame>(1);
    ASSERT_EQ(named.size(), 1U);
    ASSERT_EQ(named.front().peers.size(), 1U) << "the registry, as nobody else is there";
    EXPECT_TRUE(named.front().peers.front().seed);
}

TEST_F(ATracker, PassesOnTheTicketThatANodeHasAlready)
{
    open(1);
    AnnounceFrame frame;
    frame.handle = SwarmHandle{1};
    frame.ticket = "by HTTP";
    tracker.received(1, frame, now);
    ASSERT_EQ(shell.wishes.size(), 1U);
    EXPECT_EQ(shell.wishes.front().ticket, "by HTTP");
    tracker.received(1, frame, now);
    EXPECT_EQ(shell.wishes.size(), 1U) << "it counts where the number is new";
}

TEST_F(ATracker, HasOneCertificateRenewedAtATime)
{
    open(1);
    shell.frames.clear();
    tracker.received(1, RenewFrame{.request = "first"}, now);
    tracker.received(1, RenewFrame{.request = "impatient"}, now);
    ASSERT_EQ(shell.renewals.size(), 1U);
    EXPECT_EQ(shell.renewals.front().node, node_named(1));
    EXPECT_EQ(shell.renewals.front().request, "first");
    tracker.certified(1, "certificate", "authorities");
    EXPECT_EQ(
        shell.take<CertificateFrame>(1),
        (std::vector<CertificateFrame>{{.certificate = "certificate", .authorities = "authorities"}})
    );
    tracker.received(1, RenewFrame{.request = "a day later"}, now);
    EXPECT_EQ(shell.renewals.size(), 2U);
    tracker.renewal_failed(1);
    tracker.received(1, RenewFrame{.request = "again"}, now);
    EXPECT_EQ(shell.renewals.size(), 3U) << "nothing was known, so it was told nothing";
    tracker.closed(1);
    tracker.renewal_failed(1);
    tracker.certified(1, "too late", {});
    EXPECT_TRUE(shell.frames[1].empty());
}

TEST_F(ATracker, NamesTheKeysOfTicketsToEverybody)
{
    open(1);
    EXPECT_TRUE(shell.take<TicketKeysFrame>(1).empty());
    std::vector<TicketPublicKey> keys(2);
    keys[1].bytes[0] = 1;
    tracker.set_ticket_keys(keys);
    EXPECT_EQ(shell.take<TicketKeysFrame>(1), std::vector{TicketKeysFrame{.keys = keys}});
    tracker.set_ticket_keys(keys);
    EXPECT_TRUE(shell.take<TicketKeysFrame>(1).empty()) << "nothing has changed";
    open(2);
    ASSERT_EQ(shell.frames[2].size(), 2U);
    EXPECT_TRUE(std::holds_alternative<WelcomeFrame>(shell.frames[2].front()));
    EXPECT_EQ(shell.frames[2].back(), ControlFrame{TicketKeysFrame{.keys = keys}});
}

TEST_F(ATracker, NodesHearOfEachOtherWithTheirAddresses)
{
    join(1, 1);
    shell.frames.clear();
    join(2, 1);
    const auto named = shell.take<NeighboursFrame>(2);
    ASSERT_EQ(named.size(), 1U);
    ASSERT_EQ(named.front().peers.size(), 2U);
    const auto& other = named.front().peers.back();
    EXPECT_EQ(other.node, node_named(1));
    EXPECT_EQ(other.endpoint.port, 7000);
    EXPECT_EQ(other.endpoint.address[15], 1) << "that of the stream, as it said none";
    EXPECT_EQ(other.zone, "a");
}

TEST_F(ATracker, SwarmsDoNotHearOfEachOther)
{
    join(1, 1);
    shell.frames.clear();
    join(2, 2);
    EXPECT_EQ(shell.take<NeighboursFrame>(2).front().peers.size(), 1U);
    EXPECT_EQ(tracker.swarms(), 2U);
    tracker.closed(1);
    tracker.closed(2);
    EXPECT_EQ(tracker.swarms(), 0U);
    EXPECT_EQ(tracker.nodes(), 0U);
}

TEST_F(ATracker, WhoIsRefusedIsTold)
{
    open(1);
    announce(1, 1);
    tracker.refused(1, SwarmHandle{1}, swarm_named(1));
    EXPECT_EQ(shell.take<RetireFrame>(1).size(), 1U);
    EXPECT_TRUE(shell.take<NeighboursFrame>(1).empty());
    EXPECT_EQ(tracker.swarms(), 0U);
    tracker.admitted(1, SwarmHandle{1}, swarm_named(1), "late");
    EXPECT_TRUE(shell.frames[1].size() <= 1) << "what is over stays over";
}

TEST_F(ATracker, AnAnswerForAnotherSwarmUnderTheNumberDoesNothing)
{
    open(1);
    announce(1, 1);
    tracker.received(1, RetireFrame{.handle = SwarmHandle{1}}, now);
    announce(1, 2);
    shell.frames.clear();
    tracker.admitted(1, SwarmHandle{1}, swarm_named(1), "for another");
    EXPECT_TRUE(shell.frames[1].empty());
}

TEST_F(ATracker, ANewStreamTakesTheOldOnesPlace)
{
    join(1, 1);
    tracker.opened(50, node_named(1), {}, now);
    tracker.received(50, RegisterFrame{.name = "node-1"}, now);
    EXPECT_TRUE(shell.closed.contains(1));
    EXPECT_EQ(tracker.nodes(), 1U);
    EXPECT_FALSE(tracker.received(1, PingFrame{.token = 1}, now));
}

TEST_F(ATracker, TheStarvedHearOfOthersAndTheFinishedGiveTheirPlaceBack)
{
    policy.seed_neighbours = 1;
    join(1, 1);
    join(2, 1);
    ProgressFrame progress;
    progress.swarms.push_back({.handle = SwarmHandle{1}, .progress = 1000, .from_zone = 77});
    tracker.received(1, progress, now);
    shell.frames.clear();
    RefillFrame refill;
    refill.handle = SwarmHandle{1};
    refill.reason = RefillReason::idle;
    tracker.received(2, refill, now);
    const auto named = shell.take<NeighboursFrame>(2);
    ASSERT_FALSE(named.empty());
    EXPECT_TRUE(named.front().peers.front().seed);
    const auto overview = tracker.overview(swarm_named(1));
    ASSERT_TRUE(overview.has_value());
    EXPECT_EQ(overview->members, 2U);
    EXPECT_EQ(overview->complete, 1U);
    EXPECT_EQ(overview->tenths[10], 1U);
    EXPECT_EQ(overview->from_zone, 77U);
    EXPECT_FALSE(tracker.overview(swarm_named(9)).has_value());
}

TEST_F(ATracker, TellsHowItsMembersGetOn)
{
    open(1, "a");
    open(2, "b");
    for (const ControlId stream : {1U, 2U}) {
        ASSERT_TRUE(announce(stream, 1));
        tracker.admitted(stream, SwarmHandle{1}, swarm_named(1), "ticket", 40 + stream);
    }
    ProgressFrame progress;
    progress.swarms.push_back(
        {.handle = SwarmHandle{1},
         .progress = 420,
         .neighbours = 9,
         .idle = 3,
         .from_origin = 1,
         .from_zone = 20,
         .across_zones = 300,
         .uploaded = 4000}
    );
    now += swarm_second;
    tracker.received(2, progress, now);
    tracker.received(2, progress, now);
    const auto tallies = tracker.tallies(swarm_named(1));
    ASSERT_EQ(tallies.size(), 2U);
    EXPECT_EQ(tallies[1].right, 42U);
    EXPECT_EQ(tallies[1].zone, "b");
    EXPECT_EQ(tallies[1].received, (SwarmReceived{.origin = 2, .zone = 40, .across = 600}));
    EXPECT_EQ(tracker.received(), tallies[1].received);
    const auto members = tracker.members(swarm_named(1));
    ASSERT_EQ(members.size(), 2U);
    EXPECT_EQ(members[1].name, "node-2");
    EXPECT_EQ(members[1].right, 42U);
    EXPECT_EQ(members[1].progress, 420U);
    EXPECT_EQ(members[1].part.neighbours, 9U);
    EXPECT_EQ(members[1].part.idle, 3U);
    EXPECT_EQ(members[1].part.uploaded, 8000U);
    EXPECT_EQ(members[1].heard, now);
    EXPECT_EQ(members[1].part.since, now - swarm_second);
    tracker.closed(2);
    EXPECT_EQ(tracker.members(swarm_named(1)).size(), 1U);
    EXPECT_EQ(tracker.tallies(swarm_named(1))[1].members, 0U);
    tracker.closed(1);
    EXPECT_TRUE(tracker.tallies(swarm_named(1)).empty());
    EXPECT_TRUE(tracker.members(swarm_named(9)).empty());
    EXPECT_EQ(tracker.received().all(), 642U) << "for the metrics, for ever";
}

TEST_F(ATracker, RevokedSwarmsEndForEverybody)
{
    join(1, 1);
    join(2, 2);
    shell.frames.clear();
    RevokeFrame revoke;
    revoke.epoch = 3;
    revoke.ids.push_back(Sha256{.bytes = swarm_named(1).bytes});
    tracker.revoke(revoke);
    EXPECT_EQ(shell.take<RevokeFrame>(1).size(), 1U);
    EXPECT_EQ(shell.take<RevokeFrame>(2).size(), 1U);
    EXPECT_EQ(shell.take<RetireFrame>(1).size(), 1U);
    EXPECT_TRUE(shell.take<RetireFrame>(2).empty());
    EXPECT_EQ(tracker.swarms(), 1U);
}

TEST_F(ATracker, TellsTheNodesThatAnImageIsForOfIt)
{
    for (ControlId stream = 1; stream <= 4; ++stream) open(stream, stream % 2 == 0 ? "even" : "odd");
    PreheatFrame frame;
    frame.job = 9;
    frame.repository = "shop/web";
    EXPECT_EQ(tracker.preheat(frame, [](auto, std::string_view zone) { return zone == "even"; }), 2U);
    EXPECT_EQ(shell.take<PreheatFrame>(2).size(), 1U);
    EXPECT_TRUE(shell.take<PreheatFrame>(1).empty());
    tracker.received(2, PreheatProgressFrame{.job = 9, .state = PreheatState::done}, now);
    EXPECT_EQ(shell.progresses.size(), 1U);
}

TEST_F(ATracker, TellsEachNodeTheLimitsOfItsZone)
{
    open(1, "fra1");
    open(2, "fra2");
    open(3);
    SwarmLimits limits{.others = {.rates = {.up = 5}, .polite = true}};
    limits.zones["fra2"] = {.rates = {.up = 7, .across_zones = 0}, .polite = false};
    tracker.set_limits(limits);
    EXPECT_EQ(shell.take<LimitsFrame>(1).at(0), limits.others);
    EXPECT_EQ(shell.take<LimitsFrame>(2).at(0), limits.zones["fra2"]);
    EXPECT_EQ(shell.take<LimitsFrame>(3).at(0), limits.others);
    open(4);
    EXPECT_EQ(shell.take<WelcomeFrame>(4).at(0).rates.up, 5U);
    ASSERT_EQ(shell.take<LimitsFrame>(4).size(), 1U) << "WELCOME doesn't say that it is to be polite";
    open(5, "fra2");
    EXPECT_EQ(shell.take<WelcomeFrame>(5).at(0).rates, limits.zones["fra2"].rates);
    EXPECT_TRUE(shell.take<LimitsFrame>(5).empty());

    limits.others.polite = false;
    limits.zones["fra1"] = {.rates = {.up = 5}, .polite = true};
    tracker.set_limits(limits);
    EXPECT_TRUE(shell.take<LimitsFrame>(1).empty()) << "nothing has changed for it";
    EXPECT_TRUE(shell.take<LimitsFrame>(2).empty());
    EXPECT_EQ(shell.take<LimitsFrame>(3).at(0), limits.others);
    tracker.set_limits({});
    EXPECT_EQ(shell.take<LimitsFrame>(1).at(0), LimitsFrame{});
    EXPECT_EQ(shell.take<LimitsFrame>(2).at(0), LimitsFrame{});
}

TEST_F(ATracker, EndsStreamsThatAreSilentAndAnswersPings)
{
    open(1);
    open(2);
    now += settings.silence;
    ASSERT_TRUE(tracker.received(2, PingFrame{.token = 8}, now));
    EXPECT_EQ(shell.take<PongFrame>(2).front().token, 8U);
    tracker.look(now);
    EXPECT_TRUE(shell.closed.contains(1));
    EXPECT_FALSE(shell.closed.contains(2));
}

TEST_F(ATracker, HoldsAgentsToTheProtocol)
{
    tracker.opened(1, node_named(1), {}, now);
    EXPECT_FALSE(announce(1, 1)) << "before REGISTER";
    open(2);
    EXPECT_FALSE(tracker.received(2, RegisterFrame{}, now)) << "twice";
    open(3);
    EXPECT_TRUE(announce(3, 1));
    EXPECT_TRUE(announce(3, 1, 1, 400)) << "said again";
    EXPECT_FALSE(announce(3, 2)) << "one number, two swarms";
    open(4);
    EXPECT_TRUE(announce(4, 1));
    EXPECT_FALSE(announce(4, 1, 2)) << "one swarm, two numbers";
    tracker.opened(5, node_named(5), {}, now);
    RegisterFrame future;
    future.versions = {.least = 70, .most = 70};
    EXPECT_FALSE(tracker.received(5, future, now));
    tracker.broken(99, "nobody");
    open(6);
    tracker.broken(6, "no frame");
    EXPECT_TRUE(shell.closed.contains(6));
    EXPECT_EQ(tracker.nodes(), 0U);
    EXPECT_EQ(tracker.swarms(), 0U);
}

TEST_F(ATracker, OneNodeCannotHaveSwarmsWithoutEnd)
{
    open(1);
    for (std::uint32_t number = 1; number <= settings.most_swarms_of_node + 10; ++number) {
        AnnounceFrame frame;
        frame.handle = SwarmHandle{static_cast<std::uint16_t>(number)};
        frame.swarm.bytes[0] = static_cast<std::uint8_t>(number);
        frame.swarm.bytes[1] = static_cast<std::uint8_t>(number >> 8U);
        ASSERT_TRUE(tracker.received(1, frame, now));
    }
    EXPECT_EQ(tracker.swarms(), settings.most_swarms_of_node);
    EXPECT_EQ(shell.take<RetireFrame>(1).size(), 10U);
}

TEST_F(ATracker, ACrowdIsSpreadOverTheInstances)
{
    std::map<NodeId, int> load;
    policy.seed_neighbours = policy.seed_neighbours_in_all = 300;
    for (ControlId stream = 1; stream <= 300; ++stream) {
        join(stream, 1);
        for (const auto& frame : shell.take<NeighboursFrame>(stream)) {
            for (const auto& peer : frame.peers) load[peer.node] += peer.seed ? 1 : 0;
        }
    }
    for (const auto& seed : seeds) EXPECT_GT(load[seed.node], 60);
    EXPECT_EQ(tracker.overview(swarm_named(1))->seeds, 300U);
}

}  // namespace
}  // namespace entrepot

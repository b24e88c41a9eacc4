#include "agent/agent_swarm.hpp"

#include "agent/test_agent.hpp"
#include "core/run_to_end.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

const std::vector<std::size_t> six_megabytes{4'000'000, 0, 1'999'000, 1'000};

class ASwarmOfAgents : public ::testing::Test {
protected:
    TestAgent& add(const TestAgent::Tune& tune = {})
    {
        const auto name = "worker-" + std::to_string(agents.size());
        return *agents.emplace_back(std::make_unique<TestAgent>(registry, clock, name, tune));
    }

    TestClock clock;
    TestImage image{1, six_megabytes, 2};
    TestImage other{2, {300'000}};
    TestRegistry registry{clock, {&image, &other}};
    std::vector<std::unique_ptr<TestAgent>> agents;
};

TEST_F(ASwarmOfAgents, BringsAnImageToAll)
{
    std::vector<AgentImagePtr> images;
    for (int count = 0; count < 4; ++count) images.push_back(add().bring(registry, image));
    ASSERT_TRUE(comes_true([&] { return std::ranges::all_of(images, &AgentImage::complete); }));
    // The tracker hears of it, and of which way the bytes came.
    ASSERT_TRUE(comes_true([&] {
        const auto seen = registry.overview(image);
        return seen && seen->complete == 4 && seen->from_origin + seen->from_zone >= 4 * image.bytes.size();
    }));
    EXPECT_EQ(registry.overview(image)->across_zones, 0U);
    for (const auto& agent : agents) {
        ASSERT_TRUE(comes_true([&] { return agent->swarm->counters().complete == 1; }));
        EXPECT_TRUE(agent->swarm->connected());
        EXPECT_EQ(agent->refusals(), 0U);
        EXPECT_EQ(agent->swarm->counters().streams, 1U);
        EXPECT_GT(agent->swarm->counters().bound_seconds, 0);
        EXPECT_GT(agent->swarm->counters().fetch_seconds, 0);
        MetricsText text;
        agent->swarm->add_metrics(text);
        const auto told = text.text();
        EXPECT_TRUE(told.contains("entrepot_agent_swarm_tickets_refused_total{reason=\"expired\"} 0\n")) << told;
        EXPECT_FALSE(told.contains("entrepot_agent_chunk_store_seconds_count 0\n")) << told;
    }
}

TEST_F(ASwarmOfAgents, TheSecondHasMostFromTheFirst)
{
    auto& first = add();
    const auto one = first.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return one->complete(); }));
    registry.limit_seed(200'000);
    auto& second = add();
    const auto two = second.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return two->complete(); }));
    ASSERT_TRUE(comes_true([&] { return second.swarm->counters().complete == 1; }));
    EXPECT_GT(second.bytes_from(TrafficClass::zone), image.bytes.size() / 2);
}

TEST_F(ASwarmOfAgents, WithoutATicketOfOnesOwnThereIsNothing)
{
    auto& owner = add();
    const auto here = owner.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return here->complete(); }));
    auto& thief = add();
    ASSERT_TRUE(comes_true([&] { return thief.swarm->connected(); }));
    const auto nothing = thief.open(image);
    const auto stolen = registry.ticket(*owner.swarm->node(), image);
    // The tracker names it nobody.
    thief.swarm->bring(nothing, {}, true);
    ASSERT_TRUE(comes_true([&] { return thief.swarm->counters().retired == 1; }));
    thief.swarm->bring(nothing, stolen, true);
    ASSERT_TRUE(comes_true([&] { return thief.swarm->counters().retired == 2; }));
    // Who knows the others' addresses by himself doesn't get further.
    registry.admits_everybody = true;
    thief.swarm->bring(nothing, stolen, true);
    ASSERT_TRUE(comes_true([&] { return owner.refusals() > 0; }));
    EXPECT_TRUE(nothing->pieces().empty());
    EXPECT_EQ(in_all(thief.swarm->counters().network.data_in), 0U);
}

TEST_F(ASwarmOfAgents, ARevokedImageIsServedToNobodyAnyMore)
{
    auto& first = add();
    auto& second = add();
    const auto one = first.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return one->complete(); }));
    const auto before = registry.ticket(*second.swarm->node(), image);
    registry.limit_seed(0);
    // It has begun, and is not through.
    LimitsFrame limits;
    limits.rates.up = 800'000;
    registry.set_limits(limits);
    const auto two = second.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return !two->pieces().empty(); }));
    limits.rates.up = 0;
    registry.set_limits(limits);
    registry.revoke(image);
    ASSERT_TRUE(comes_true([&] { return first.swarm->counters().revoked + second.swarm->counters().revoked == 2; }));
    EXPECT_FALSE(two->complete());
    ASSERT_TRUE(comes_true([&] { return second.swarm->counters().swarms == 0; }));
    // The first is given the right again, the second shows the old one.
    registry.set_limits({});
    first.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return first.swarm->counters().complete == 1; }));
    registry.admits_everybody = true;
    const auto held = two->pieces().count();
    second.swarm->bring(two, before, true);
    ASSERT_TRUE(comes_true([&] {
        return first.swarm->counters().tickets_refused[static_cast<std::size_t>(TicketRefusal::revoked)] > 0;
    }));
    EXPECT_EQ(two->pieces().count(), held);
}

TEST_F(ASwarmOfAgents, ARightThatExpiresEndsWhatIsServed)
{
    auto& first = add();
    const auto one = first.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return one->complete(); }));
    auto& second = add();
    const auto two = second.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return two->complete(); }));
    clock.advance(12min);
    // Nobody may ask for it, and nobody is told so anew.
    ASSERT_TRUE(comes_true([&] { return first.swarm->counters().swarms == 0 && second.swarm->counters().swarms == 0; })
    );
    ASSERT_TRUE(comes_true([&] { return first.swarm->counters().rights_ended > 0; }));
}

TEST_F(ASwarmOfAgents, ATrackerThatBeginsAnewHearsOfAll)
{
    registry.limit_seed(1'500'000);
    std::vector<AgentImagePtr> images;
    for (int count = 0; count < 3; ++count) images.push_back(add().bring(registry, image));
    const auto all_are_known = [&] {
        const auto seen = registry.overview(image);
        return seen && seen->members == 3;
    };
    ASSERT_TRUE(comes_true(all_are_known));
    registry.restart_tracker();
    ASSERT_TRUE(comes_true(all_are_known));
    ASSERT_TRUE(comes_true([&] { return std::ranges::all_of(images, &AgentImage::complete); }));
    for (const auto& agent : agents) EXPECT_EQ(agent->swarm->counters().streams, 2U);
    ASSERT_TRUE(comes_true([&] { return registry.overview(image)->complete == 3; }));
}

TEST_F(ASwarmOfAgents, WhatCameAnotherWayIsForOthers)
{
    registry.names_seed = false;
    registry.restart_tracker();
    auto& first = add();
    const auto one = first.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return first.swarm->connected(); }));
    first.fetch(one, image);
    ASSERT_TRUE(comes_true([&] { return first.swarm->counters().complete == 1; }));
    ASSERT_TRUE(comes_true([&] {
        const auto seen = registry.overview(image);
        return seen && seen->from_origin == image.bytes.size() && seen->complete == 1;
    }));
    auto& second = add();
    const auto two = second.bring(registry, image);
    second.swarm->urge(image.id(), {.first = 3, .count = 2});
    ASSERT_TRUE(comes_true([&] { return two->complete(); }));
    ASSERT_TRUE(comes_true([&] { return second.swarm->counters().complete == 1; }));
    EXPECT_GE(second.bytes_from(TrafficClass::zone), image.bytes.size());
    EXPECT_EQ(second.bytes_from(TrafficClass::origin), 0U);
}

TEST_F(ASwarmOfAgents, WhatIsLostOnTheDiskIsFetchedAgain)
{
    auto& first = add();
    const auto one = first.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return one->complete(); }));
    first.damage();
    registry.limit_seed(0);
    auto& second = add();
    const auto two = second.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return first.swarm->counters().began_again > 0; }));
    registry.limit_seed(no_rate_limit);
    EXPECT_TRUE(comes_true([&] { return two->complete() && one->complete(); }));
}

TEST_F(ASwarmOfAgents, WhoSendsFalseChunksIsReported)
{
    registry.lies = true;
    auto& agent = add();
    const auto here = agent.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return !registry.reports().empty(); }));
    const auto report = registry.reports().front();
    EXPECT_EQ(report.node, registry.seed_id());
    EXPECT_EQ(report.swarm, image.id());
    EXPECT_EQ(report.expected, image.hashes.at(report.chunk));
    std::string found{as_text(image.chunk(report.chunk))};
    found.front() = static_cast<char>(~found.front());
    EXPECT_EQ(report.found, sha256_of(as_bytes(found)));
    EXPECT_TRUE(here->pieces().empty());
}

TEST_F(ASwarmOfAgents, HasItsCertificatesRenewedOverTheStream)
{
    auto& agent = add();
    ASSERT_TRUE(comes_true([&] { return agent.swarm->connected() && agent.swarm->counters().certificate_ends > 0; }));
    const auto node = agent.swarm->node();
    const auto first = agent.swarm->counters().certificate_ends;
    clock.advance(18h);
    ASSERT_TRUE(comes_true([&] { return agent.swarm->counters().renewals == 1; }));
    ASSERT_TRUE(comes_true([&] { return agent.swarm->counters().certificate_ends > first; }));
    EXPECT_EQ(agent.swarm->node(), node);
    EXPECT_EQ(registry.certified, 1);
    // One that isn't renewed is asked for as at first.
    registry.renews = false;
    clock.advance(18h);
    ASSERT_TRUE(comes_true([&] { return agent.swarm->counters().enrolments == 2; }));
    EXPECT_EQ(agent.swarm->counters().renewals_refused, 1U);
    EXPECT_EQ(agent.swarm->node(), node);
    // With the new one there are new connections.
    registry.renew_itself();
    const auto here = agent.bring(registry, image);
    EXPECT_TRUE(comes_true([&] { return here->complete(); }));
}

TEST_F(ASwarmOfAgents, FindsATrackerThatHasMoved)
{
    auto& agent = add([](AgentSwarmSettings& settings) { settings.first_search = settings.longest_search = 50ms; });
    ASSERT_TRUE(comes_true([&] { return agent.swarm->connected(); }));
    EXPECT_EQ(agent.swarm->counters().moves, 0U);
    registry.move_tracker();
    ASSERT_TRUE(comes_true([&] { return agent.swarm->counters().moves == 1 && agent.swarm->connected(); }));
    const auto here = agent.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return here->complete(); }));
    EXPECT_EQ(registry.certified, 1) << "by the certificate that it has";
    // It is kept, and what was kept before does no harm.
    agent.stop();
    agent.start();
    ASSERT_TRUE(comes_true([&] { return agent.swarm->connected(); }));
    EXPECT_EQ(agent.swarm->counters().moves, 0U);
    agent.stop();
    registry.move_tracker();
    agent.start();
    ASSERT_TRUE(comes_true([&] { return agent.swarm->connected(); }));
    // It counts a moment after it is connected.
    EXPECT_TRUE(comes_true([&] { return agent.swarm->counters().moves == 1; }));
    EXPECT_EQ(registry.certified, 1);
}

TEST_F(ASwarmOfAgents, WaitsForARegistryThatIsAway)
{
    registry.outages = 3;
    auto& agent = add();
    const auto here = agent.open(image);
    EXPECT_EQ(agent.swarm->node(), std::nullopt);
    agent.swarm->bring(here, {}, true);
    ASSERT_TRUE(comes_true([&] { return agent.swarm->connected(); }));
    ASSERT_TRUE(comes_true([&] { return agent.swarm->counters().enrolment_failures == 3; }));
    EXPECT_NE(agent.swarm->port(), 0U);
    agent.bring(registry, image);
    EXPECT_TRUE(comes_true([&] { return here->complete(); }));
}

TEST_F(ASwarmOfAgents, NeedsNoOtherCertificateAfterARestart)
{
    auto& agent = add();
    ASSERT_TRUE(comes_true([&] { return agent.swarm->connected(); }));
    const auto node = agent.swarm->node();
    const auto here = agent.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return here->complete(); }));
    agent.stop();
    registry.outages = 1'000'000;
    agent.start();
    ASSERT_TRUE(comes_true([&] { return agent.swarm->connected(); }));
    EXPECT_EQ(agent.swarm->node(), node);
    agent.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return agent.swarm->counters().complete == 1; }));
    EXPECT_EQ(in_all(agent.swarm->counters().network.data_in), 0U) << "all of it was here";
    EXPECT_EQ(registry.certified, 1);
}

TEST_F(ASwarmOfAgents, LeavesWhatNobodyAsksFor)
{
    auto& brief = add([](AgentSwarmSettings& settings) { settings.linger = 300ms; });
    brief.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return brief.swarm->counters().lingered_out == 1; }));
    ASSERT_TRUE(comes_true([&] { return !registry.overview(image).has_value(); }));
    auto& narrow = add([](AgentSwarmSettings& settings) { settings.most_swarms = 1; });
    narrow.bring(registry, image);
    narrow.bring(registry, other);
    ASSERT_TRUE(comes_true([&] { return registry.overview(other).has_value() && !registry.overview(image); }));
    ASSERT_TRUE(comes_true([&] { return narrow.swarm->counters().lingered_out == 1; }));
    EXPECT_EQ(narrow.swarm->counters().swarms, 1U);
}

TEST_F(ASwarmOfAgents, KnowsHowManyOthersOfItsZoneHaveWhatItKeeps)
{
    // Of the first blob; -1: nobody knows.
    std::atomic<int> others = -2;
    const auto first = image.descriptor.blobs().front().digest;
    auto& keeper = add([&](AgentSwarmSettings& settings) {
        settings.most_swarms = 1;
        settings.others_hold = [&, first](const Sha256& blob, std::optional<std::uint32_t> number) {
            if (blob == first) others = number ? static_cast<int>(*number) : -1;
        };
    });
    const auto kept = keeper.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return others == 0; })) << "it has the only copy";
    auto& second = add();
    second.bring(registry, image);
    ASSERT_TRUE(comes_true([&] { return others == 1; }));
    second.stop();
    ASSERT_TRUE(comes_true([&] { return others == 0; }));
    keeper.bring(registry, other);
    ASSERT_TRUE(comes_true([&] { return keeper.swarm->counters().lingered_out == 1; }));
    EXPECT_EQ(others, 0) << "it holds when the image is left: only then it may go";
}

TEST_F(ASwarmOfAgents, TakesJobsWhereSomebodyDoesThem)
{
    std::atomic<std::uint64_t> taken = 0;
    auto& idle = add();
    auto& willing = add([&](AgentSwarmSettings& settings) {
        settings.preheat = [&](const PreheatFrame& job) { taken = job.job; };
    });
    ASSERT_TRUE(comes_true([&] { return idle.swarm->connected() && willing.swarm->connected(); }));
    PreheatFrame job;
    job.job = 7;
    job.repository = "library/app";
    registry.preheat(job);
    ASSERT_TRUE(comes_true([&] { return taken == 7 && registry.progresses().size() == 1; }));
    EXPECT_EQ(registry.progresses().front().state, PreheatState::refused);
    PreheatProgressFrame done;
    done.job = 7;
    done.state = PreheatState::done;
    willing.swarm->tell(done);
    ASSERT_TRUE(comes_true([&] { return registry.progresses().size() == 2; }));
    EXPECT_EQ(registry.progresses().back().state, PreheatState::done);
}

TEST(AnAgentSwarm, IsNotMadeOfNonsense)
{
    TestFolder folder;
    asio::thread_pool pool{1};
    SystemClock clock;
    SystemRandom random;
    AgentSwarmSettings good;
    good.registry = "http://127.0.0.1:1";
    good.directory = folder.path() / "node";
    good.name = "worker";
    const auto code = [&](const AgentSwarmSettings& settings) {
        const auto made = make_agent_swarm(settings, pool, clock, random);
        return made ? std::nullopt : std::optional{made.error().code()};
    };
    EXPECT_EQ(code(good), std::nullopt);
    auto bad = good;
    bad.name = "no name";
    EXPECT_EQ(code(bad), Errc::bad_request);
    bad = good;
    bad.registry = "ftp://somewhere";
    EXPECT_EQ(code(bad), Errc::bad_request);
    bad = good;
    bad.binding = "no-such-interface";
    EXPECT_EQ(code(bad), Errc::bad_request);
}

}  // namespace
}  // namespace entrepot

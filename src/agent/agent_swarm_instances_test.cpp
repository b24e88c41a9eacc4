#include "agent/test_agent.hpp"
#include "swarm/tracker/swarm_owner.hpp"

#include <chrono>
#include <memory>
#include <vector>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// Agents that came to the first of two instances.
class AgentsOfTwoInstances : public ::testing::Test {
protected:
    AgentsOfTwoInstances()
    {
        const std::vector both{first->control(), second->control()};
        first->set_instances(both);
        second->set_instances(both);
    }

    static std::vector<std::unique_ptr<TestImage>> some_images()
    {
        std::vector<std::unique_ptr<TestImage>> images;
        for (std::uint8_t number = 0; number < 24; ++number)
            images.push_back(std::make_unique<TestImage>(number, std::vector<std::size_t>{300'000U}));
        return images;
    }
    std::vector<const TestImage*> all_images() const
    {
        std::vector<const TestImage*> all;
        for (const auto& image : images) all.push_back(image.get());
        return all;
    }
    // One that this instance tracks.
    const TestImage& image_of(const TestRegistry& registry) const
    {
        const std::vector both{first->control(), second->control()};
        for (const auto& image : images) {
            if (*owner_of(image->id(), both) == registry.control()) return *image;
        }
        ADD_FAILURE() << "the ports have made one of them the owner of all";
        return *images.front();
    }
    TestAgent& add(TestRegistry& home, const TestAgent::Tune& tune = {})
    {
        const auto name = "worker-" + std::to_string(agents.size());
        const auto quickly = [tune](AgentSwarmSettings& settings) {
            settings.aside_patience = 300ms;
            settings.first_other = 50ms;
            if (tune) tune(settings);
        };
        return *agents.emplace_back(std::make_unique<TestAgent>(home, clock, name, quickly));
    }
    static bool tracks(TestRegistry& registry, const TestImage& image, std::uint32_t members)
    {
        return comes_true([&] {
            const auto seen = registry.overview(image);
            return (seen ? seen->members : 0) == members;
        });
    }

    TestClock clock;
    const std::vector<std::unique_ptr<TestImage>> images = some_images();
    std::unique_ptr<TestRegistry> first = std::make_unique<TestRegistry>(clock, all_images());
    std::unique_ptr<TestRegistry> second = std::make_unique<TestRegistry>(*first, all_images());
    std::vector<std::unique_ptr<TestAgent>> agents;
};

TEST_F(AgentsOfTwoInstances, MeetWhereAnImageIsTracked)
{
    const auto& theirs = image_of(*second);
    auto& one = add(*first);
    auto& two = add(*second);
    const auto here = one.bring(*first, theirs);
    ASSERT_TRUE(comes_true([&] { return here->complete(); }));
    const auto there = two.bring(*second, theirs);
    ASSERT_TRUE(comes_true([&] { return there->complete(); }));
    EXPECT_TRUE(tracks(*second, theirs, 2));
    EXPECT_FALSE(first->overview(theirs));
    ASSERT_TRUE(comes_true([&] { return one.swarm->counters().asides == 1; }));
    EXPECT_EQ(one.swarm->counters().moved, 1U);
    EXPECT_EQ(two.swarm->counters().moved, 0U);
    // What the own one tracks is announced there.
    const auto& ours = image_of(*first);
    const auto own = one.bring(*first, ours);
    ASSERT_TRUE(comes_true([&] { return own->complete(); }));
    EXPECT_TRUE(tracks(*first, ours, 1));
    EXPECT_EQ(one.swarm->counters().moved, 1U);
    MetricsText text;
    one.swarm->add_metrics(text);
    EXPECT_TRUE(text.text().contains("entrepot_agent_swarm_streams_aside 1\n")) << text.text();
}

TEST_F(AgentsOfTwoInstances, AreTrackedAtHomeWhileTheOwnerIsAway)
{
    const auto& theirs = image_of(*second);
    auto& agent = add(*first, [](AgentSwarmSettings& settings) { settings.here_time = 300ms; });
    const auto here = agent.bring(*first, theirs);
    ASSERT_TRUE(tracks(*second, theirs, 1));
    second->stop_tracker();
    EXPECT_TRUE(tracks(*first, theirs, 1));
    EXPECT_GE(agent.swarm->counters().here, 1U);
    ASSERT_TRUE(comes_true([&] { return here->complete(); }));
    // And there again when it is back.
    second->restart_tracker();
    EXPECT_TRUE(tracks(*second, theirs, 1));
    EXPECT_TRUE(tracks(*first, theirs, 0));
}

TEST_F(AgentsOfTwoInstances, GoOnWhenTheOwnerIsAnotherOne)
{
    const auto& theirs = image_of(*second);
    auto& agent = add(*first);
    agent.bring(*first, theirs);
    ASSERT_TRUE(tracks(*second, theirs, 1));
    second->stop_tracker();
    first->set_instances({first->control()});
    EXPECT_TRUE(tracks(*first, theirs, 1));
    second->restart_tracker();
    first->set_instances({first->control(), second->control()});
    EXPECT_TRUE(tracks(*second, theirs, 1));
    EXPECT_TRUE(tracks(*first, theirs, 0));
}

TEST_F(AgentsOfTwoInstances, LeaveAnInstanceThatIsKnownToBeGone)
{
    const auto& theirs = image_of(*second);
    auto& agent = add(*first);
    agent.bring(*first, theirs);
    ASSERT_TRUE(tracks(*second, theirs, 1));
    // As if it had lost its power: its streams are there still.
    first->set_instances({first->control()});
    EXPECT_TRUE(tracks(*first, theirs, 1));
    EXPECT_TRUE(tracks(*second, theirs, 0));
    EXPECT_TRUE(comes_true([&] { return agent.swarm->counters().asides == 0; }));
}

TEST_F(AgentsOfTwoInstances, GoToAnotherInstanceWhenTheirOwnIsGone)
{
    auto& agent = add(*first);
    const auto& ours = image_of(*first);
    const auto& theirs = image_of(*second);
    const auto before = agent.bring(*first, ours);
    ASSERT_TRUE(comes_true([&] { return before->complete() && agent.swarm->connected(); }));
    const auto aside = agent.bring(*first, theirs);
    ASSERT_TRUE(tracks(*second, theirs, 1));
    first->kill();
    second->set_instances({second->control()});
    EXPECT_TRUE(tracks(*second, ours, 1));
    EXPECT_TRUE(tracks(*second, theirs, 1));
    ASSERT_TRUE(comes_true([&] { return agent.swarm->counters().asides == 0; })) << "it is its own now";
    EXPECT_TRUE(agent.swarm->connected());
    EXPECT_EQ(agent.swarm->counters().moves, 1U);
    const auto after = agent.bring(*second, *images.back());
    EXPECT_TRUE(comes_true([&] { return after->complete(); }));
}

TEST_F(AgentsOfTwoInstances, LeaveStreamsAsideThatNothingNeeds)
{
    auto& agent = add(*first, [](AgentSwarmSettings& settings) { settings.aside_linger = 100ms; });
    const auto& theirs = image_of(*second);
    auto& slow = *second;
    slow.limit_seed(1'000);
    const auto here = agent.bring(*first, theirs);
    agent.swarm->ahead(theirs.id(), no_rate_limit);
    ASSERT_TRUE(comes_true([&] { return agent.swarm->counters().asides == 1; }));
    ASSERT_TRUE(tracks(*second, theirs, 1));
    std::this_thread::sleep_for(300ms);
    EXPECT_EQ(agent.swarm->counters().asides, 1U) << "it is needed";
    first->revoke(theirs);
    EXPECT_TRUE(comes_true([&] { return agent.swarm->counters().asides == 0; }));
    EXPECT_EQ(agent.swarm->counters().swarms, 0U);
    EXPECT_TRUE(agent.swarm->connected());
}

TEST_F(AgentsOfTwoInstances, AreNotSentToAndFroForEver)
{
    // Each is sure that the other one tracks everything.
    first->set_instances({second->control()});
    second->set_instances({first->control()});
    auto& agent = add(*first);
    const auto here = agent.bring(*first, *images.front());
    EXPECT_TRUE(tracks(*first, *images.front(), 1));
    EXPECT_TRUE(comes_true([&] { return here->complete(); }));
    EXPECT_LE(agent.swarm->counters().moved, 6U);
}

TEST_F(AgentsOfTwoInstances, HaveNoMoreStreamsThanTheyMay)
{
    auto& agent = add(*first, [](AgentSwarmSettings& settings) { settings.most_asides = 0; });
    const auto& theirs = image_of(*second);
    const auto here = agent.bring(*first, theirs);
    EXPECT_TRUE(comes_true([&] { return here->complete(); }));
    EXPECT_TRUE(tracks(*first, theirs, 1));
    EXPECT_EQ(agent.swarm->counters().asides, 0U);
}

}  // namespace
}  // namespace entrepot

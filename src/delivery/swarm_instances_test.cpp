#include "delivery/swarm_instances.hpp"

#include "core/run_to_end.hpp"
#include "tests/support/swarm_registry.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(EndpointsOfInstances, AreReadAsTheyAreWritten)
{
    for (const std::string text : {"192.0.2.1:7400", "[2001:db8::1]:1", "127.0.0.1:65535"}) {
        const auto endpoint = parse_instance(text);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(instance_text(*endpoint), text);
    }
    for (const std::string text :
         {"", ":", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536", "a:1", "1.2.3.4:5x"})
        EXPECT_FALSE(parse_instance(text)) << text;
}

TEST(InstancesOfASwarm, HearOfEachOther)
{
    MemoryNodes nodes;
    const auto first = *parse_instance("192.0.2.1:7400");
    const auto second = *parse_instance("192.0.2.2:7400");
    std::vector<PeerEndpoint> heard;
    const auto hear = [&](std::vector<PeerEndpoint> living) { heard = std::move(living); };
    SwarmInstances one{nodes, first, hear};
    SwarmInstances two{nodes, second, [](const std::vector<PeerEndpoint>&) {}};
    EXPECT_EQ(one.living(), 0U);
    ASSERT_TRUE(run_to_end(one.meet()));
    EXPECT_EQ(heard, std::vector{first});
    ASSERT_TRUE(run_to_end(two.meet()));
    nodes.instances.insert("what a later version may write");
    ASSERT_TRUE(run_to_end(one.meet()));
    EXPECT_EQ(heard, (std::vector{first, second}));
    EXPECT_EQ(one.living(), 2U);
    // While nobody knows, all stay.
    nodes.away = true;
    EXPECT_FALSE(run_to_end(one.meet()));
    EXPECT_EQ(one.living(), 2U);
    nodes.away = false;
    ASSERT_TRUE(run_to_end(two.part()));
    ASSERT_TRUE(run_to_end(one.meet()));
    EXPECT_EQ(heard, std::vector{first});
}

}  // namespace
}  // namespace entrepot

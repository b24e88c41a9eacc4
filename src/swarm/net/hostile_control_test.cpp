// What strangers do to the registry's end of control streams.
#include "swarm/net/test_control.hpp"
#include "swarm/net/test_stranger.hpp"

namespace entrepot {
namespace {

using namespace std::chrono_literals;

class AControlStranger : public TestControl {
protected:
    AControlStranger() { manners.certificate = world.tls("stranger"); }

    // Whatever happened, agents are served.
    void others_are_well(const TestControlDesk& desk)
    {
        TestControlAgent agent{world, desk.server->port()};
        EXPECT_TRUE(welcomed(agent));
    }

    TestStranger::Manners manners;
};

TEST_F(AControlStranger, OfAnotherAuthorityIsRefused)
{
    TestControlDesk desk{world};
    const auto other = NodeAuthority::create(world.random, world.clock.now()).value();
    manners.certificate = world.tls({.name = "stranger", .zone = "zone"}, other, world.clock.now());
    EXPECT_TRUE(while_running(world, [&] {
        TestStranger stranger{desk.server->port(), manners};
        stranger.say(ControlFrame{RegisterFrame{}});
        return stranger.hears_the_end();
    }));
    EXPECT_EQ(desk.server->counters().handshakes_failed, 1U);
    EXPECT_EQ(desk.streams, 0);
    others_are_well(desk);
}

TEST_F(AControlStranger, ThatSaysWhatIsNoFrameHearsBye)
{
    TestControlDesk desk{world};
    const auto bye = while_running(world, [&] {
        TestStranger stranger{desk.server->port(), manners};
        stranger.say(ControlFrame{RegisterFrame{}});
        stranger.write(std::string(100'000, '\xff'));
        return stranger.hear<ByeFrame>();
    });
    ASSERT_TRUE(bye.has_value());
    EXPECT_EQ(bye->reason, ByeReason::protocol);
    EXPECT_FALSE(desk.complaint.empty());
    EXPECT_EQ(desk.frames.size(), 1U) << "what came before counts";
    others_are_well(desk);
}

TEST_F(AControlStranger, ThatSendsDataHearsBye)
{
    TestControlDesk desk{world};
    const auto bye = while_running(world, [&] {
        TestStranger stranger{desk.server->port(), manners};
        stranger.say(DataFrame{.handle = SwarmHandle{1}, .extent = {.first = 0, .count = 1}, .bytes = 4});
        stranger.write("data");
        return stranger.hear<ByeFrame>();
    });
    EXPECT_TRUE(bye.has_value());
    EXPECT_EQ(desk.complaint, "DATA on a control stream");
}

TEST_F(AControlStranger, ThatBreaksTlsIsClosed)
{
    TestControlDesk desk{world};
    EXPECT_TRUE(while_running(world, [&] {
        TestStranger stranger{desk.server->port(), manners};
        stranger.write_below_tls("this is no record of TLS, is it?");
        return stranger.hears_the_end();
    }));
    EXPECT_TRUE(world.run([&] { return desk.streams == 1 && desk.nodes.empty(); }));
    others_are_well(desk);
}

TEST_F(AControlStranger, ThatSaysNothingAtAllIsCut)
{
    TestControlDesk desk{world, limited([](ControlServerSettings& settings) {
                             settings.handshake_time = 50ms;
                             settings.most_handshakes = 1;
                         })};
    asio::ip::tcp::socket socket{world.loop};
    socket.connect({asio::ip::make_address("127.0.0.1"), desk.server->port()});
    EXPECT_TRUE(world.run([&] { return desk.server->counters().cut == 1; }));
    EXPECT_TRUE(world.run([&] { return desk.server->counters().handshakes_failed == 1; }));
    others_are_well(desk);
}

TEST_F(AControlStranger, ThatReadsNothingIsCut)
{
    TestControlDesk desk{world, limited([](ControlServerSettings& settings) { settings.most_unsent = 300'000; })};
    const auto stranger =
        while_running(world, [&] { return std::make_unique<TestStranger>(desk.server->port(), manners); });
    ASSERT_TRUE(world.run([&] { return !desk.nodes.empty(); }));
    const CertificateFrame large{std::string(WireLimits::certificate, 'c'), std::string(WireLimits::authorities, 'a')};
    // More than the kernel holds for both sides.
    ASSERT_TRUE(world.run([&] {
        if (!desk.nodes.empty()) desk.say(desk.only(), large);
        return desk.server->counters().cut == 1;
    }));
    EXPECT_TRUE(world.run([&] { return desk.nodes.empty(); }));
    others_are_well(desk);
}

TEST_F(AControlStranger, MayNotHaveManyStreams)
{
    TestControlDesk desk{world, limited([](ControlServerSettings& settings) { settings.most_of_address = 1; })};
    {
        TestControlAgent agent{world, desk.server->port()};
        ASSERT_TRUE(welcomed(agent));
        EXPECT_TRUE(while_running(world, [&] {
            TestStranger stranger{desk.server->port(), manners};
            return stranger.hears_the_end();
        }));
        EXPECT_GE(desk.server->counters().refused, 1U);
        EXPECT_EQ(desk.streams, 1);
    }
    others_are_well(desk);
}

TEST_F(AControlStranger, ThatIsResetIsForgotten)
{
    TestControlDesk desk{world};
    while_running(world, [&] {
        TestStranger stranger{desk.server->port(), manners};
        stranger.say(ControlFrame{RegisterFrame{}});
        stranger.reset();
        return true;
    });
    EXPECT_TRUE(world.run([&] { return desk.streams == 1 && desk.nodes.empty(); }));
    EXPECT_EQ(desk.server->streams(), 0U);
}

}  // namespace
}  // namespace entrepot

#include "swarm/net/test_control.hpp"

#include <algorithm>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

class Control : public TestControl {};

TEST_F(Control, CarriesFramesBothWays)
{
    TestControlDesk desk{world};
    TestControlAgent agent{world, desk.server->port()};
    ASSERT_TRUE(welcomed(agent));
    EXPECT_EQ(agent.frames.front(), ControlFrame{WelcomeFrame{.report_ms = 1}});
    EXPECT_EQ(desk.frames.front(), ControlFrame{RegisterFrame{.name = "agent"}});
    EXPECT_EQ(desk.nodes.at(desk.only()).id, agent.tls->own_id());
    EXPECT_EQ(desk.nodes.at(desk.only()).name, "agent");
    EXPECT_EQ(desk.address->address, Address::parse("127.0.0.1")->bytes());
    EXPECT_NE(desk.address->port, 0);
    EXPECT_EQ(agent.server.to_string(), "127.0.0.1");
    EXPECT_EQ(desk.server->streams(), 1U);
    const PreheatProgressFrame progress{.job = 7, .message = "half"};
    const PreheatFrame preheat{.job = 7, .repository = "shop/web"};
    for (int i = 0; i < 100; ++i) {
        agent.stream->send(progress);
        desk.say(desk.only(), preheat);
    }
    ASSERT_TRUE(world.run([&] { return desk.frames.size() == 101 && agent.frames.size() == 101; }));
    EXPECT_EQ(desk.frames.back(), ControlFrame{progress});
    EXPECT_EQ(agent.frames.back(), ControlFrame{preheat});
}

TEST_F(Control, CarriesMoreThanTheSocketTakesAtOnce)
{
    TestControlDesk desk{world};
    TestControlAgent agent{world, desk.server->port()};
    ASSERT_TRUE(welcomed(agent));
    const TicketKeysFrame small{std::vector<TicketPublicKey>(2)};
    const CertificateFrame large{std::string(WireLimits::certificate, 'c'), std::string(WireLimits::authorities, 'a')};
    for (int i = 0; i < 60; ++i) {
        desk.say(desk.only(), large);
        desk.say(desk.only(), small);
    }
    ASSERT_TRUE(welcomed(agent, 121));
    for (std::size_t i = 1; i < agent.frames.size(); i += 2) {
        EXPECT_EQ(agent.frames[i], ControlFrame{large});
        EXPECT_EQ(agent.frames[i + 1], ControlFrame{small});
    }
    EXPECT_EQ(desk.server->counters().cut, 0U);
}

TEST_F(Control, IsThereAgainAfterTheServerWasGone)
{
    TestControlDesk desk{world};
    TestControlAgent agent{world, desk.server->port()};
    ASSERT_TRUE(welcomed(agent));
    desk.stop();
    ASSERT_TRUE(world.run([&] { return !agent.losses.empty(); }));
    EXPECT_FALSE(agent.stream->is_connected());
    agent.stream->send(PingFrame{.token = 1});
    world.run_for(20ms);
    desk.open();
    ASSERT_TRUE(welcomed(agent, 2));
    EXPECT_EQ(agent.connections, 2);
    EXPECT_EQ(agent.losses.size(), 1U);
    EXPECT_EQ(desk.frames.size(), 2U) << "what was said meanwhile is not kept";
}

TEST_F(Control, WaitsForAServerThatIsNotThereYet)
{
    TestControlDesk desk{world};
    const auto port = desk.server->port();
    desk.stop();
    TestControlAgent agent{world, port};
    world.run_for(20ms);
    EXPECT_EQ(agent.connections, 0);
    desk.open();
    ASSERT_TRUE(welcomed(agent));
    EXPECT_TRUE(agent.losses.empty());
}

TEST_F(Control, FindsTheServerByItsName)
{
    TestControlDesk desk{world};
    TestControlAgent agent{world, desk.server->port(), [](ControlStreamSettings& settings) {
                               settings.host = "localhost";
                               settings.binding = "lo";
                           }};
    ASSERT_TRUE(welcomed(agent));
    EXPECT_EQ(agent.server.to_string(), "127.0.0.1");
}

TEST_F(Control, TakesOnlyASeedForTheRegistry)
{
    TestControlDesk impostor{world, {}, false};
    TestControlAgent agent{world, impostor.server->port()};
    ASSERT_TRUE(world.run([&] { return impostor.server->counters().handshakes_failed >= 3; }));
    EXPECT_EQ(agent.connections, 0);
    EXPECT_EQ(impostor.streams, 0) << "it doesn't even learn whose agent that was";
}

TEST_F(Control, TheAgentRefusesAnotherRegistry)
{
    TestNetworkWorld elsewhere{{1'000}};
    TestControlDesk desk{world};
    desk.server->renew(elsewhere.tls("registry", true));
    TestControlAgent agent{world, desk.server->port()};
    ASSERT_TRUE(world.run([&] { return desk.server->counters().handshakes_failed >= 2; }));
    EXPECT_EQ(agent.connections, 0);
    EXPECT_EQ(desk.streams, 0);
    desk.server->renew(desk.tls);
    EXPECT_TRUE(welcomed(agent)) << "and takes ours once it is there";
}

TEST_F(Control, TakesNewCertificatesForTheNextStream)
{
    TestControlDesk desk{world};
    TestControlAgent agent{world, desk.server->port()};
    ASSERT_TRUE(welcomed(agent));
    const auto renewed = world.tls("renewed");
    agent.stream->renew(renewed);
    world.run_for(20ms);
    EXPECT_EQ(agent.connections, 1) << "the stream stays";
    desk.server->close(desk.only());
    desk.nodes.clear();
    ASSERT_TRUE(welcomed(agent, 2));
    EXPECT_EQ(desk.nodes.at(desk.only()).id, renewed->own_id());
}

TEST_F(Control, EndsWithWhatWasSentBefore)
{
    TestControlDesk desk{world};
    TestControlAgent agent{world, desk.server->port()};
    ASSERT_TRUE(welcomed(agent));
    desk.say(desk.only(), LimitsFrame{.polite = true});
    desk.say(desk.only(), ByeFrame{.reason = ByeReason::duplicate, .text = "another"});
    desk.server->close(desk.only());
    EXPECT_EQ(desk.server->streams(), 0U);
    desk.say(desk.only(), LimitsFrame{.polite = false});
    desk.nodes.clear();
    ASSERT_TRUE(world.run([&] { return !agent.losses.empty(); }));
    EXPECT_EQ(agent.losses.front(), "the registry has ended it, reason 8: another");
    EXPECT_EQ(agent.frames.size(), 2U);
    EXPECT_EQ(agent.frames.back(), ControlFrame{LimitsFrame{.polite = true}});
}

TEST_F(Control, AnAgentThatStopsSaysBye)
{
    TestControlDesk desk{world};
    TestControlAgent agent{world, desk.server->port()};
    ASSERT_TRUE(welcomed(agent));
    agent.stop();
    ASSERT_TRUE(world.run([&] { return desk.nodes.empty(); }));
    EXPECT_EQ(desk.frames.back(), ControlFrame{ByeFrame{.reason = ByeReason::shutdown}});
    EXPECT_TRUE(agent.losses.empty());
    EXPECT_EQ(desk.server->streams(), 0U);
}

TEST_F(Control, AQuietStreamLivesByPing)
{
    TestControlDesk desk{world};
    TestControlAgent agent{world, desk.server->port(), [](ControlStreamSettings& settings) {
                               settings.ping_after = 50ms;
                           }};
    const auto pings = [&] {
        return std::ranges::count_if(desk.frames, [](const ControlFrame& frame) {
            return std::holds_alternative<PingFrame>(frame);
        });
    };
    ASSERT_TRUE(world.run([&] { return pings() >= 3; }));
    EXPECT_EQ(agent.connections, 1);
    EXPECT_EQ(agent.frames.size(), 1U) << "PONG is not the owner's";
    desk.mute = true;
    ASSERT_TRUE(world.run([&] { return !agent.losses.empty(); }));
    EXPECT_EQ(agent.losses.front(), "the registry is silent");
    desk.mute = false;
    EXPECT_TRUE(world.run([&] { return agent.connections >= 2; }));
}

TEST_F(Control, TheAgentAnswersPing)
{
    TestControlDesk desk{world};
    TestControlAgent agent{world, desk.server->port()};
    ASSERT_TRUE(welcomed(agent));
    desk.say(desk.only(), PingFrame{.token = 77});
    ASSERT_TRUE(world.run([&] { return desk.frames.size() == 2; }));
    EXPECT_EQ(desk.frames.back(), ControlFrame{PongFrame{.token = 77}});
}

TEST_F(Control, TheAgentEndsWhatIsNoFrame)
{
    TestControlDesk desk{world};
    TestControlAgent agent{world, desk.server->port()};
    ASSERT_TRUE(welcomed(agent));
    desk.server->send(desk.only(), std::string(100, '\xff'));
    ASSERT_TRUE(world.run([&] { return agent.connections == 2; }));
    EXPECT_EQ(agent.losses.size(), 1U);
    const auto is_bye = [](const ControlFrame& frame) {
        const auto* const bye = std::get_if<ByeFrame>(&frame);
        return bye != nullptr && bye->reason == ByeReason::protocol;
    };
    EXPECT_EQ(std::ranges::count_if(desk.frames, is_bye), 1);
}

TEST_F(Control, TheAgentTriesAgainWhereNobodyAnswers)
{
    // It takes connections, and says nothing.
    asio::ip::tcp::acceptor silent{world.loop, {asio::ip::make_address("127.0.0.1"), 0}};
    TestControlAgent agent{world, silent.local_endpoint().port(), [](ControlStreamSettings& settings) {
                               settings.connect_time = 50ms;
                           }};
    std::vector<asio::ip::tcp::socket> sockets;
    std::function<void()> accept = [&] {
        silent.async_accept([&](boost::system::error_code error, asio::ip::tcp::socket socket) {
            if (error) return;
            sockets.push_back(std::move(socket));
            accept();
        });
    };
    accept();
    EXPECT_TRUE(world.run([&] { return sockets.size() >= 3; }));
    EXPECT_EQ(agent.connections, 0);
    silent.close();
    world.run_for(1ms);
}

TEST_F(Control, AnAgentMayStopAtAnyTime)
{
    TestControlDesk desk{world};
    for (int turns = 0; turns < 60; ++turns) {
        TestControlAgent agent{world, desk.server->port(), [&](ControlStreamSettings& settings) {
                                   if (turns % 4 == 3) settings.host = "localhost";
                               }};
        for (int i = 0; i < turns; ++i) {
            world.loop.restart();
            world.loop.run_one_for(1ms);
        }
        agent.stop();
        EXPECT_TRUE(agent.losses.empty());
    }
    EXPECT_TRUE(world.run([&] { return desk.nodes.empty(); }));
}

TEST_F(Control, AServerMayStopWhileHandsAreShaken)
{
    for (int turns = 0; turns < 60; turns += 5) {
        TestControlDesk desk{world};
        std::vector<std::unique_ptr<TestControlAgent>> agents;
        for (int i = 0; i < 4; ++i) agents.push_back(std::make_unique<TestControlAgent>(world, desk.server->port()));
        for (int i = 0; i < turns; ++i) {
            world.loop.restart();
            world.loop.run_one_for(1ms);
        }
        desk.stop();
    }
}

TEST_F(Control, ThreeHundredStreamsAtOnce)
{
    TestControlDesk desk{world, limited([](ControlServerSettings& settings) { settings.most_of_address = 400; })};
    std::vector<std::unique_ptr<TestControlAgent>> agents;
    for (int i = 0; i < 300; ++i) {
        // As seldom as agents try it: they have the loop of the test for themselves otherwise.
        const auto seldom = [](ControlStreamSettings& settings) {
            settings.first_pause = 200ms;
            settings.longest_pause = 5s;
        };
        agents.push_back(
            std::make_unique<TestControlAgent>(world, desk.server->port(), seldom, "agent-" + std::to_string(i))
        );
    }
    const auto all = [&](std::size_t frames) {
        return std::ranges::all_of(agents, [&](const auto& agent) { return agent->frames.size() >= frames; });
    };
    ASSERT_TRUE(world.run([&] { return all(1); }));
    EXPECT_EQ(desk.server->streams(), 300U);
    for (const auto& [stream, node] : desk.nodes) desk.say(stream, LimitsFrame{});
    ASSERT_TRUE(world.run([&] { return all(2); }));
    EXPECT_EQ(desk.frames.size(), 300U);
    desk.stop();
    EXPECT_TRUE(world.run([&] {
        return std::ranges::all_of(agents, [](const auto& agent) { return !agent->losses.empty(); });
    }));
}

}  // namespace
}  // namespace entrepot

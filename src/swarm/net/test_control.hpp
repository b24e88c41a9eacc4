#pragma once

#include "swarm/net/control_server.hpp"
#include "swarm/net/control_stream.hpp"
#include "swarm/net/test_network.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// A registry's end of control streams, which remembers what it hears.
class TestControlDesk final : public ControlServerOwner {
public:
    explicit TestControlDesk(TestNetworkWorld& world, ControlServerSettings settings = {}, bool seed = true)
        : world_{world}, settings_{std::move(settings)}, tls{world.tls("registry", seed)}
    {
        settings_.binding = "127.0.0.1";
        open();
    }
    ~TestControlDesk() override { stop(); }

    void open()
    {
        server = std::make_unique<ControlServer>(world_.loop.get_executor(), settings_, tls, *this, world_.clock);
        const auto started = server->start();
        ASSERT_TRUE(started.has_value()) << started.error().message() << started.error().detail();
        // Where it comes back after a stop.
        settings_.port = server->port();
    }
    void stop()
    {
        if (server) world_.finish(server->stop());
        server.reset();
        nodes.clear();
    }
    void say(ControlId stream, const ControlFrame& frame) const
    {
        std::string bytes;
        append_frame(bytes, frame);
        server->send(stream, std::move(bytes));
    }
    ControlId only() const
    {
        EXPECT_EQ(nodes.size(), 1U);
        return nodes.begin()->first;
    }

    void opened(ControlId stream, const NodeIdentity& node, const PeerEndpoint& from) override
    {
        ++streams;
        nodes.emplace(stream, node);
        address = from;
    }
    void received(ControlId stream, const ControlFrame& frame) override
    {
        EXPECT_TRUE(nodes.contains(stream));
        frames.push_back(frame);
        // As the tracker answers.
        if (std::holds_alternative<RegisterFrame>(frame)) say(stream, WelcomeFrame{.report_ms = 1});
        if (const auto* const ping = std::get_if<PingFrame>(&frame); ping != nullptr && !mute)
            say(stream, PongFrame{.token = ping->token});
    }
    void broken(ControlId stream, const std::string& why) override
    {
        complaint = why;
        say(stream, ByeFrame{.reason = ByeReason::protocol, .text = {}});
        server->close(stream);
        nodes.erase(stream);
    }
    void closed(ControlId stream) override { EXPECT_EQ(nodes.erase(stream), 1U); }

private:
    TestNetworkWorld& world_;
    ControlServerSettings settings_;

public:
    std::shared_ptr<const PeerTlsContext> tls;
    std::unique_ptr<ControlServer> server;
    std::map<ControlId, NodeIdentity> nodes;
    std::vector<ControlFrame> frames;
    std::optional<PeerEndpoint> address;
    std::string complaint;
    int streams = 0;  // that have been opened
    bool mute = false;
};

// An agent's end, which registers.
class TestControlAgent final : public ControlStreamOwner {
public:
    using Tune = std::function<void(ControlStreamSettings&)>;

    TestControlAgent(
        TestNetworkWorld& world, std::uint16_t port, const Tune& tune = {}, const std::string& name = "agent"
    )
        : tls{world.tls(name)}, world_{world}
    {
        ControlStreamSettings settings;
        settings.host = "127.0.0.1";
        settings.port = port;
        settings.first_pause = std::chrono::milliseconds{1};
        settings.longest_pause = std::chrono::milliseconds{20};
        if (tune) tune(settings);
        stream =
            std::make_unique<ControlStream>(world.loop.get_executor(), std::move(settings), tls, *this, world.clock);
        stream->start();
    }
    ~TestControlAgent() override { stop(); }

    void stop()
    {
        if (!stopped_) world_.finish(stream->stop());
        stopped_ = true;
    }

    void connected(const asio::ip::address& tracker) override
    {
        EXPECT_TRUE(stream->is_connected());
        ++connections;
        server = tracker;
        stream->send(RegisterFrame{.name = "agent"});
    }
    void received(const ControlFrame& frame) override { frames.push_back(frame); }
    void lost(const std::string& why) override
    {
        EXPECT_FALSE(stream->is_connected());
        losses.push_back(why);
    }

    std::shared_ptr<const PeerTlsContext> tls;
    std::unique_ptr<ControlStream> stream;
    std::vector<ControlFrame> frames;
    asio::ip::address server;
    std::vector<std::string> losses;
    int connections = 0;

private:
    TestNetworkWorld& world_;
    bool stopped_ = false;
};

inline ControlServerSettings limited(const std::function<void(ControlServerSettings&)>& limit)
{
    ControlServerSettings settings;
    limit(settings);
    return settings;
}

class TestControl : public ::testing::Test {
protected:
    TestControl() { std::signal(SIGPIPE, SIG_IGN); }

    bool welcomed(const TestControlAgent& agent, std::size_t times = 1)
    {
        return world.run([&] { return agent.frames.size() >= times; });
    }

    TestNetworkWorld world{{1'000}};
};

}  // namespace entrepot

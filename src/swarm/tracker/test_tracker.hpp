#pragma once

#include "core/bytes.hpp"
#include "swarm/tracker/tracker.hpp"
#include "swarm/wire/frame_splitter.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

inline NodeId node_named(std::uint32_t number)
{
    NodeId id;
    SwarmRandom random{number};
    for (auto& octet : id.bytes) octet = static_cast<std::uint8_t>(random.next());
    return id;
}

inline SwarmId swarm_named(std::uint8_t number)
{
    SwarmId id;
    id.bytes[0] = number;
    return id;
}

// What a tracker has others do.
struct TestTrackerShell final : TrackerShell {
    struct Wish {
        ControlId stream;
        SwarmHandle handle;
        SwarmId swarm;
        std::string ticket;
    };
    struct Renewal {
        ControlId stream;
        NodeId node;
        std::string request;
    };

    void send(ControlId stream, std::string bytes) override
    {
        FrameSplitter splitter;
        splitter.feed(entrepot::as_bytes(bytes));
        while (auto item = *splitter.next()) {
            const auto& whole = std::get<WholeFrame>(*item);
            frames[stream].push_back(**decode_control_frame(whole.head, whole.body));
        }
    }
    void close(ControlId stream) override { closed.insert(stream); }
    void
    wants(ControlId stream, const NodeId&, SwarmHandle handle, const SwarmId& swarm, const std::string& ticket) override
    {
        wishes.push_back({stream, handle, swarm, ticket});
    }
    void renewal(ControlId stream, const NodeId& node, const std::string& request) override
    {
        renewals.push_back({stream, node, request});
    }
    void reported(const NodeId&, const ReportFrame& report) override { reports.push_back(report); }
    void preheat_progress(const NodeId&, const PreheatProgressFrame& progress) override
    {
        progresses.push_back(progress);
    }

    // All frames of a kind that a stream got, taken out.
    template <class Frame>
    std::vector<Frame> take(ControlId stream)
    {
        std::vector<Frame> taken;
        std::erase_if(frames[stream], [&](const ControlFrame& frame) {
            if (!std::holds_alternative<Frame>(frame)) return false;
            taken.push_back(std::get<Frame>(frame));
            return true;
        });
        return taken;
    }

    std::map<ControlId, std::vector<ControlFrame>> frames;
    std::set<ControlId> closed;
    std::vector<Wish> wishes;
    std::vector<Renewal> renewals;
    std::vector<ReportFrame> reports;
    std::vector<PreheatProgressFrame> progresses;
};

// Streams are numbered from 1, and so are nodes.
class ATracker : public ::testing::Test {
protected:
    ATracker()
    {
        for (std::uint8_t number = 0; number < 3; ++number)
            seeds.push_back({.node = node_named(1'000'000U + number), .endpoint = {.port = 5}, .seed = true});
        tracker.set_seeds(seeds);
    }

    void open(ControlId stream, std::string zone = "a", std::uint16_t port = 7000)
    {
        PeerEndpoint from;
        from.address[15] = static_cast<std::uint8_t>(stream);
        from.port = 999;
        tracker.opened(stream, node_named(stream), from, now);
        RegisterFrame hello;
        hello.name = "node-" + std::to_string(stream);
        hello.zone = std::move(zone);
        hello.endpoint.port = port;
        ASSERT_TRUE(tracker.received(stream, hello, now));
    }
    bool announce(ControlId stream, std::uint8_t swarm, std::uint16_t handle = 1, std::uint16_t progress = 0)
    {
        AnnounceFrame frame;
        frame.handle = SwarmHandle{handle};
        frame.swarm = swarm_named(swarm);
        frame.progress = progress;
        return tracker.received(stream, frame, now);
    }
    void admit_all()
    {
        for (const auto& wish : std::exchange(shell.wishes, {}))
            tracker.admitted(wish.stream, wish.handle, wish.swarm, "ticket");
    }
    void join(ControlId stream, std::uint8_t swarm, std::uint16_t progress = 0)
    {
        open(stream);
        ASSERT_TRUE(announce(stream, swarm, 1, progress));
        admit_all();
    }

    TrackerSettings settings;
    TrackerPolicy policy;
    TestTrackerShell shell;
    Tracker tracker{settings, policy, shell};
    std::vector<PeerEntry> seeds;
    SwarmTime now = swarm_second;
};

}  // namespace entrepot

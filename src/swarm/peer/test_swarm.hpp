#pragma once

#include "core/bytes.hpp"
#include "swarm/peer/swarm_node.hpp"
#include "swarm/wire/frame_splitter.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace entrepot {

// Nodes that talk to each other over byte streams in memory: what is written on one side is cut anywhere and read on
// the other a little later. Data are real bytes, checked against the image as an agent checks them against its hashes.
class TestSwarm {
public:
    struct Node;

    explicit TestSwarm(std::vector<std::uint64_t> blobs, std::uint32_t chunks = 1);
    ~TestSwarm();

    Node& add(bool seed = false, std::vector<PieceIndex> held = {});
    void connect(Node& from, Node& to);
    // Tells `from` of the others, as a tracker does.
    void introduce(Node& from, std::vector<Node*> others);
    // Lets things happen for so long, or until `done`.
    bool run(SwarmTime time, const std::function<bool()>& done);
    void cut(Node& one);
    std::string_view bytes_of(ChunkSpan span) const;
    std::vector<PieceIndex> all_pieces() const;
    Node* find(const NodeId& node);

    static NodeId name_of(std::uint8_t number)
    {
        NodeId name;
        name.bytes[31] = number;
        return name;
    }

    PieceLayout layout;
    std::string image;
    SwarmId id;
    std::vector<std::unique_ptr<Node>> nodes;
    PeerPolicy peer_policy;
    SeedPolicy seed_policy;
    SwarmTime now = swarm_second;
    SwarmTime step = 200;  // microseconds between two moments
    std::uint32_t data_frames = 0;

private:
    ConnectionId last_connection_ = 0;
};

struct TestSwarm::Node final : NodeShell {
    struct Stream {
        Node* other;
        ConnectionId there;
        std::string incoming;
        std::string outgoing;
        bool closing = false;
        FrameSplitter splitter;
        std::optional<DataFrame> data;
        std::optional<SwarmId> wanted;
        std::string kept;
    };

    Node(TestSwarm& its_world, NodeSettings settings)
        : world{its_world},
          name{settings.id},
          swarm{std::move(settings), world.peer_policy, world.seed_policy, *this},
          held(world.layout.chunks())
    {
    }

    void send(ConnectionId connection, std::string bytes) override
    {
        if (!silent && streams.contains(connection)) streams.at(connection).outgoing += bytes;
    }
    void close(ConnectionId connection) override { streams.at(connection).closing = true; }
    void connect(const PeerEntry& peer) override { dialled.push_back(peer.node); }
    std::optional<DenyCode> refusal(const NodeId& peer, const SwarmId&, std::string_view ticket) override
    {
        if (forbidden.contains(peer)) return DenyCode::ticket;
        return ticket == "stale" ? std::optional{DenyCode::expired} : std::nullopt;
    }
    void upload_ready() override { ready = true; }
    void starved(const SwarmId&, RefillReason reason, std::optional<NodeId> dropped) override
    {
        hungry.emplace_back(reason, dropped);
    }
    void complete(const SwarmId&) override { ++completed; }
    void caught(const NodeId& peer, const SwarmId&, ChunkSpan) override { liars.insert(peer); }
    void wake_at(SwarmTime time) override { alarms.insert(time); }

    bool has_all() const { return swarm.find(world.id) != nullptr && swarm.find(world.id)->complete(); }

    void upload()
    {
        ready = false;
        while (auto order = swarm.next_upload()) {
            for (const auto extent : order->extents) {
                auto bytes = std::string{world.bytes_of(extent)};
                if (lying) bytes.front() = static_cast<char>(~bytes.front());
                std::string out;
                append_frame(
                    out,
                    DataFrame{
                        .handle = order->handle,
                        .request = order->request,
                        .extent = extent,
                        .bytes = static_cast<std::uint32_t>(bytes.size()),
                    }
                );
                send(order->connection, out + bytes);
                ++world.data_frames;
            }
            swarm.sent(*order, world.now);
        }
    }

    // False: the connection has ended.
    bool take(ConnectionId connection, Stream& stream)
    {
        while (true) {
            auto item = stream.splitter.next();
            if (!item) {
                swarm.broken(connection, item.error().message(), world.now);
                return false;
            }
            if (!*item) return true;
            if (const auto* const whole = std::get_if<WholeFrame>(&**item)) {
                auto frame = decode_peer_frame(whole->head, whole->body);
                EXPECT_TRUE(frame.has_value()) << frame.error().message();
                if (*frame && !swarm.received(connection, **frame, world.now)) return false;
            } else if (const auto* const head = std::get_if<DataFrame>(&**item)) {
                stream.data = *head;
                stream.wanted = swarm.data_begins(connection, *head, world.now);
                stream.kept.clear();
            } else if (const auto* const bytes = std::get_if<DataBytes>(&**item)) {
                stream.kept.append(reinterpret_cast<const char*>(bytes->bytes.data()), bytes->bytes.size());
            } else if (stream.wanted) {
                const bool good = stream.kept == world.bytes_of(stream.data->extent);
                if (good) std::fill_n(held.begin() + stream.data->extent.first, stream.data->extent.count, true);
                swarm.data_verified(connection, *stream.data, good, world.now);
                if (streams.at(connection).closing) return false;
            }
        }
    }

    TestSwarm& world;
    NodeId name;
    SwarmNode swarm;
    std::vector<bool> held;  // chunks whose bytes came and were right
    std::map<ConnectionId, Stream> streams;
    std::vector<NodeId> dialled;
    std::vector<std::pair<RefillReason, std::optional<NodeId>>> hungry;
    std::set<NodeId> forbidden;
    std::set<NodeId> liars;
    std::multiset<SwarmTime> alarms;
    int completed = 0;
    bool ready = false;
    bool lying = false;
    bool silent = false;
    bool seed = false;
};

inline TestSwarm::TestSwarm(std::vector<std::uint64_t> blobs, std::uint32_t chunks)
    : layout{*PieceLayout::of(blobs, chunks)}, image(layout.bytes(), '\0')
{
    SwarmRandom random{42};
    for (auto& octet : image) octet = static_cast<char>(random.next());
    id.bytes[0] = 7;
}

inline TestSwarm::~TestSwarm() = default;

inline std::string_view TestSwarm::bytes_of(ChunkSpan span) const
{
    const auto before = layout.bytes_of_chunks({.first = 0, .count = span.first});
    return std::string_view{image}.substr(before, layout.bytes_of_chunks(span));
}

inline std::vector<PieceIndex> TestSwarm::all_pieces() const
{
    std::vector<PieceIndex> all(layout.pieces());
    std::iota(all.begin(), all.end(), PieceIndex{0});
    return all;
}

inline TestSwarm::Node& TestSwarm::add(bool seed, std::vector<PieceIndex> held)
{
    NodeSettings settings;
    settings.id = name_of(static_cast<std::uint8_t>(nodes.size() + 1));
    settings.name = "node";
    settings.up = 1e9;
    settings.capabilities = CapabilitySet{}.with(Capability::serves);
    if (seed) settings.capabilities = settings.capabilities.with(Capability::seed);
    settings.random_seed = nodes.size() + 1;
    nodes.push_back(std::make_unique<Node>(*this, settings));
    auto& node = *nodes.back();
    PieceSet pieces{layout.pieces()};
    for (const auto piece : held) pieces.insert(piece);
    node.seed = seed;
    if (seed)
        node.swarm.add_seed(id, layout, 0);
    else
        node.swarm.add_swarm(id, layout, pieces, "ticket", now);
    return node;
}

inline TestSwarm::Node* TestSwarm::find(const NodeId& node)
{
    for (const auto& one : nodes) {
        if (one->name == node) return one.get();
    }
    return nullptr;
}

inline void TestSwarm::connect(Node& from, Node& to)
{
    const auto here = ++last_connection_;
    const auto there = ++last_connection_;
    from.streams[here].other = &to;
    from.streams[here].there = there;
    to.streams[there].other = &from;
    to.streams[there].there = here;
    const auto is_seed = [](const Node& node) { return node.seed; };
    from.swarm.opened(here, to.name, true, is_seed(to), now);
    to.swarm.opened(there, from.name, false, is_seed(from), now);
}

inline void TestSwarm::introduce(Node& from, std::vector<Node*> others)
{
    std::vector<PeerEntry> peers;
    for (const auto* const other : others) peers.push_back({.node = other->name, .endpoint = {.port = 1}});
    from.swarm.neighbours(id, peers, now);
}

inline void TestSwarm::cut(Node& one)
{
    auto streams = std::move(one.streams);
    one.streams.clear();
    for (auto& [here, stream] : streams) {
        one.swarm.closed(here, now);
        stream.other->streams.erase(stream.there);
        stream.other->swarm.closed(stream.there, now);
    }
}

inline bool TestSwarm::run(SwarmTime time, const std::function<bool()>& done)
{
    SwarmRandom cuts{9};
    for (const auto until = now + time; now < until && !done(); now += step) {
        for (auto& node : nodes) {
            while (!node->alarms.empty() && *node->alarms.begin() <= now) {
                node->alarms.erase(node->alarms.begin());
                node->swarm.wake(now);
            }
            for (const auto& peer : std::exchange(node->dialled, {})) {
                if (auto* const other = find(peer)) connect(*node, *other);
            }
            if (node->ready) node->upload();
            for (auto& [id_here, stream] : node->streams)
                stream.other->streams.at(stream.there).incoming += std::exchange(stream.outgoing, {});
        }
        for (auto& node : nodes) {
            std::vector<ConnectionId> ended;
            for (auto& [id_here, stream] : node->streams) {
                std::string bytes = std::exchange(stream.incoming, {});
                for (std::string_view rest{bytes}; !rest.empty() && !stream.closing;) {
                    const auto some = rest.substr(0, 1 + cuts.below(300'000));
                    rest.remove_prefix(some.size());
                    stream.splitter.feed(entrepot::as_bytes(some));
                    if (!node->take(id_here, stream)) break;
                }
                if (stream.closing && stream.outgoing.empty()) ended.push_back(id_here);
            }
            for (const auto id_here : ended) {
                const auto stream = std::move(node->streams.at(id_here));
                node->streams.erase(id_here);
                const auto other = stream.other->streams.find(stream.there);
                if (other == stream.other->streams.end()) continue;
                if (!other->second.closing) stream.other->swarm.closed(stream.there, now);
                stream.other->streams.erase(other);
            }
        }
    }
    return done();
}

}  // namespace entrepot

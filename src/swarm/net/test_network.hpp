#pragma once

#include "core/address.hpp"
#include "core/bytes.hpp"
#include "core/random.hpp"
#include "swarm/identity/node_authority.hpp"
#include "swarm/net/image_verifier.hpp"
#include "swarm/net/peer_network.hpp"
#include "swarm/swarm_random.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace entrepot {

// An image, an authority for nodes, and a loop that the test's own thread runs until something holds.
class TestNetworkWorld {
public:
    explicit TestNetworkWorld(const std::vector<std::size_t>& blobs, std::uint32_t chunks_of_piece = 1);

    // Lets things happen until `done`, which is looked at between two turns of the loop. False: in a minute it wasn't.
    bool run(const std::function<bool()>& done);
    void run_for(std::chrono::milliseconds time);
    // Awaits something on the loop.
    void finish(asio::awaitable<void> task);

    std::shared_ptr<const PeerTlsContext> tls(const NodeAdmission& admission, const NodeAuthority& by, Micros at) const;
    std::shared_ptr<const PeerTlsContext> tls(const std::string& name, bool seed = false) const;
    NodeTrust trust() const;

    SystemClock clock;
    SystemRandom random;
    NodeAuthority authority;
    asio::io_context loop{1};
    asio::thread_pool pool{2};
    std::string image;
    std::unique_ptr<ImageVerifier> verifier;
};

// One node with its network, and the image in memory.
class TestNetworkNode final : public PeerNetworkOwner, public PeerChunkSink, public PeerChunkSource {
public:
    using Tune = std::function<void(PeerNetworkSettings&)>;

    TestNetworkNode(TestNetworkWorld& world, const std::string& name, bool seed = false, const Tune& tune = {});
    ~TestNetworkNode() override;

    void meet(const TestNetworkNode& other);
    void stop();
    PeerEntry entry() const;
    const SwarmId& swarm() const { return world_.verifier->descriptor().id(); }
    // Bytes are compared once: this is asked at every turn of the loop, and would leave it no time for anything else.
    bool has_all()
    {
        if (!has_all_) has_all_ = completed > 0 && bytes == world_.image;
        return has_all_;
    }
    const PeerNetworkCounters& counters() const { return network->counters(); }

    std::optional<DenyCode> refusal(const NodeIdentity&, const SwarmId&, std::string_view ticket) override
    {
        return ticket == "ticket" || ticket.empty() ? std::nullopt : std::optional{DenyCode::ticket};
    }
    // Names all that it has met again, as the tracker names others: on a busy machine a neighbour may seem of no use.
    void starved(const SwarmId&, RefillReason, std::optional<NodeId>) override
    {
        ++hungers;
        network->act([&](SwarmNode& node, SwarmTime now) { node.neighbours(swarm(), met_, now); });
    }
    void complete(const SwarmId&) override { ++completed; }
    void caught(const NodeId& peer, const SwarmId&, ChunkSpan) override { liars.insert(peer); }
    Task<> store(SwarmId swarm, ChunkIndex chunk, std::span<const std::byte> from) override;
    Task<> read(SwarmId swarm, ChunkIndex chunk, std::span<std::byte> into) override;

    std::unique_ptr<PeerNetwork> network;
    std::shared_ptr<const PeerTlsContext> tls;
    std::string bytes;
    std::set<NodeId> liars;
    int completed = 0;
    int failures = 0;  // chunks that are not stored, and that cannot be read
    bool lying = false;
    int hungers = 0;  // how often it wanted other neighbours

private:
    std::size_t offset_of(ChunkIndex chunk) const;

    TestNetworkWorld& world_;
    std::vector<PeerEntry> met_;
    std::set<ChunkIndex> kept_;
    bool stopped_ = false;
    bool has_all_ = false;
};

inline TestNetworkWorld::TestNetworkWorld(const std::vector<std::size_t>& blobs, std::uint32_t chunks_of_piece)
    : authority{NodeAuthority::create(random, clock.now()).value()}
{
    ImageContent content;
    content.chunks_of_piece = chunks_of_piece;
    std::vector<Sha256> hashes;
    SwarmRandom noise{42};
    for (const auto size : blobs) {
        std::string blob(size, '\0');
        for (std::size_t at = 0; at < size; at += 8) {
            const auto some = noise.next();
            std::memcpy(blob.data() + at, &some, std::min<std::size_t>(8, size - at));
        }
        ChunkHashes hasher;
        EXPECT_TRUE(hasher.update(as_bytes(blob)).has_value());
        auto hashed = std::move(hasher).finish();
        content.blobs.push_back(hashed.blob);
        hashes.insert(hashes.end(), hashed.chunks.begin(), hashed.chunks.end());
        image += blob;
    }
    auto made = ImageVerifier::of(ImageDescriptor::of(content).value(), hashes);
    verifier = std::make_unique<ImageVerifier>(std::move(made).value());
}

inline bool TestNetworkWorld::run(const std::function<bool()>& done)
{
    const auto until = clock.steady() + std::chrono::minutes{1};
    while (!done() && clock.steady() < until) {
        loop.restart();
        loop.run_one_for(std::chrono::milliseconds{20});
    }
    return done();
}

inline void TestNetworkWorld::run_for(std::chrono::milliseconds time)
{
    const auto until = clock.steady() + time;
    while (clock.steady() < until) {
        loop.restart();
        loop.run_one_for(std::chrono::milliseconds{1});
    }
}

inline void TestNetworkWorld::finish(asio::awaitable<void> task)
{
    bool ended = false;
    asio::co_spawn(loop, std::move(task), [&ended](const std::exception_ptr& thrown) {
        EXPECT_EQ(thrown, nullptr);
        ended = true;
    });
    EXPECT_TRUE(run([&] { return ended; }));
}

inline NodeTrust TestNetworkWorld::trust() const
{
    NodeTrust trust;
    EXPECT_TRUE(trust.trust(authority.certificate_pem()).has_value());
    return trust;
}

inline std::shared_ptr<const PeerTlsContext>
TestNetworkWorld::tls(const NodeAdmission& admission, const NodeAuthority& by, Micros at) const
{
    SystemRandom randomness;
    const auto key = NodeKey::generate().value();
    const auto certificate = by.issue(key.request().value(), admission, randomness, at).value();
    return PeerTlsContext::of(key, certificate.pem, trust()).value();
}

inline std::shared_ptr<const PeerTlsContext> TestNetworkWorld::tls(const std::string& name, bool seed) const
{
    return tls({.name = name, .zone = "zone", .seed = seed}, authority, clock.now());
}

inline TestNetworkNode::TestNetworkNode(TestNetworkWorld& world, const std::string& name, bool seed, const Tune& tune)
    : tls{world.tls(name, seed)}, bytes(world.image.size(), '\0'), world_{world}
{
    PeerNetworkSettings settings;
    settings.node.name = name;
    settings.node.zone = "zone";
    settings.node.up = 1e9;
    settings.node.capabilities = CapabilitySet{}.with(Capability::serves);
    if (seed) settings.node.capabilities = settings.node.capabilities.with(Capability::seed);
    settings.node.random_seed = std::hash<std::string>{}(name);
    settings.binding = "127.0.0.1";
    if (tune) tune(settings);
    network = std::make_unique<PeerNetwork>(
        world.loop.get_executor(), std::move(settings), tls, *this, *this, *this, world.clock
    );
    const auto started = network->start();
    EXPECT_TRUE(started.has_value()) << started.error().message() << started.error().detail();
    const auto layout = world.verifier->descriptor().layout();
    if (seed) bytes = world.image;
    network->act([&](SwarmNode& node, SwarmTime now) {
        if (seed)
            node.add_seed(swarm(), layout, 0);
        else
            node.add_swarm(swarm(), layout, PieceSet{layout.pieces()}, "ticket", now);
    });
}

inline TestNetworkNode::~TestNetworkNode()
{
    stop();
}

inline void TestNetworkNode::stop()
{
    if (!stopped_) world_.finish(network->stop());
    stopped_ = true;
}

inline PeerEntry TestNetworkNode::entry() const
{
    PeerEntry entry;
    entry.node = tls->own_id();
    entry.endpoint = {.address = Address::parse("127.0.0.1")->bytes(), .port = network->port()};
    return entry;
}

inline void TestNetworkNode::meet(const TestNetworkNode& other)
{
    met_.push_back(other.entry());
    network->act([&](SwarmNode& node, SwarmTime now) { node.neighbours(swarm(), std::span{&met_.back(), 1}, now); });
}

inline std::size_t TestNetworkNode::offset_of(ChunkIndex chunk) const
{
    return world_.verifier->descriptor().layout().bytes_of_chunks({.first = 0, .count = chunk});
}

inline Task<> TestNetworkNode::store(SwarmId, ChunkIndex chunk, std::span<const std::byte> from)
{
    if (failures > 0) {
        --failures;
        co_return fail(Errc::storage_full, "the disk is full");
    }
    auto working = offload(world_.pool, [this, chunk, from] { return world_.verifier->verify(chunk, from); });
    CO_CHECK(co_await std::move(working));
    // One that comes twice may be on its way to somebody already.
    if (kept_.insert(chunk).second) std::memcpy(bytes.data() + offset_of(chunk), from.data(), from.size());
    co_return Result<>{};
}

inline Task<> TestNetworkNode::read(SwarmId, ChunkIndex chunk, std::span<std::byte> into)
{
    if (failures > 0) {
        --failures;
        co_return fail(Errc::corrupt, "the disk is broken");
    }
    const auto* const from = bytes.data() + offset_of(chunk);
    auto working = offload(world_.pool, [from, into, lies = lying]() -> Result<> {
        std::memcpy(into.data(), from, into.size());
        if (lies) into.front() = ~into.front();
        return {};
    });
    co_return co_await std::move(working);
}

}  // namespace entrepot

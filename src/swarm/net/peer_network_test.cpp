#include "swarm/net/peer_network.hpp"

#include "swarm/net/test_network.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>

namespace entrepot {
namespace {

using namespace std::chrono_literals;
using Nodes = std::vector<std::unique_ptr<TestNetworkNode>>;

const std::vector<std::size_t> twenty_megabytes{12'000'000, 7'999'000, 1'000};

// A seed first, and then so many nodes that know it and each other.
Nodes swarm_of(TestNetworkWorld& world, int count, const TestNetworkNode::Tune& tune = {})
{
    Nodes nodes;
    nodes.push_back(std::make_unique<TestNetworkNode>(world, "seed", true, tune));
    for (int i = 0; i < count; ++i) {
        nodes.push_back(std::make_unique<TestNetworkNode>(world, "node-" + std::to_string(i), false, tune));
        for (std::size_t other = 0; other + 1 < nodes.size(); ++other) nodes.back()->meet(*nodes[other]);
    }
    return nodes;
}

bool all_have_it(const Nodes& nodes)
{
    return std::all_of(nodes.begin() + 1, nodes.end(), [](const auto& node) { return node->has_all(); });
}

std::uint64_t sum(const std::array<std::uint64_t, 3>& of_classes)
{
    return of_classes[0] + of_classes[1] + of_classes[2];
}

TEST(PeerNetwork, BringsAnImageFromASeedToFourNodes)
{
    TestNetworkWorld world{twenty_megabytes};
    const auto began = world.clock.steady();
    const auto nodes = swarm_of(world, 4);
    EXPECT_TRUE(world.run([&] { return all_have_it(nodes); }));
    const std::chrono::duration<double> took = world.clock.steady() - began;
    RecordProperty("megabytes_per_second", static_cast<int>(80 / took.count()));
    for (std::size_t i = 1; i < nodes.size(); ++i) {
        const auto& counters = nodes[i]->counters();
        EXPECT_GE(sum(counters.data_in), world.image.size());
        EXPECT_GT(counters.data_in[static_cast<std::size_t>(TrafficClass::origin)], 0U);
        EXPECT_EQ(counters.data_in[static_cast<std::size_t>(TrafficClass::across)], 0U);
        EXPECT_GE(counters.stored, world.verifier->descriptor().layout().chunks());
        EXPECT_EQ(counters.false_chunks, 0U);
        EXPECT_GT(counters.connections, 0U);
    }
    EXPECT_GE(nodes[0]->counters().handshakes_ok, 4U);
}

TEST(PeerNetwork, BringsPiecesOfManyChunks)
{
    TestNetworkWorld world{{9'000'000, 300'000}, 8};
    const auto nodes = swarm_of(world, 2);
    EXPECT_TRUE(world.run([&] { return all_have_it(nodes); }));
}

TEST(PeerNetwork, GoesOnWithASwarmThatWasLeftInTheMiddleAndComesBack)
{
    TestNetworkWorld world{{9'000'000}, 8};
    TestNetworkNode seed{world, "seed", true, [](PeerNetworkSettings& settings) { settings.up = 20'000'000; }};
    TestNetworkNode node{world, "node"};
    node.meet(seed);
    EXPECT_TRUE(world.run([&] { return node.counters().stored > 2; }));
    seed.network->act([&](SwarmNode& of, SwarmTime now) { of.remove_swarm(seed.swarm(), std::nullopt, now); });
    world.run_for(50ms);
    seed.network->act([&](SwarmNode& of, SwarmTime) {
        of.add_seed(seed.swarm(), world.verifier->descriptor().layout(), 0);
    });
    node.meet(seed);
    EXPECT_TRUE(world.run([&] { return node.has_all(); }));
}

TEST(PeerNetwork, NeedsLittleMemoryForWhatArrives)
{
    TestNetworkWorld world{twenty_megabytes};
    const auto nodes = swarm_of(world, 3, [](PeerNetworkSettings& settings) { settings.most_arriving = 1; });
    EXPECT_TRUE(world.run([&] { return all_have_it(nodes); }));
}

TEST(PeerNetwork, TwoThatDialEachOtherAtOnceKeepOneConnection)
{
    TestNetworkWorld world{{3'000'000}};
    TestNetworkNode seed{world, "seed", true};
    TestNetworkNode one{world, "one"};
    TestNetworkNode two{world, "two"};
    one.meet(two);
    two.meet(one);
    EXPECT_TRUE(world.run([&] { return one.counters().connections == 1 && two.counters().connections == 1; }));
    one.meet(seed);
    EXPECT_TRUE(world.run([&] { return one.has_all() && two.has_all(); }));
    EXPECT_EQ(two.network->node().connections(), 1U);
}

TEST(PeerNetwork, StopsWhileEverythingMoves)
{
    TestNetworkWorld world{twenty_megabytes};
    const auto nodes = swarm_of(world, 3);
    EXPECT_TRUE(world.run([&] { return nodes[1]->counters().stored > 5; }));
    for (const auto& node : nodes) node->stop();
    for (const auto& node : nodes) EXPECT_EQ(node->counters().connections, 0U);
    EXPECT_GT(nodes[0]->counters().byes_out[static_cast<std::size_t>(ByeReason::shutdown)], 0U);
}

TEST(PeerNetwork, GoesOnWithoutANodeThatHasGone)
{
    TestNetworkWorld world{twenty_megabytes};
    const auto nodes = swarm_of(world, 3);
    EXPECT_TRUE(world.run([&] { return nodes[1]->counters().stored > 5; }));
    nodes[1]->stop();
    EXPECT_TRUE(world.run([&] { return nodes[2]->has_all() && nodes[3]->has_all(); }));
}

TEST(PeerNetwork, CatchesWhoLies)
{
    TestNetworkWorld world{{4'000'000}};
    TestNetworkNode seed{world, "seed", true};
    TestNetworkNode liar{world, "liar", true};
    TestNetworkNode node{world, "node"};
    liar.lying = true;
    node.meet(liar);
    EXPECT_TRUE(world.run([&] { return !node.liars.empty(); }));
    EXPECT_EQ(*node.liars.begin(), liar.tls->own_id());
    node.meet(seed);
    EXPECT_TRUE(world.run([&] { return node.has_all(); }));
    EXPECT_GT(node.counters().false_chunks, 0U);
    EXPECT_FALSE(node.liars.contains(seed.tls->own_id()));
    EXPECT_EQ(node.counters().byes_out[static_cast<std::size_t>(ByeReason::harm)], 1U);
}

TEST(PeerNetwork, OutlivesDisksThatFail)
{
    TestNetworkWorld world{{2'000'000}};
    TestNetworkNode seed{world, "seed", true};
    TestNetworkNode node{world, "node"};
    seed.failures = 2;
    node.failures = 2;
    node.meet(seed);
    EXPECT_TRUE(world.run([&] { return node.has_all(); }));
    EXPECT_EQ(node.counters().not_stored, 2U);
    EXPECT_EQ(seed.counters().not_read, 2U);
    EXPECT_TRUE(node.liars.empty());
}

// ---- rates. What has moved is compared with what the time that it took allows: a slow machine can't break that.

struct Measured {
    std::uint64_t bytes;
    double seconds;
};

Measured measure(TestNetworkWorld& world, TestNetworkNode& seed, TestNetworkNode& node)
{
    const auto began = world.clock.steady();
    node.meet(seed);
    EXPECT_TRUE(world.run([&] { return world.clock.steady() - began > 1s && sum(seed.counters().data_out) > 0; }));
    const std::chrono::duration<double> took = world.clock.steady() - began;
    return {.bytes = node.counters().wire_in, .seconds = took.count()};
}

TEST(PeerNetwork, KeepsTheRateOfWhatItSendsAndChangesItOnTheWay)
{
    constexpr double rate = 6'000'000;
    TestNetworkWorld world{twenty_megabytes};
    TestNetworkNode seed{world, "seed", true, [](PeerNetworkSettings& settings) { settings.up = 6'000'000; }};
    TestNetworkNode node{world, "node"};
    const auto [bytes, seconds] = measure(world, seed, node);
    EXPECT_LE(static_cast<double>(bytes), rate * seconds * 1.15);
    EXPECT_GT(bytes, 0U);
    seed.network->limit(no_rate_limit, no_rate_limit);
    EXPECT_TRUE(world.run([&] { return node.has_all(); }));
}

TEST(PeerNetwork, KeepsTheRateOfWhatItReads)
{
    constexpr double rate = 6'000'000;
    TestNetworkWorld world{twenty_megabytes};
    TestNetworkNode seed{world, "seed", true};
    TestNetworkNode node{world, "node", false, [](PeerNetworkSettings& settings) { settings.down = 6'000'000; }};
    const auto [bytes, seconds] = measure(world, seed, node);
    EXPECT_LE(static_cast<double>(bytes), rate * seconds * 1.15);
    node.network->limit(no_rate_limit, no_rate_limit);
    EXPECT_TRUE(world.run([&] { return node.has_all(); }));
}

TEST(PeerNetwork, SendsNothingWhereThatIsForbidden)
{
    TestNetworkWorld world{{2'000'000}};
    TestNetworkNode seed{world, "seed", true, [](PeerNetworkSettings& settings) { settings.up = 0; }};
    TestNetworkNode node{world, "node", false, [](PeerNetworkSettings& settings) { settings.down = 0; }};
    node.meet(seed);
    EXPECT_TRUE(world.run([&] { return node.counters().connections == 1; }));
    world.run_for(100ms);
    EXPECT_EQ(sum(seed.counters().data_out), 0U);
    seed.network->limit(no_rate_limit, no_rate_limit);
    world.run_for(100ms);
    EXPECT_EQ(node.counters().stored, 0U);
    node.network->limit(no_rate_limit, no_rate_limit);
    EXPECT_TRUE(world.run([&] { return node.has_all(); }));
}

// ---- between TLS and the socket

// Holds what has come for a while.
class DelayedStream final : public PeerStream {
public:
    DelayedStream(std::unique_ptr<PeerStream> inner, asio::any_io_executor loop, std::chrono::microseconds delay)
        : inner_{std::move(inner)}, timer_{std::move(loop)}, delay_{delay}
    {
    }

    Result<std::optional<std::size_t>> read(std::span<std::byte> into) override
    {
        if (closed_) return inner_->read(into);
        collect();
        if (come_.empty()) return lost_ ? Result<std::optional<std::size_t>>{std::unexpected{*lost_}} : std::nullopt;
        auto& [due, bytes] = come_.front();
        if (due > Clock::now()) return std::optional<std::size_t>{};
        const auto count = std::min(into.size(), bytes.size());
        std::memcpy(into.data(), bytes.data(), count);
        bytes.erase(0, count);
        if (bytes.empty()) come_.pop_front();
        return count;
    }
    Result<std::optional<std::size_t>> write(std::span<const std::byte> from) override { return inner_->write(from); }
    std::size_t unacknowledged() const override { return inner_->unacknowledged(); }
    std::optional<std::chrono::microseconds> round_trip() const override { return 2 * delay_; }
    asio::awaitable<void> writable() override { return inner_->writable(); }
    asio::awaitable<void> readable() override
    {
        if (come_.empty() && !lost_) co_await inner_->readable();
        collect();
        // In slices, so that what comes meanwhile is stamped when it comes.
        while (!closed_ && !come_.empty() && come_.front().first > Clock::now()) {
            boost::system::error_code ignored;
            timer_.expires_after(delay_ / 8);
            co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
            collect();
        }
    }
    void finish() override { inner_->finish(); }
    void close() override
    {
        closed_ = true;
        timer_.cancel();
        inner_->close();
    }

private:
    using Clock = std::chrono::steady_clock;

    void collect()
    {
        while (!lost_) {
            std::string some(std::size_t{64} * 1024, '\0');
            auto count = inner_->read(std::as_writable_bytes(std::span{some}));
            if (!count) lost_ = count.error();
            if (!count || !*count) return;
            some.resize(**count);
            come_.emplace_back(Clock::now() + delay_, std::move(some));
        }
    }

    std::unique_ptr<PeerStream> inner_;
    asio::steady_timer timer_;
    std::chrono::microseconds delay_;
    std::deque<std::pair<Clock::time_point, std::string>> come_;
    std::optional<Error> lost_;
    bool closed_ = false;
};

TEST(PeerNetwork, WorksOverALongWay)
{
    TestNetworkWorld world{{4'000'000}};
    const auto nodes = swarm_of(world, 2, [&world](PeerNetworkSettings& settings) {
        settings.wrap = [&world](std::unique_ptr<PeerStream> inner) {
            return std::make_unique<DelayedStream>(std::move(inner), world.loop.get_executor(), 5ms);
        };
    });
    EXPECT_TRUE(world.run([&] { return all_have_it(nodes); }));
}

// ---- bindings and renewals

TEST(PeerNetwork, BindsToAnInterface)
{
    TestNetworkWorld world{{1'000'000}};
    const auto nodes = swarm_of(world, 1, [](PeerNetworkSettings& settings) { settings.binding = "lo"; });
    EXPECT_TRUE(world.run([&] { return all_have_it(nodes); }));
    PeerNetworkSettings settings;
    settings.binding = "no such interface";
    PeerNetwork network{
        world.loop.get_executor(), settings, nodes[0]->tls, *nodes[0], *nodes[0], *nodes[0], world.clock
    };
    EXPECT_EQ(network.start().error().code(), Errc::bad_request);
}

TEST(PeerNetwork, TakesNewCertificatesAndAuthoritiesWhileItRuns)
{
    TestNetworkWorld world{{1'000'000}};
    TestNetworkNode seed{world, "seed", true};
    TestNetworkNode early{world, "early"};
    TestNetworkNode late{world, "late"};
    early.meet(seed);
    EXPECT_TRUE(world.run([&] { return early.has_all(); }));
    const auto key = NodeKey::generate().value();
    const auto other = NodeAuthority::create(world.random, world.clock.now()).value();
    const NodeAdmission admission{.name = "seed", .zone = "zone", .seed = true};
    const auto certificate = other.issue(key.request().value(), admission, world.random, world.clock.now()).value();
    seed.network->renew(PeerTlsContext::of(key, certificate.pem, world.trust()).value());
    late.meet(seed);
    EXPECT_TRUE(world.run([&] { return late.counters().handshakes_failed == 1; })) << "of an authority not trusted";
    EXPECT_EQ(early.counters().connections, 1U) << "connections stay";
    seed.network->renew(seed.tls);
    late.meet(seed);
    EXPECT_TRUE(world.run([&] { return late.has_all(); }));
}

TEST(PeerNetwork, TakesNobodyForSomebodyElse)
{
    TestNetworkWorld world{{1'000'000}};
    TestNetworkNode one{world, "one"};
    TestNetworkNode two{world, "two"};
    auto entry = two.entry();
    entry.node.bytes[0] ^= 1;
    one.network->act([&](SwarmNode& node, SwarmTime now) { node.neighbours(one.swarm(), std::span{&entry, 1}, now); });
    EXPECT_TRUE(world.run([&] { return one.counters().handshakes_failed == 1; }));
    EXPECT_EQ(one.counters().connections, 0U);
}

}  // namespace
}  // namespace entrepot

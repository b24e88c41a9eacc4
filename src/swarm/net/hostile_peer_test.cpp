#include "swarm/net/test_network.hpp"
#include "swarm/net/test_stranger.hpp"

#include <csignal>

namespace entrepot {
namespace {

constexpr std::size_t image_bytes = 6'000'000;

std::size_t number(ByeReason reason)
{
    return static_cast<std::size_t>(reason);
}

// A seed and two nodes that are about to bring each other an image, and somebody else.
class AStranger : public ::testing::Test {
protected:
    AStranger()
    {
        std::signal(SIGPIPE, SIG_IGN);
        manners.certificate = world.tls("stranger");
    }

    // Whatever happened, the others get their image.
    void others_are_well()
    {
        one.meet(seed);
        two.meet(seed);
        two.meet(one);
        EXPECT_TRUE(world.run([&] { return one.has_all() && two.has_all(); }));
    }
    // One that has said HELLO and has joined; its number of the swarm is 1.
    std::unique_ptr<TestStranger> member()
    {
        return while_running(world, [this] {
            auto made = std::make_unique<TestStranger>(seed.network->port(), manners);
            EXPECT_TRUE(made->greet(manners.certificate->own_id()));
            EXPECT_TRUE(made->say(JoinFrame{.handle = SwarmHandle{1}, .swarm = seed.swarm(), .ticket = "ticket"}));
            const auto theirs = made->hear<JoinFrame>();
            EXPECT_TRUE(theirs.has_value());
            EXPECT_TRUE(made->say(JoinOkFrame{.of = theirs->handle, .joins = true, .complete = false}));
            return made;
        });
    }
    RequestFrame request(RequestId id, ChunkSpan chunks) const
    {
        RequestFrame frame;
        frame.handle = SwarmHandle{1};
        frame.id = id;
        frame.ranges.push_back(chunks);
        return frame;
    }
    void is_refused()
    {
        const bool ended = while_running(world, [this] {
            TestStranger made{seed.network->port(), manners};
            return !made.hear<HelloFrame>().has_value();
        });
        EXPECT_TRUE(ended) << "not even a HELLO";
        EXPECT_EQ(seed.counters().handshakes_failed, 1U);
        EXPECT_EQ(seed.counters().handshakes_ok, 0U);
        others_are_well();
    }

    TestNetworkWorld world{{image_bytes}};
    TestNetworkNode seed{world, "seed", true};
    TestNetworkNode one{world, "one"};
    TestNetworkNode two{world, "two"};
    TestStranger::Manners manners;
};

TEST_F(AStranger, OfOurOwnIsLetIn)
{
    const auto hello = while_running(world, [this] {
        TestStranger made{seed.network->port(), manners};
        return made.hear<HelloFrame>();
    });
    ASSERT_TRUE(hello.has_value());
    EXPECT_EQ(hello->node, seed.tls->own_id());
}

TEST_F(AStranger, OfAnotherAuthorityIsRefused)
{
    const auto other = NodeAuthority::create(world.random, world.clock.now()).value();
    manners.certificate = world.tls({.name = "stranger", .zone = "zone"}, other, world.clock.now());
    is_refused();
}

TEST_F(AStranger, WithoutACertificateIsRefused)
{
    manners.certificate = nullptr;
    is_refused();
}

TEST_F(AStranger, WithAnExpiredCertificateIsRefused)
{
    const auto two_days = 2 * NodeAuthority::node_lifetime;
    manners.certificate = world.tls({.name = "late", .zone = "zone"}, world.authority, world.clock.now() - two_days);
    is_refused();
}

TEST_F(AStranger, WithAnOlderTlsIsRefused)
{
    manners.version = TLS1_2_VERSION;
    is_refused();
}

TEST_F(AStranger, OfNoProtocolIsRefused)
{
    manners.protocol.clear();
    is_refused();
}

TEST_F(AStranger, OfAnotherProtocolIsRefused)
{
    manners.protocol = "http/1.1";
    is_refused();
}

TEST_F(AStranger, ThatSaysWhatIsNoFrameHearsBye)
{
    const auto bye = while_running(world, [this] {
        TestStranger made{seed.network->port(), manners};
        made.write(std::string(100, '\xff'));
        return made.hear<ByeFrame>();
    });
    ASSERT_TRUE(bye.has_value());
    EXPECT_EQ(bye->reason, ByeReason::protocol);
    EXPECT_EQ(seed.counters().byes_out[number(ByeReason::protocol)], 1U);
    others_are_well();
}

TEST_F(AStranger, ThatBreaksTlsIsClosed)
{
    EXPECT_TRUE(while_running(world, [this] {
        TestStranger made{seed.network->port(), manners};
        made.write_below_tls("this is no record of TLS, is it?");
        return made.hears_the_end();
    }));
    EXPECT_TRUE(world.run([&] { return seed.counters().connections == 0; }));
    others_are_well();
}

TEST_F(AStranger, ThatSaysNothingAtAllIsCut)
{
    TestNetworkNode hasty{world, "hasty", true, [](PeerNetworkSettings& settings) {
                              settings.handshake_time = std::chrono::milliseconds{50};
                              settings.most_handshakes = 1;
                          }};
    FileDescriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(hasty.network->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_TRUE(world.run([&] { return hasty.counters().handshakes_failed == 1; }));
    EXPECT_EQ(hasty.counters().cut, 1U);
    one.meet(hasty);
    EXPECT_TRUE(world.run([&] { return one.has_all(); })) << "its place is free again";
}

TEST_F(AStranger, MayNotHaveManyConnections)
{
    TestNetworkNode strict{world, "strict", true, [](PeerNetworkSettings& settings) { settings.most_of_address = 1; }};
    one.meet(strict);
    EXPECT_TRUE(world.run([&] { return one.has_all(); }));
    two.meet(strict);
    EXPECT_TRUE(world.run([&] { return strict.counters().refused == 1; }));
    one.stop();
    EXPECT_TRUE(world.run([&] { return strict.counters().connections == 0; }));
    two.meet(strict);
    EXPECT_TRUE(world.run([&] { return two.has_all(); })) << "its place is free again";
}

TEST_F(AStranger, ThatNeverReadsHoldsUpNobody)
{
    const auto made = member();
    while_running(world, [&] {
        // All of the image several times over, and nothing is taken of it.
        for (RequestId id = 1; id <= 100; ++id) made->say(request(id, {.first = id % 20, .count = 1}));
        return true;
    });
    others_are_well();
    EXPECT_LT(seed.counters().data_out[static_cast<std::size_t>(TrafficClass::zone)], 5 * image_bytes);
}

TEST_F(AStranger, ThatFloodsUsWithRequestsHoldsUpNobody)
{
    const auto made = member();
    auto flood = std::async(std::launch::async, [&] {
        std::string bytes;
        for (RequestId id = 1; id <= 20'000; ++id) append_frame(bytes, request(id, {.first = 0, .count = 20}));
        for (int i = 0; i < 5 && made->write(bytes); ++i) {
        }
        return true;
    });
    others_are_well();
    made->reset();
    EXPECT_TRUE(world.run([&] { return flood.wait_for(std::chrono::seconds{0}) == std::future_status::ready; }));
}

TEST_F(AStranger, ThatBeginsDataAndStallsHoldsUpNobody)
{
    TestNetworkNode victim{world, "victim", false, [](PeerNetworkSettings& settings) {
                               settings.chunk_time = std::chrono::milliseconds{300};
                               settings.most_arriving = 1;
                           }};
    const auto made = while_running(world, [&] {
        auto liar = std::make_unique<TestStranger>(victim.network->port(), manners);
        liar->greet(manners.certificate->own_id());
        liar->say(JoinFrame{.handle = SwarmHandle{1}, .swarm = victim.swarm(), .ticket = "ticket"});
        const auto theirs = liar->hear<JoinFrame>();
        EXPECT_TRUE(theirs.has_value());
        liar->say(JoinOkFrame{.of = theirs->handle, .joins = true, .complete = true});
        const auto asked = liar->hear<RequestFrame>();
        EXPECT_TRUE(asked.has_value());
        DataFrame data;
        data.handle = SwarmHandle{1};
        data.request = asked->id;
        data.extent = asked->ranges.front();
        data.bytes = static_cast<std::uint32_t>(victim.bytes.size() > chunk_bytes ? chunk_bytes : 1);
        liar->say(data);
        liar->write("a little");
        return liar;
    });
    victim.meet(seed);
    EXPECT_TRUE(world.run([&] { return victim.has_all(); }));
    EXPECT_EQ(victim.counters().false_chunks, 0U);
}

TEST_F(AStranger, ThatIsResetInTheMiddleIsForgotten)
{
    const auto made = member();
    while_running(world, [&] {
        for (RequestId id = 1; id <= 3; ++id) made->say(request(id, {.first = id, .count = 1}));
        EXPECT_TRUE(made->hear<DataFrame>().has_value());
        made->reset();
        return true;
    });
    EXPECT_TRUE(world.run([&] { return seed.counters().connections == 0; }));
    others_are_well();
}

TEST_F(AStranger, ThatSaysByeIsForgotten)
{
    const auto made = member();
    EXPECT_TRUE(while_running(world, [&] {
        made->say(ByeFrame{.reason = ByeReason::idle, .text = {}});
        return made->hears_the_end();
    }));
    EXPECT_TRUE(world.run([&] { return seed.counters().connections == 0; }));
    EXPECT_EQ(seed.counters().byes_in[number(ByeReason::idle)], 1U);
}

TEST_F(AStranger, WithoutATicketIsDenied)
{
    const auto deny = while_running(world, [this] {
        TestStranger made{seed.network->port(), manners};
        made.greet(manners.certificate->own_id());
        made.say(JoinFrame{.handle = SwarmHandle{1}, .swarm = seed.swarm(), .ticket = "stolen"});
        return made.hear<DenyFrame>();
    });
    ASSERT_TRUE(deny.has_value());
    EXPECT_EQ(deny->code, DenyCode::ticket);
}

}  // namespace
}  // namespace entrepot

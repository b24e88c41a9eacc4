#include "swarm/peer/test_swarm.hpp"

namespace entrepot {
namespace {

constexpr std::uint64_t kibibyte = 1024;
const std::vector<std::uint64_t> image{3'000 * kibibyte + 17, 5, 700 * kibibyte, 0, 9'000 * kibibyte};

// Everybody knows everybody, and all but the last know the seed.
void introduce_all(TestSwarm& swarm)
{
    for (std::size_t at = 1; at < swarm.nodes.size(); ++at) {
        std::vector<TestSwarm::Node*> others;
        for (std::size_t other = at + 1 == swarm.nodes.size() ? 1 : 0; other < at; ++other)
            others.push_back(swarm.nodes[other].get());
        swarm.introduce(*swarm.nodes[at], others);
    }
}

bool all_done(const TestSwarm& swarm)
{
    return std::ranges::all_of(swarm.nodes, [](const auto& node) { return node->has_all(); });
}

void expect_every_byte(const TestSwarm& swarm)
{
    for (std::size_t at = 1; at < swarm.nodes.size(); ++at) {
        EXPECT_EQ(std::ranges::count(swarm.nodes[at]->held, true), swarm.layout.chunks()) << "node " << at;
        EXPECT_EQ(swarm.nodes[at]->completed, 1) << "node " << at;
    }
}

TEST(SwarmNode, ASeedAndSevenNodesHaveTheImage)
{
    for (const std::uint32_t chunks : {1U, 4U}) {
        TestSwarm swarm{image, chunks};
        swarm.add(true);
        for (int count = 0; count < 7; ++count) swarm.add();
        introduce_all(swarm);
        ASSERT_TRUE(swarm.run(20 * swarm_second, [&] { return all_done(swarm); }));
        expect_every_byte(swarm);
        const auto& seed = *swarm.nodes.front()->swarm.find(swarm.id)->seed;
        EXPECT_LE(seed.sent_bytes(), 3 * swarm.layout.bytes());
        EXPECT_LE(swarm.data_frames, 7 * swarm.layout.pieces() * 102 / 100 + 7);
    }
}

TEST(SwarmNode, BothOpeningAConnectionLeavesOne)
{
    TestSwarm swarm{image};
    auto& one = swarm.add(false, {0, 1, 2});
    auto& two = swarm.add(false, {3, 4});
    swarm.introduce(one, {&two});
    swarm.introduce(two, {&one});
    swarm.run(swarm_second, [] { return false; });
    EXPECT_EQ(one.swarm.connections(), 1U);
    EXPECT_EQ(two.swarm.connections(), 1U);
    EXPECT_EQ(one.swarm.find(swarm.id)->peer->picker().held().count(), 5U);
    EXPECT_EQ(two.swarm.find(swarm.id)->peer->picker().held().count(), 5U);
}

TEST(SwarmNode, WhatIsHereIsNotAskedFor)
{
    TestSwarm swarm{image};
    swarm.add(true);
    std::vector<PieceIndex> most;
    for (PieceIndex piece = 0; piece + 3 < swarm.layout.pieces(); ++piece) most.push_back(piece);
    swarm.add(false, most);
    auto& fresh = swarm.add();
    swarm.introduce(*swarm.nodes[1], {swarm.nodes[0].get()});
    swarm.introduce(fresh, {swarm.nodes[1].get()});
    ASSERT_TRUE(swarm.run(20 * swarm_second, [&] { return all_done(swarm); }));
    EXPECT_LE(swarm.nodes.front()->swarm.find(swarm.id)->seed->sent_bytes(), 3 * chunk_bytes);
}

TEST(SwarmNode, ANodeThatDiesIsDoneWithout)
{
    TestSwarm swarm{image};
    swarm.add(true);
    for (int count = 0; count < 5; ++count) swarm.add();
    introduce_all(swarm);
    auto& dying = *swarm.nodes[2];
    swarm.run(20 * swarm_second, [&] { return dying.swarm.find(swarm.id)->peer->picker().held().count() > 10; });
    swarm.cut(dying);
    dying.silent = true;
    EXPECT_TRUE(swarm.run(20 * swarm_second, [&] {
        return std::ranges::all_of(swarm.nodes, [&](const auto& node) {
            return node.get() == &dying || node->has_all();
        });
    }));
}

TEST(SwarmNode, SilenceEndsAConnection)
{
    TestSwarm swarm{image};
    const auto all = swarm.all_pieces();
    auto& holder = swarm.add(false, all);
    auto& node = swarm.add();
    swarm.introduce(node, {&holder});
    ASSERT_TRUE(swarm.run(swarm_second, [&] { return node.swarm.find(swarm.id)->peer->picker().held().count() > 3; }));
    holder.silent = true;
    EXPECT_TRUE(swarm.run(5 * swarm_second, [&] { return !node.hungry.empty(); }));
    EXPECT_TRUE(swarm.run(40 * swarm_second, [&] { return node.swarm.connections() == 0; }))
        << "asked by PING, and then given up";
}

TEST(SwarmNode, WhoSendsFalseChunksIsCaughtAndLeft)
{
    TestSwarm swarm{image};
    const auto all = swarm.all_pieces();
    auto& liar = swarm.add(false, all);
    auto& honest = swarm.add(false, all);
    auto& node = swarm.add();
    liar.lying = true;
    swarm.introduce(node, {&liar});
    ASSERT_TRUE(swarm.run(30 * swarm_second, [&] { return node.liars.contains(liar.name); }));
    swarm.run(30 * swarm_second, [&] { return liar.swarm.connections() == 0; });
    swarm.introduce(node, {&honest});
    ASSERT_TRUE(swarm.run(30 * swarm_second, [&] { return node.has_all(); }));
    EXPECT_FALSE(node.liars.contains(honest.name));
    EXPECT_EQ(std::ranges::count(node.held, true), swarm.layout.chunks());
    EXPECT_EQ(liar.swarm.connections(), 0U);
}

TEST(SwarmNode, WithoutTheRightThereIsNothingAndNotEvenWhetherItIsThere)
{
    TestSwarm swarm{image};
    const auto all = swarm.all_pieces();
    auto& holder = swarm.add(false, all);
    auto& stranger = swarm.add();
    holder.forbidden.insert(stranger.name);
    swarm.introduce(stranger, {&holder});
    swarm.run(2 * swarm_second, [] { return false; });
    EXPECT_EQ(stranger.swarm.find(swarm.id)->peer->held_bytes(), 0U);
    EXPECT_EQ(swarm.data_frames, 0U);
    ASSERT_FALSE(stranger.hungry.empty());
    EXPECT_EQ(stranger.hungry.front().second, holder.name);
    // The same answer for a swarm that is not there at all.
    const auto deny_for = [&](const SwarmId& which) {
        JoinFrame join;
        join.handle = SwarmHandle{77};
        join.swarm = which;
        std::string answer;
        for (auto& [id, stream] : holder.streams) {
            stream.outgoing.clear();
            EXPECT_TRUE(holder.swarm.received(id, join, swarm.now));
            answer = stream.outgoing;
        }
        return answer;
    };
    SwarmId other;
    other.bytes[3] = 1;
    EXPECT_EQ(deny_for(swarm.id), deny_for(other));
}

TEST(SwarmNode, ARightThatEndsEndsTheSwarmThere)
{
    TestSwarm swarm{image};
    swarm.add(true);
    auto& one = swarm.add();
    auto& two = swarm.add();
    introduce_all(swarm);
    swarm.introduce(two, {&one, swarm.nodes[0].get()});
    ASSERT_TRUE(swarm.run(swarm_second, [&] { return two.swarm.find(swarm.id)->peer->held_bytes() > 0; }));
    swarm.nodes[0]->swarm.remove_swarm(swarm.id, DenyCode::revoked, swarm.now);
    one.swarm.remove_swarm(swarm.id, DenyCode::revoked, swarm.now);
    swarm.run(10'000, [] { return false; });
    const auto had = two.swarm.find(swarm.id)->peer->held_bytes();
    swarm.run(swarm_second, [] { return false; });
    EXPECT_EQ(two.swarm.find(swarm.id)->peer->held_bytes(), had);
    EXPECT_FALSE(two.has_all());
    EXPECT_EQ(two.swarm.connections(), 2U) << "connections stay for other swarms";
}

TEST(SwarmNode, CreditBoundsWhatIsAsked)
{
    TestSwarm swarm{image};
    const auto all = swarm.all_pieces();
    auto& holder = swarm.add(false, all);
    auto& node = swarm.add();
    swarm.connect(node, holder);
    swarm.run(10'000, [] { return false; });
    CreditFrame little;
    little.bytes = chunk_bytes;
    node.swarm.received(node.streams.begin()->first, little, swarm.now);
    swarm.introduce(node, {&holder});
    EXPECT_TRUE(swarm.run(30 * swarm_second, [&] { return node.has_all(); }));
}

class ABadNeighbour : public ::testing::Test {
protected:
    void SetUp() override
    {
        node = &swarm.add(false, swarm.all_pieces());
        node->streams[1].other = node;
        node->streams[1].there = 2;
        node->swarm.opened(1, TestSwarm::name_of(99), false, false, swarm.now);
        node->streams.at(1).outgoing.clear();
    }
    void greet()
    {
        HelloFrame hello;
        hello.node = TestSwarm::name_of(99);
        hello.max_credit = 1'000'000;
        ASSERT_TRUE(node->swarm.received(1, hello, swarm.now));
    }
    void join()
    {
        JoinFrame frame;
        frame.handle = SwarmHandle{1};
        frame.swarm = swarm.id;
        frame.ticket = "ticket";
        ASSERT_TRUE(node->swarm.received(1, frame, swarm.now));
    }
    template <class Frame>
    bool is_kept(const Frame& frame)
    {
        return node->swarm.received(1, frame, swarm.now);
    }

    TestSwarm swarm{image};
    TestSwarm::Node* node = nullptr;
};

TEST_F(ABadNeighbour, HasToGreetAndOnlyOnce)
{
    EXPECT_FALSE(is_kept(PingFrame{.token = 1}));
    node->swarm.opened(3, TestSwarm::name_of(98), false, false, swarm.now);
    node->streams[3].other = node;
    HelloFrame hello;
    hello.node = TestSwarm::name_of(98);
    EXPECT_TRUE(node->swarm.received(3, hello, swarm.now));
    EXPECT_FALSE(node->swarm.received(3, hello, swarm.now));
}

TEST_F(ABadNeighbour, MayNotBeSomebodyElse)
{
    HelloFrame hello;
    hello.node = TestSwarm::name_of(50);
    EXPECT_FALSE(is_kept(hello));
}

TEST_F(ABadNeighbour, NeedsACommonVersion)
{
    HelloFrame hello;
    hello.node = TestSwarm::name_of(99);
    hello.versions = {.least = 900, .most = 901};
    EXPECT_FALSE(is_kept(hello));
}

TEST_F(ABadNeighbour, MayNotSpeakOfWhatIsBeyondTheImage)
{
    greet();
    join();
    RequestFrame request;
    request.handle = SwarmHandle{1};
    request.ranges.push_back({.first = swarm.layout.chunks(), .count = 1});
    EXPECT_FALSE(is_kept(request));
}

TEST_F(ABadNeighbour, GetsNothingOutsideASwarm)
{
    greet();
    RequestFrame request;
    request.handle = SwarmHandle{1};
    request.id = 5;
    request.ranges.push_back({.first = 0, .count = 1});
    EXPECT_TRUE(is_kept(request));
    EXPECT_FALSE(node->swarm.next_upload().has_value());
    EXPECT_TRUE(is_kept(BusyFrame{.handle = SwarmHandle{9}, .request = 4, .retry_ms = 0, .load = 0}));
    EXPECT_TRUE(is_kept(CancelFrame{.handle = SwarmHandle{9}, .request = 4}));
    EXPECT_TRUE(is_kept(LeaveFrame{.handle = SwarmHandle{9}}));
    EXPECT_TRUE(is_kept(JoinOkFrame{.of = SwarmHandle{9}}));
    EXPECT_TRUE(is_kept(DenyFrame{.of = SwarmHandle{9}, .code = DenyCode::full, .retry_ms = 0}));
}

TEST_F(ABadNeighbour, ThatAsksForTooMuchHearsBusy)
{
    greet();
    join();
    RequestFrame request;
    request.handle = SwarmHandle{1};
    request.ranges.push_back({.first = 0, .count = 4});
    for (request.id = 1; request.id < 200; ++request.id) ASSERT_TRUE(is_kept(request));
    std::uint64_t promised = 0;
    while (const auto order = node->swarm.next_upload()) promised += order->bytes;
    EXPECT_GT(promised, 0U);
    EXPECT_LE(promised, 200 * chunk_bytes);
    EXPECT_LT(promised, 199 * 4 * chunk_bytes);
}

TEST_F(ABadNeighbour, DataThatNobodyAskedForIsPassedOver)
{
    greet();
    join();
    const DataFrame data{.handle = SwarmHandle{1}, .request = 9, .extent = {.first = 0, .count = 1}, .bytes = 10};
    EXPECT_FALSE(node->swarm.data_begins(1, data, swarm.now).has_value());
    node->swarm.data_verified(1, data, false, swarm.now);
    EXPECT_TRUE(node->liars.empty());
}

TEST_F(ABadNeighbour, SendsChunksBeyondTheImageOrOthersThanThoseAskedFor)
{
    TestSwarm other{image};
    auto& asking = other.add();
    asking.streams[1].other = &asking;
    asking.swarm.opened(1, TestSwarm::name_of(99), false, false, other.now);
    HelloFrame hello;
    hello.node = TestSwarm::name_of(99);
    hello.max_credit = 100'000'000;
    ASSERT_TRUE(asking.swarm.received(1, hello, other.now));
    JoinFrame frame;
    frame.handle = SwarmHandle{1};
    frame.swarm = other.id;
    ASSERT_TRUE(asking.swarm.received(1, frame, other.now));
    ASSERT_TRUE(asking.swarm.received(1, JoinOkFrame{.of = SwarmHandle{1}, .joins = true, .complete = true}, other.now)
    );
    const auto before = asking.swarm.connections();
    ASSERT_EQ(before, 1U);
    // Its first request is for one chunk; any other chunk under that number is harm, twice the end.
    DataFrame data{.handle = SwarmHandle{1}, .request = 1, .extent = {.first = 0, .count = 1}, .bytes = chunk_bytes};
    std::size_t refused = 0;
    for (ChunkIndex chunk = 0; chunk < 8 && asking.swarm.connections() == 1; ++chunk) {
        data.extent.first = chunk;
        refused += asking.swarm.data_begins(1, data, other.now).has_value() ? 0 : 1;
    }
    EXPECT_EQ(refused, 2U);
    EXPECT_EQ(asking.swarm.connections(), 0U);
    asking.streams[2].other = &asking;
    asking.swarm.opened(2, TestSwarm::name_of(99), false, false, other.now);
    ASSERT_TRUE(asking.swarm.received(2, hello, other.now));
    ASSERT_TRUE(asking.swarm.received(2, frame, other.now));
    ASSERT_TRUE(asking.swarm.received(2, JoinOkFrame{.of = SwarmHandle{1}, .joins = true, .complete = true}, other.now)
    );
    data.extent = {.first = other.layout.chunks() - 1, .count = 2};
    EXPECT_FALSE(asking.swarm.data_begins(2, data, other.now).has_value());
    EXPECT_EQ(asking.swarm.connections(), 0U) << "beyond the image";
}

TEST_F(ABadNeighbour, TakesNobodysPlaceWhenItHasGone)
{
    HelloFrame hello;
    JoinFrame frame;
    frame.handle = SwarmHandle{1};
    frame.swarm = swarm.id;
    // More than there are places, one after the other.
    for (ConnectionId id = 10; id < 60; ++id) {
        hello.node = TestSwarm::name_of(static_cast<std::uint8_t>(id));
        node->streams[id].other = node;
        node->swarm.opened(id, hello.node, false, false, swarm.now);
        ASSERT_TRUE(node->swarm.received(id, hello, swarm.now));
        ASSERT_TRUE(node->swarm.received(id, frame, swarm.now));
        ASSERT_TRUE(node->swarm.received(id, JoinOkFrame{.of = SwarmHandle{1}, .joins = true}, swarm.now));
        ASSERT_EQ(node->swarm.find(swarm.id)->peer->neighbours(), 1U);
        node->streams.erase(id);
        node->swarm.closed(id, swarm.now);
    }
}

// Asks node 99, which says that it has everything, for pieces: its first request is number 1 of handle 1.
class AnAskingNode : public ::testing::Test {
protected:
    void SetUp() override
    {
        node = &swarm.add();
        node->streams[1].other = node;
        node->streams[1].there = 2;
        const std::vector<PeerEntry> peers{{.node = TestSwarm::name_of(99), .endpoint = {.port = 1}}};
        node->swarm.neighbours(swarm.id, peers, swarm.now);
        node->swarm.opened(1, TestSwarm::name_of(99), true, false, swarm.now);
        HelloFrame hello;
        hello.node = TestSwarm::name_of(99);
        hello.max_credit = 100'000'000;
        ASSERT_TRUE(node->swarm.received(1, hello, swarm.now));
        const JoinFrame join{.handle = SwarmHandle{1}, .swarm = swarm.id, .ticket = "ticket"};
        ASSERT_TRUE(node->swarm.received(1, join, swarm.now));
        const JoinOkFrame accepted{.of = SwarmHandle{1}, .joins = true, .complete = true};
        ASSERT_TRUE(node->swarm.received(1, accepted, swarm.now));
    }
    DataFrame answer(ChunkSpan extent, std::uint32_t bytes) const
    {
        return {.handle = SwarmHandle{1}, .request = 1, .extent = extent, .bytes = bytes};
    }

    TestSwarm swarm{image};
    TestSwarm::Node* node = nullptr;
};

TEST_F(AnAskingNode, TakesNoDataFromBeyondTheImage)
{
    const auto chunks = swarm.layout.chunks();
    for (const auto extent : {ChunkSpan{chunks, 1}, ChunkSpan{chunks - 1, 2}, ChunkSpan{WireLimits::chunks - 1, 1}})
        EXPECT_FALSE(node->swarm.data_begins(1, answer(extent, 10), swarm.now).has_value());
}

TEST_F(AnAskingNode, DoesNotTakeBytesForSilence)
{
    for (int i = 0; i < 20; ++i) {
        swarm.now += swarm_second / 2;
        node->swarm.heard(1, swarm.now);
        node->swarm.wake(swarm.now);
    }
    EXPECT_EQ(node->swarm.connections(), 1U);
    for (int i = 0; i < 80; ++i) node->swarm.wake(swarm.now += swarm_second / 2);
    EXPECT_EQ(node->swarm.connections(), 0U);
}

TEST_F(ABadNeighbour, ThatCannotBeSentToHoldsUpNobody)
{
    greet();
    join();
    RequestFrame request;
    request.handle = SwarmHandle{1};
    request.id = 5;
    request.ranges.push_back({.first = 0, .count = 1});
    ASSERT_TRUE(is_kept(request));
    EXPECT_FALSE(node->swarm.next_upload([](ConnectionId id) { return id != 1; }).has_value());
    EXPECT_TRUE(node->swarm.next_upload([](ConnectionId id) { return id == 1; }).has_value());
}

TEST_F(ABadNeighbour, IsPromisedLessOnASlowerLink)
{
    greet();
    join();
    RequestFrame request;
    request.handle = SwarmHandle{1};
    request.ranges.push_back({.first = 0, .count = 1});
    const auto promised = [&] {
        for (int i = 0; i < 100; ++i, ++request.id) EXPECT_TRUE(is_kept(request));
        std::uint64_t bytes = 0;
        while (const auto order = node->swarm.next_upload()) {
            bytes += order->bytes;
            node->swarm.sent(*order, swarm.now);
        }
        return bytes;
    };
    EXPECT_GT(promised(), 3'000'000U) << "two thirds of what the queue takes";
    node->swarm.set_up(1'000'000);
    EXPECT_LE(promised(), 3 * chunk_bytes);
}

TEST(SwarmNode, TwoThatOpenAConnectionToEachOtherAtOnceKeepOneAndTheirSwarm)
{
    for (const bool first_dials_first : {false, true}) {
        TestSwarm swarm{image};
        std::vector<PieceIndex> all;
        for (PieceIndex piece = 0; piece < swarm.layout.pieces(); ++piece) all.push_back(piece);
        auto& one = swarm.add();
        auto& two = swarm.add(false, all);
        swarm.introduce(one, {&two});
        swarm.introduce(two, {&one});
        one.dialled.clear();
        two.dialled.clear();
        swarm.connect(first_dials_first ? one : two, first_dials_first ? two : one);
        swarm.connect(first_dials_first ? two : one, first_dials_first ? one : two);
        EXPECT_TRUE(swarm.run(30 * swarm_second, [&] { return one.has_all() && two.has_all(); }));
        EXPECT_EQ(one.swarm.connections(), 1U);
        EXPECT_EQ(two.swarm.connections(), 1U);
    }
}

TEST_F(ABadNeighbour, CanCancelWhatHasNotBegun)
{
    greet();
    join();
    RequestFrame request;
    request.handle = SwarmHandle{1};
    request.id = 5;
    request.ranges.push_back({.first = 0, .count = 1});
    ASSERT_TRUE(is_kept(request));
    ASSERT_TRUE(is_kept(CancelFrame{.handle = SwarmHandle{1}, .request = 5}));
    EXPECT_FALSE(node->swarm.next_upload().has_value());
}

}  // namespace
}  // namespace entrepot

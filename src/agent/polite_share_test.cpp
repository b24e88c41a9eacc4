#include "agent/polite_share.hpp"
#include "agent/test_folder.hpp"

#include <array>
#include <filesystem>
#include <fstream>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

class APoliteShare : public ::testing::Test {
protected:
    // A quarter of a second in which others and we move so much, each way.
    void pass(std::uint64_t others, std::uint64_t ours)
    {
        own.in += ours;
        own.out += ours;
        all.in += others + ours;
        all.out += others + ours;
        now += 250ms;
        share.look(all, own, now);
    }
    PoliteShare share{1'000'000};
    LinkBytes all{.in = 5'000, .out = 7'000};
    LinkBytes own{};
    PoliteShare::Time now{1h};
};

TEST_F(APoliteShare, IsHalfTheLinkUntilOthersAreKnown)
{
    EXPECT_EQ(share.up(), 500'000U);
    pass(250'000, 0);
    EXPECT_EQ(share.up(), 500'000U) << "what passed before the first look is no rate";
}

TEST_F(APoliteShare, TakesAlmostAllOfAnIdleLinkStepByStep)
{
    pass(0, 0);
    pass(0, 200'000);
    EXPECT_EQ(share.down(), 600'000U) << "its own bytes are not others'";
    for (int looks = 0; looks < 10; ++looks) pass(0, 225'000);
    EXPECT_EQ(share.down(), 900'000U);
    EXPECT_EQ(share.up(), 900'000U);
}

TEST_F(APoliteShare, MakesWayAtOnceAndNeverForAll)
{
    pass(0, 0);
    for (int looks = 0; looks < 10; ++looks) pass(0, 0);
    pass(150'000, 50'000);
    EXPECT_EQ(share.up(), 300'000U);
    pass(250'000, 0);
    EXPECT_EQ(share.up(), 50'000U);
    pass(0, 0);
    EXPECT_EQ(share.up(), 150'000U);
}

TEST_F(APoliteShare, CountersThatBeginAnewAreNoTraffic)
{
    pass(0, 0);
    all = own;
    pass(0, 0);
    EXPECT_EQ(share.up(), 600'000U);
}

TEST(Interfaces, AreFoundByNameByDefaultRouteAndByAddress)
{
    const TestFolder folder;
    const auto root = std::filesystem::path{folder.path()};
    std::filesystem::create_directories(root / "eth7/statistics");
    std::ofstream{root / "eth7/statistics/rx_bytes"} << "12\n";
    std::ofstream{root / "eth7/statistics/tx_bytes"} << "34\n";
    std::ofstream{root / "route"} << "Iface\tDestination\tGateway\nveth0\t0000FEA9\t0\neth7\t00000000\t0102030A\n";
    const LinkFiles files{.interfaces = root.string(), .routes = (root / "route").string()};
    EXPECT_EQ(interface_for("eth7", files), "eth7");
    EXPECT_EQ(interface_for("", files), "eth7");
    EXPECT_EQ(interface_for("../x", files), "");
    const auto bytes = bytes_of_interface("eth7", files);
    ASSERT_TRUE(bytes.has_value());
    EXPECT_EQ(bytes->in, 12U);
    EXPECT_EQ(bytes->out, 34U);
    EXPECT_FALSE(bytes_of_interface("eth8", files).has_value());
    EXPECT_FALSE(bytes_of_interface("", files).has_value());
    EXPECT_EQ(interface_for("127.0.0.1"), "lo");
}

// The kernel's own counters, with bytes that do pass.
TEST(Interfaces, CountWhatPassesOnTheLoopback)
{
    const auto before = bytes_of_interface("lo");
    ASSERT_TRUE(before.has_value());
    const int sink = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int source = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ASSERT_EQ(::bind(sink, reinterpret_cast<const sockaddr*>(&address), size), 0);
    ASSERT_EQ(::getsockname(sink, reinterpret_cast<sockaddr*>(&address), &size), 0);
    const std::array<char, 10'000> bytes{};
    for (int count = 0; count < 10; ++count)
        ::sendto(source, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&address), size);
    ::close(source);
    ::close(sink);
    const auto after = bytes_of_interface("lo");
    ASSERT_TRUE(after.has_value());
    EXPECT_GE(after->out - before->out, 10 * bytes.size());
    EXPECT_GE(after->in - before->in, 10 * bytes.size());
}

}  // namespace
}  // namespace entrepot

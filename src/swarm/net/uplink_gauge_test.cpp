#include "swarm/net/uplink_gauge.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

struct Link {
    // Sends over one of `rate` bytes a second and a round trip, as much as the gauge allows; bytes in the last second.
    double send(double rate, std::chrono::duration<double> round_trip, std::chrono::seconds time)
    {
        constexpr std::chrono::duration<double> step = 1ms;
        if (told) gauge.reached(std::chrono::duration_cast<std::chrono::microseconds>(round_trip));
        double last = 0;
        for (const auto end = now + time; now < end; now += 1ms) {
            const auto gone = std::min(rate, static_cast<double>(gauge.limit()) / round_trip.count()) * step.count();
            acknowledged += gone;
            gauge.note(static_cast<std::uint64_t>(acknowledged), true, now);
            if (now + 1s >= end) last += gone;
        }
        return last;
    }

    bool told = false;  // the gauge knows the round trip
    UplinkGauge gauge{};
    UplinkGauge::Time now{1h};
    double acknowledged = 0;
};

TEST(AnUplinkGauge, FillsLinksOfAnySpeed)
{
    for (const double rate : {1e6, 4e6, 125e6, 1.25e9}) {
        Link near;
        EXPECT_GE(near.send(rate, 1ms, 3s), 0.95 * rate) << rate;
        Link far;
        EXPECT_GE(far.send(rate, 100ms, 10s), 0.95 * rate) << rate << ", far away";
        for (const auto round_trip : {200us, 10'000us, 100'000us, 250'000us}) {
            Link known{.told = true};
            EXPECT_GE(known.send(rate, round_trip, 20s), 0.95 * rate) << rate << ", " << round_trip.count() << " us";
        }
    }
}

TEST(AnUplinkGauge, HasFewBytesUnderWayOnANarrowLink)
{
    Link link;
    link.send(1e6, 1ms, 3s);
    EXPECT_LE(link.gauge.limit(), 2U * 256 * 1024);
    EXPECT_NEAR(link.gauge.link(), 1e6, 1e5);
}

TEST(AnUplinkGauge, LeavesQueuesShortWhereOthersAreNear)
{
    // 32 Mbit/s, whose switch has room for a tenth of a second.
    Link link{.told = true};
    link.send(4e6, 1ms, 3s);
    EXPECT_LE(link.gauge.limit(), 256U * 1024 + 400'000 / 2);
    link.gauge.reached(10s);
    EXPECT_LE(link.gauge.limit(), 256U * 1024 + 2'000'000) << "nonsense of a kernel's has its bound";
}

TEST(AnUplinkGauge, ForgetsASpeedThatTheLinkHasNoMoreAndNotOneThatNobodyWants)
{
    Link link;
    link.send(100e6, 1ms, 3s);
    link.now += 10s;
    for (int i = 0; i < 100; ++i) {
        link.gauge.note(static_cast<std::uint64_t>(link.acknowledged), false, link.now);
        link.now += 60ms;
    }
    EXPECT_GE(link.gauge.rate(), 95e6) << "nobody wanted anything";
    link.send(1e6, 1ms, 5s);
    EXPECT_NEAR(link.gauge.link(), 1e6, 1e5);
}

TEST(AnUplinkGauge, LooksAgainWhenThereMayBeRoom)
{
    Link link;
    const auto& gauge = link.gauge;
    EXPECT_EQ(gauge.until_room(1'000'000), 1ms) << "nobody knows";
    link.send(100e6, 1ms, 3s);
    EXPECT_NEAR(std::chrono::duration<double>(gauge.until_room(500'000)).count(), 0.005, 0.001);
    EXPECT_EQ(gauge.until_room(1'000'000'000), 20ms);
    EXPECT_EQ(gauge.until_room(1), 1ms);
}

}  // namespace
}  // namespace entrepot

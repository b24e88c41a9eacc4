#include "swarm/net/uplink_gauge.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// Sends over a link of `rate` bytes a second and a round trip, as much as the gauge allows, for so long.
double reached(UplinkGauge& gauge, double rate, std::chrono::duration<double> round_trip, std::chrono::seconds time)
{
    UplinkGauge::Time now{1h};
    double acknowledged = 0;
    constexpr std::chrono::duration<double> step = 1ms;
    double last = 0;
    for (const auto end = now + time; now < end; now += 1ms) {
        const auto allowed = static_cast<double>(gauge.limit());
        acknowledged += std::min(rate, allowed / round_trip.count()) * step.count();
        gauge.note(static_cast<std::uint64_t>(acknowledged), true, now);
        if (now + 1s >= end) last += std::min(rate, allowed / round_trip.count()) * step.count();
    }
    return last;
}

TEST(AnUplinkGauge, FillsLinksOfAnySpeed)
{
    for (const double rate : {1e6, 4e6, 125e6, 1.25e9}) {
        UplinkGauge gauge;
        EXPECT_GE(reached(gauge, rate, 1ms, 3s), 0.95 * rate) << rate;
        UplinkGauge far;
        EXPECT_GE(reached(far, rate, 100ms, 10s), 0.95 * rate) << rate << ", far away";
    }
}

TEST(AnUplinkGauge, HasFewBytesUnderWayOnANarrowLink)
{
    UplinkGauge gauge;
    reached(gauge, 1e6, 1ms, 3s);
    EXPECT_LE(gauge.limit(), 2U * 256 * 1024);
    EXPECT_NEAR(gauge.rate(), 1e6, 1e5);
}

TEST(AnUplinkGauge, ForgetsASpeedThatTheLinkHasNoMoreAndNotOneThatNobodyWants)
{
    UplinkGauge gauge;
    reached(gauge, 100e6, 1ms, 3s);
    UplinkGauge::Time now{2h};
    for (int i = 0; i < 100; ++i) gauge.note(300'000'000, false, now += 60ms);
    EXPECT_GE(gauge.rate(), 90e6) << "nobody wanted anything";
    reached(gauge, 1e6, 1ms, 5s);
    EXPECT_NEAR(gauge.rate(), 1e6, 1e5);
}

TEST(AnUplinkGauge, LooksAgainWhenThereMayBeRoom)
{
    UplinkGauge gauge;
    EXPECT_EQ(gauge.until_room(1'000'000), 1ms) << "nobody knows";
    reached(gauge, 100e6, 1ms, 3s);
    EXPECT_NEAR(std::chrono::duration<double>(gauge.until_room(500'000)).count(), 0.005, 0.001);
    EXPECT_EQ(gauge.until_room(1'000'000'000), 20ms);
    EXPECT_EQ(gauge.until_room(1), 1ms);
}

}  // namespace
}  // namespace entrepot

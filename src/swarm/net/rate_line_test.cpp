#include "swarm/net/rate_line.hpp"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

class ARate : public ::testing::Test {
protected:
    // What a turn gets that always wants more, asking every 100 µs.
    std::size_t take_for(RateLine& line, RateLine::Turn& turn, std::chrono::microseconds time)
    {
        std::size_t bytes = 0;
        for (const auto until = now + time; now < until; now += 100us) {
            const auto granted = turn.ask(1'000'000, now);
            line.spent(granted, now);
            bytes += granted;
        }
        return bytes;
    }

    asio::io_context loop;
    WaitLine waits{loop.get_executor()};
    RateLine::Time now{1h};
};

TEST_F(ARate, IsKeptFromKilobytesToGigabytes)
{
    for (const std::uint64_t rate : {10'000ULL, 1'000'000ULL, 50'000'000ULL, 1'000'000'000ULL}) {
        RateLine line{rate};
        RateLine::Turn turn{line, waits};
        const auto bytes = static_cast<double>(take_for(line, turn, 1s));
        EXPECT_LE(bytes, static_cast<double>(rate) * 1.15);
        EXPECT_GE(bytes, static_cast<double>(rate) * 0.85);
    }
}

TEST_F(ARate, SavesNoMoreThanTenMilliseconds)
{
    RateLine line{100'000'000};
    RateLine::Turn turn{line, waits};
    take_for(line, turn, 10ms);
    now += 10s;
    EXPECT_LE(turn.ask(100'000'000, now), 1'000'001U);
}

TEST_F(ARate, NothingIsForbiddenAndEverythingIsAllowed)
{
    RateLine line{0};
    RateLine::Turn turn{line, waits};
    EXPECT_EQ(take_for(line, turn, 10ms), 0U);
    EXPECT_EQ(turn.opens_at(), RateLine::Time::max());
    line.set(no_rate_limit, now);
    EXPECT_EQ(turn.ask(1'000'000'000, now), 1'000'000'000U);
    line.set(1'000, now);
    line.spent(1'000'000, now);
    EXPECT_EQ(turn.ask(1'000, now), 0U);
    line.set(1'000'000, now);
    now += 1ms;
    EXPECT_GT(turn.ask(1'000, now), 0U) << "debts of the old rate are forgotten";
}

TEST_F(ARate, IsSharedByTurns)
{
    RateLine line{10'000'000};
    RateLine::Turn one{line, waits};
    RateLine::Turn two{line, waits};
    std::size_t of_one = 0;
    std::size_t of_two = 0;
    for (int i = 0; i < 10'000; ++i, now += 100us) {
        for (auto* const turn : {&one, &two}) {
            const auto granted = turn->ask(64 * 1024, now);
            line.spent(granted, now);
            (turn == &one ? of_one : of_two) += granted;
        }
    }
    EXPECT_NEAR(static_cast<double>(of_one), static_cast<double>(of_two), 1'000'000);
}

TEST_F(ARate, IsNotHeldUpByWhoLeavesTheLine)
{
    RateLine line{1'000'000};
    RateLine::Turn next{line, waits};
    {
        RateLine::Turn gone{line, waits};
        line.spent(100'000, now);
        EXPECT_EQ(gone.ask(1'000, now), 0U);
        now += 1s;
        EXPECT_EQ(next.ask(1'000, now), 0U) << "behind the first";
    }
    EXPECT_GT(next.ask(1'000, now), 0U);
}

}  // namespace
}  // namespace entrepot

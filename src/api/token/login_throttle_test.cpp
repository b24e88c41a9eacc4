#include "api/token/login_throttle.hpp"

#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using std::chrono::seconds;

class Throttle : public testing::Test {
protected:
    void fail_times(int count)
    {
        for (int i = 0; i < count; ++i) throttle.failed("alice", "here");
    }
    FakeClock clock;
    LoginThrottle throttle{clock, 4};
};

TEST_F(Throttle, nine_failures_cost_nothing)
{
    fail_times(9);
    EXPECT_EQ(throttle.remaining("alice", "here"), seconds{0});
}

TEST_F(Throttle, delays_double_from_the_tenth_failure_up_to_a_minute)
{
    fail_times(9);
    for (const auto expected : {1, 2, 4, 8, 16, 32, 60, 60, 60}) {
        throttle.failed("alice", "here");
        EXPECT_EQ(throttle.remaining("alice", "here"), seconds{expected});
    }
    clock.advance(seconds{59});
    EXPECT_EQ(throttle.remaining("alice", "here"), seconds{1});
    clock.advance(seconds{1});
    EXPECT_EQ(throttle.remaining("alice", "here"), seconds{0});
}

TEST_F(Throttle, other_sources_and_other_users_are_not_touched)
{
    fail_times(20);
    EXPECT_EQ(throttle.remaining("alice", "there"), seconds{0});
    EXPECT_EQ(throttle.remaining("bob", "here"), seconds{0});
}

TEST_F(Throttle, a_success_starts_the_count_again)
{
    fail_times(9);
    throttle.succeeded("alice", "here");
    fail_times(9);
    EXPECT_EQ(throttle.remaining("alice", "here"), seconds{0});
}

TEST_F(Throttle, remembers_a_bounded_number_of_pairs)
{
    fail_times(12);
    for (const auto* user : {"b", "c", "d", "e"}) throttle.failed(user, "here");
    EXPECT_EQ(throttle.remaining("alice", "here"), seconds{0});
}

TEST(ThrottledSource, is_the_network_of_an_ipv6_host_and_the_address_of_an_ipv4_host)
{
    EXPECT_EQ(throttled_source("192.0.2.7"), "192.0.2.7");
    EXPECT_EQ(throttled_source("2001:db8:1:2:aaaa::1"), throttled_source("2001:db8:1:2::5"));
    EXPECT_NE(throttled_source("2001:db8:1:2::5"), throttled_source("2001:db8:1:3::5"));
    EXPECT_EQ(throttled_source("::ffff:192.0.2.7"), "192.0.2.7");
}

}  // namespace
}  // namespace entrepot

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
    fail_times(19);
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

// Failures that come from a different source each.
class ManySources : public testing::Test {
protected:
    void fail_times(int count, std::string_view user = "alice")
    {
        for (int i = 0; i < count; ++i) throttle.failed(user, "source " + std::to_string(++sources));
    }
    int sources = 0;
    FakeClock clock;
    LoginThrottle throttle{clock};
};

TEST_F(ManySources, are_held_up_together_from_the_twentieth_failure_up_to_a_quarter_of_an_hour)
{
    fail_times(19);
    EXPECT_EQ(throttle.remaining("alice", "another"), seconds{0});
    for (const auto expected : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900}) {
        fail_times(1);
        EXPECT_EQ(throttle.remaining("alice", "another"), seconds{expected});
    }
    EXPECT_EQ(throttle.remaining("bob", "another"), seconds{0});
}

TEST_F(ManySources, hold_up_nobody_where_they_came_from_before)
{
    throttle.succeeded("alice", "home");
    fail_times(40);
    EXPECT_EQ(throttle.remaining("alice", "home"), seconds{0});
    EXPECT_EQ(throttle.remaining("alice", "elsewhere"), seconds{900});
    EXPECT_EQ(throttle.remaining("bob", "home"), seconds{0});
}

TEST_F(ManySources, count_for_names_that_do_not_exist_as_well)
{
    fail_times(21, "nobody");
    EXPECT_EQ(throttle.remaining("nobody", "another"), seconds{2});
}

TEST_F(ManySources, are_forgotten_after_an_hour_without_a_failure)
{
    fail_times(19);
    clock.advance(std::chrono::minutes{61});
    fail_times(1);
    EXPECT_EQ(throttle.remaining("alice", "another"), seconds{0});
}

TEST_F(ManySources, count_on_when_the_user_succeeds_where_they_are_known)
{
    throttle.succeeded("alice", "home");
    fail_times(19);
    throttle.succeeded("alice", "home");
    fail_times(1);
    EXPECT_EQ(throttle.remaining("alice", "another"), seconds{1});
}

TEST_F(ManySources, start_again_when_the_user_succeeds_where_they_never_were)
{
    fail_times(25);
    throttle.succeeded("alice", "holiday");
    EXPECT_EQ(throttle.remaining("alice", "another"), seconds{0});
}

TEST_F(ManySources, never_hold_up_the_break_glass_user_at_the_machine_itself)
{
    fail_times(40, "admin");
    EXPECT_EQ(throttle.remaining("admin", throttled_source("127.0.0.1")), seconds{0});
    EXPECT_EQ(throttle.remaining("admin", throttled_source("::1")), seconds{0});
    EXPECT_EQ(throttle.remaining("admin", throttled_source("192.0.2.1")), seconds{900});
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

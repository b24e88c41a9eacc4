#include "simulator/scenario_units.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(ScenarioUnits, sizes_are_in_words)
{
    EXPECT_EQ(*bytes_in_words("4096"), 4096U);
    EXPECT_EQ(*bytes_in_words("3 GB"), 3'000'000'000U);
    EXPECT_EQ(*bytes_in_words("3GB"), 3'000'000'000U);
    EXPECT_EQ(*bytes_in_words("64 MiB"), 67'108'864U);
    EXPECT_EQ(*bytes_in_words("1.5 kB"), 1'500U);
    EXPECT_EQ(*bytes_in_words(" 7 B "), 7U);
    EXPECT_EQ(*bytes_in_words("3E9"), 3'000'000'000U);
    for (const auto* text : {"", "GB", "3 gb", "3 Mbit", "-1", "0.5", "nan", "inf", "3 GB/s", "1e400", "1e30", "3 G B"})
        EXPECT_FALSE(bytes_in_words(text)) << text;
}

TEST(ScenarioUnits, rates_are_bytes_or_bits_a_second)
{
    EXPECT_DOUBLE_EQ(*rate_in_words("300 MB/s"), 3e8);
    EXPECT_DOUBLE_EQ(*rate_in_words("32 Mbit/s"), 4e6);
    EXPECT_DOUBLE_EQ(*rate_in_words("10Gbit/s"), 1.25e9);
    EXPECT_DOUBLE_EQ(*rate_in_words("1 MiB/s"), 1'048'576);
    EXPECT_DOUBLE_EQ(*rate_in_words("8 bit/s"), 1);
    EXPECT_DOUBLE_EQ(*rate_in_words("5e6"), 5e6);
    for (const auto* text : {"", "300 MB", "10 Gbps", "/s", "1 /s", "fast", "-3 MB/s", "3 Mbit/h", "nan", "inf MB/s"})
        EXPECT_FALSE(rate_in_words(text)) << text;
}

TEST(ScenarioUnits, times_have_a_unit)
{
    EXPECT_EQ(*time_in_words("250 us"), 250);
    EXPECT_EQ(*time_in_words("250 µs"), 250);
    EXPECT_EQ(*time_in_words("0.5 ms"), 500);
    EXPECT_EQ(*time_in_words("10s"), 10 * swarm_second);
    EXPECT_EQ(*time_in_words("2 min"), 120 * swarm_second);
    EXPECT_EQ(*time_in_words("1 h"), 3600 * swarm_second);
    EXPECT_EQ(*time_in_words("0"), 0);
    for (const auto* text : {"", "10", "10 seconds", "-1 s", "1e300 s", "s", "10 s s"})
        EXPECT_FALSE(time_in_words(text)) << text;
}

TEST(ScenarioUnits, shares_are_from_nothing_to_all)
{
    EXPECT_DOUBLE_EQ(*share_in_words("10%"), 0.1);
    EXPECT_DOUBLE_EQ(*share_in_words("10 %"), 0.1);
    EXPECT_DOUBLE_EQ(*share_in_words("0.1"), 0.1);
    EXPECT_DOUBLE_EQ(*share_in_words("1"), 1);
    EXPECT_DOUBLE_EQ(*share_in_words("100%"), 1);
    for (const auto* text : {"", "1.1", "101%", "-0.1", "%", "half"}) EXPECT_FALSE(share_in_words(text)) << text;
}

TEST(ScenarioUnits, a_moment_can_be_a_share_of_the_bound)
{
    EXPECT_DOUBLE_EQ(*share_of_bound_in_words("50% of the bound"), 0.5);
    EXPECT_DOUBLE_EQ(*share_of_bound_in_words("1.5 of the bound"), 1.5);
    EXPECT_EQ(share_of_bound_in_words("5 s").error().code(), Errc::not_found);
    EXPECT_EQ(share_of_bound_in_words("5 s of the bound").error().code(), Errc::bad_request);
    EXPECT_EQ(share_of_bound_in_words("of the bound").error().code(), Errc::bad_request);
    EXPECT_EQ(share_of_bound_in_words("2001% of the bound").error().code(), Errc::bad_request);
}

TEST(ScenarioUnits, are_shown_as_people_write_them)
{
    EXPECT_EQ(show_bytes(3e8), "300 MB");
    EXPECT_EQ(show_bytes(999), "999 B");
    EXPECT_EQ(show_bytes(1.25e9), "1.25 GB");
    EXPECT_EQ(show_binary(262'144), "256 KiB");
    EXPECT_EQ(show_binary(4'194'304), "4 MiB");
    EXPECT_EQ(show_binary(1'000), "1000 B");
    EXPECT_EQ(show_seconds(2'500), "2.5 ms");
    EXPECT_EQ(show_seconds(10'030'000), "10.030 s");
}

}  // namespace
}  // namespace entrepot

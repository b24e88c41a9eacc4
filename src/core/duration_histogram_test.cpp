#include "core/duration_histogram.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

TEST(DurationHistogram, counts_what_took_at_most_so_long)
{
    DurationHistogram histogram;
    for (const auto time : {1ms, 2ms, 20ms, 400'000ms}) histogram.observe(time);
    MetricsText text;
    histogram.add_to(text, "took_seconds", "How long it took.", {{"phase", "first"}});
    const auto said = text.text();
    EXPECT_NE(said.find("took_seconds_bucket{phase=\"first\",le=\"0.001\"} 1\n"), said.npos) << said;
    EXPECT_NE(said.find("took_seconds_bucket{phase=\"first\",le=\"0.005\"} 2\n"), said.npos) << said;
    EXPECT_NE(said.find("took_seconds_bucket{phase=\"first\",le=\"0.02\"} 3\n"), said.npos) << said;
    EXPECT_NE(said.find("took_seconds_bucket{phase=\"first\",le=\"300\"} 3\n"), said.npos) << said;
    EXPECT_NE(said.find("took_seconds_bucket{phase=\"first\",le=\"+Inf\"} 4\n"), said.npos) << said;
    EXPECT_NE(said.find("took_seconds_sum{phase=\"first\"} 400.023\n"), said.npos) << said;
    EXPECT_NE(said.find("took_seconds_count{phase=\"first\"} 4\n"), said.npos) << said;
}

}  // namespace
}  // namespace entrepot

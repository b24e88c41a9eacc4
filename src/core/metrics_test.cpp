#include "core/metrics.hpp"

#include <array>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(MetricsText, gathers_samples_of_one_name_under_one_head)
{
    MetricsText metrics;
    metrics.counter("requests_total", "Requests.", 3, {{"class", "2xx"}});
    metrics.gauge("open", "Open things.", 1);
    metrics.counter("requests_total", "Requests.", 4, {{"class", "5xx"}, {"listener", "main"}});
    EXPECT_EQ(
        metrics.text(),
        "# HELP requests_total Requests.\n# TYPE requests_total counter\n"
        "requests_total{class=\"2xx\"} 3\n"
        "requests_total{class=\"5xx\",listener=\"main\"} 4\n"
        "# HELP open Open things.\n# TYPE open gauge\nopen 1\n"
    );
}

TEST(MetricsText, escapes_help_and_label_values)
{
    MetricsText metrics;
    metrics.gauge("a", "back\\slash\nnew \"line\"", 1, {{"l", "back\\slash\n\"quoted\""}});
    EXPECT_EQ(
        metrics.text(),
        "# HELP a back\\\\slash\\nnew \"line\"\n# TYPE a gauge\na{l=\"back\\\\slash\\n\\\"quoted\\\"\"} 1\n"
    );
}

TEST(MetricsText, writes_numbers_as_prometheus_reads_them)
{
    EXPECT_EQ(MetricsText::Value{std::numeric_limits<std::uint64_t>::max()}.text(), "18446744073709551615");
    EXPECT_EQ(MetricsText::Value{-5}.text(), "-5");
    EXPECT_EQ(MetricsText::Value{0.25}.text(), "0.25");
    EXPECT_EQ(MetricsText::Value{HUGE_VAL}.text(), "+Inf");
    EXPECT_EQ(MetricsText::Value{-HUGE_VAL}.text(), "-Inf");
    EXPECT_EQ(MetricsText::Value{std::nan("")}.text(), "NaN");
}

TEST(MetricsText, writes_a_histogram_with_its_sum_and_count)
{
    MetricsText metrics;
    const std::array buckets{MetricsText::Bucket{0.1, 2}, MetricsText::Bucket{1, 5}};
    metrics.histogram("wait_seconds", "Waiting.", buckets, 6, 4.5, {{"pool", "db"}});
    EXPECT_EQ(
        metrics.text(),
        "# HELP wait_seconds Waiting.\n# TYPE wait_seconds histogram\n"
        "wait_seconds_bucket{pool=\"db\",le=\"0.1\"} 2\n"
        "wait_seconds_bucket{pool=\"db\",le=\"1\"} 5\n"
        "wait_seconds_bucket{pool=\"db\",le=\"+Inf\"} 6\n"
        "wait_seconds_sum{pool=\"db\"} 4.5\n"
        "wait_seconds_count{pool=\"db\"} 6\n"
    );
}

double value_of(const std::string& text, const std::string& name)
{
    const auto at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
}

TEST(ProcessMetrics, are_there_and_plausible)
{
    MetricsText metrics;
    add_process_metrics(metrics);
    const auto text = metrics.text();
    EXPECT_GT(value_of(text, "process_resident_memory_bytes"), 100'000);
    EXPECT_GE(value_of(text, "process_cpu_seconds_total"), 0);
    EXPECT_GE(value_of(text, "process_open_fds"), 3);
    EXPECT_GE(value_of(text, "process_max_fds"), value_of(text, "process_open_fds"));
    EXPECT_GT(value_of(text, "process_start_time_seconds"), 1'600'000'000);
}

}  // namespace
}  // namespace entrepot

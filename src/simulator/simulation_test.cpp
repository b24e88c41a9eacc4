#include "simulator/report.hpp"
#include "simulator/scenario_file.hpp"
#include "simulator/simulation.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

constexpr auto small = R"(nodes: 30
image: {size: 16 MB, layers: 3}
node: {up: 100 MB/s}
)";

RunReport run(std::string_view text)
{
    auto scenario = parse_scenario(text).value();
    auto outcome = simulate(scenario).value();
    return report_of("test", "", std::move(scenario), std::move(outcome), {});
}

RunReport run_with(std::string_view more)
{
    return run(std::string{small} + std::string{more});
}

TEST(Simulation, brings_the_image_to_everybody)
{
    const auto report = run(small);
    EXPECT_EQ(report.counted, 30U);
    EXPECT_EQ(report.unfinished, 0U);
    EXPECT_GE(*report.times.p50, report.outcome.bound * 9 / 10);
    EXPECT_GE(report.origin_copies, 1);
    for (const auto& node : report.outcome.nodes) {
        EXPECT_GE(node.from_origin + node.from_zone + node.across, 16'000'000U);
        EXPECT_TRUE(node.first && *node.first <= *node.done);
    }
}

TEST(Simulation, can_be_repeated)
{
    const std::string_view faults = "faults: {silent: 5%, lying: 5%, slow: {share: 10%}}\nseed: ";
    const auto one = csv_of(std::array{run_with(std::string{faults} + "1")});
    EXPECT_EQ(csv_of(std::array{run_with(std::string{faults} + "1")}), one);
    EXPECT_NE(csv_of(std::array{run_with(std::string{faults} + "2")}), one);
}

TEST(Simulation, brings_the_image_to_who_is_left_whatever_goes_wrong)
{
    for (const auto* more :
         {"faults: {dying: {share: 10%, at: 50% of the bound}}",
          "faults: {dying: {share: 30%, at: 25% of the bound}}",
          "faults: {silent: 10%}",
          "faults: {lying: 10%}",
          "faults: {slow: {share: 20%, rate: 10%}}",
          "faults: {silent: 5%, lying: 5%, slow: {share: 10%}, dying: {share: 10%, at: 70% of the bound}}",
          "faults: {tracker: {dies_at: 50% of the bound}}",
          "network: {zones: 3}",
          "network: {zones: [1, 2, 27]}",
          "network: {zones: 3, cut_off: 1}",
          "network: {zones: 3, trunk: 20 MB/s}",
          "network: {zones: 3}\nfaults: {seeds: {die_at: 50% of the bound}}",
          "node.across: 0\nnetwork: {zones: 3}",
          "node.across: 20 MB/s\nnetwork: {zones: [2, 28]}",
          "network: {zones: 3, cross_latency: 20 ms}\nfaults: {dying: {share: 10%, at: 50% of the bound}}",
          "arrivals: {kind: spread, over: 300 ms}",
          "origin: {up: 50 MB/s, instances: 3}",
          "piece: 1 MiB",
          "policy: {tracker: {most_neighbours: 8, given_neighbours: 4}}"}) {
        for (const auto* seed : {"1", "2", "3"}) {
            const auto report = run_with(std::string{more} + "\nseed: " + seed);
            EXPECT_EQ(report.unfinished, 0U) << more << ", seed " << seed;
            EXPECT_GT(report.counted, 10U) << more << ", seed " << seed;
        }
    }
}

TEST(Simulation, leaves_out_who_died_or_is_not_ordinary)
{
    const auto died = run_with("faults: {dying: {share: 50%, at: 50% of the bound}}");
    EXPECT_GT(died.died, 0U);
    EXPECT_EQ(died.counted + died.died, 30U);
    const auto odd = run_with("faults: {slow: {share: 50%, rate: 10%}}");
    EXPECT_GT(odd.odd, 0U);
    EXPECT_EQ(odd.counted + odd.odd, 30U);
}

TEST(Simulation, says_how_many_never_finished)
{
    // Who comes when the tracker has gone finds nobody.
    const auto report = run_with("arrivals: {kind: spread, over: 1 s}\nfaults: {tracker: {dies_at: 500 ms}}");
    EXPECT_GT(report.unfinished, 0U);
    EXPECT_FALSE(report.times.last);
    EXPECT_EQ(report.sorted.size() + report.unfinished, 30U);
}

// What the scheduler must not fall behind. Simulated time alone: no machine is too slow for it.
TEST(Simulation, stays_near_the_bound_in_a_crowd_of_forty)
{
    const std::string here{__FILE__};
    std::ifstream stream{here.substr(0, here.rfind("/src/simulator/")) + "/bench/scenarios/flash-crowd-small.yaml"};
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    const auto report = run(text);
    EXPECT_EQ(report.counted, 40U);
    EXPECT_LE(static_cast<double>(*report.times.p99), 1.3 * static_cast<double>(report.outcome.bound));
    EXPECT_LE(report.origin_copies, 3);
}

TEST(Simulation, minds_forty_layers_no_more_than_one)
{
    const auto with_layers = [](const char* layers) {
        return static_cast<double>(
            *run(std::string{"nodes: 30\nimage: {size: 16 MB, layers: "} + layers + "}\nnode: {up: 4 MB/s}").times.p99
        );
    };
    EXPECT_LE(with_layers("40"), 1.1 * with_layers("1"));
}

}  // namespace
}  // namespace entrepot

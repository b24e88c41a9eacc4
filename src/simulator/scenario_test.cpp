#include "simulator/bound.hpp"
#include "simulator/scenario_file.hpp"
#include "swarm/piece_layout.hpp"

#include <boost/json/serialize.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

constexpr auto least = R"(nodes: 40
image: {size: 64 MB}
node: {up: 4 MB/s}
)";

std::string complaint_about(std::string_view text)
{
    const auto scenario = parse_scenario(text);
    return scenario ? "nothing" : scenario.error().message();
}

TEST(Scenario, needs_nodes_an_image_and_a_rate)
{
    const auto scenario = parse_scenario(least);
    ASSERT_TRUE(scenario) << scenario.error().message();
    EXPECT_EQ(scenario->nodes, 40U);
    EXPECT_EQ(scenario->layers, std::vector<std::uint64_t>{64'000'000});
    EXPECT_EQ(scenario->down, 4e6);
    EXPECT_EQ(scenario->origin_up, 4e6);
    EXPECT_EQ(scenario->seed, 1U);
    EXPECT_FALSE(scenario->tracker_dies);
}

TEST(Scenario, has_every_key)
{
    const auto scenario = parse_scenario(R"(
name: all of it
seed: 7
nodes: 100
image: {layers: [10 MB, 0, 5 MB]}
piece: 1 MiB
node: {up: 100 Mbit/s, down: 200 Mbit/s}
origin: {up: 1 Gbit/s, instances: 3}
network:
  zones: 4
  latency: 100 us
  cross_latency: 2 ms
  goodput: 90%
  handling: 10 us
  fixed: 50 ms
  handshake: 1 ms
  verify: 1 GB/s
arrivals: {kind: spread, over: 10 s}
faults:
  dying: {share: 10%, at: 5 s}
  slow: {share: 5%, rate: 0.2}
  silent: 1%
  lying: 2%
  tracker: {dies_at: 3 s}
policy:
  peer: {pipeline_pieces: 9, look_interval: 50 ms, duplicate_percent: 3}
  seed: {shown_pieces: 3, offered_copies: 4.5}
  tracker: {given_neighbours: 13, seed_neighbours: 30}
)");
    ASSERT_TRUE(scenario) << scenario.error().message();
    EXPECT_EQ(scenario->name, "all of it");
    EXPECT_EQ(scenario->image_bytes(), 15'000'000U);
    EXPECT_EQ(scenario->piece_chunks, 4U);
    EXPECT_EQ(scenario->down, 25e6);
    EXPECT_EQ(scenario->origins, 3U);
    EXPECT_EQ(scenario->zones, 4U);
    EXPECT_EQ(scenario->cross_latency, 2'000);
    EXPECT_DOUBLE_EQ(scenario->goodput, 0.9);
    EXPECT_EQ(scenario->arrivals, ArrivalKind::spread);
    EXPECT_EQ(scenario->arrivals_over, 10 * swarm_second);
    EXPECT_EQ(scenario->dying_at, 5 * swarm_second);
    EXPECT_DOUBLE_EQ(scenario->slow_rate, 0.2);
    EXPECT_DOUBLE_EQ(scenario->silent, 0.01);
    EXPECT_DOUBLE_EQ(scenario->lying, 0.02);
    EXPECT_TRUE(scenario->tracker_dies);
    EXPECT_EQ(scenario->peer.pipeline_pieces, 9U);
    EXPECT_EQ(scenario->peer.look_interval, 50'000);
    EXPECT_DOUBLE_EQ(scenario->origin.offered_copies, 4.5);
    EXPECT_EQ(scenario->tracker.seed_neighbours, 30U);
    EXPECT_EQ(scenario->tracker.most_neighbours, TrackerPolicy{}.most_neighbours);
}

TEST(Scenario, cuts_an_image_into_layers)
{
    const auto layers = [](const std::string& image) {
        return parse_scenario("nodes: 1\nnode: {up: 1 MB/s}\nimage: " + image).value().layers;
    };
    EXPECT_EQ(layers("{size: 10, layers: 3}"), (std::vector<std::uint64_t>{4, 3, 3}));
    EXPECT_EQ(layers("{layer_size: 10, layers: 3}"), (std::vector<std::uint64_t>{10, 10, 10}));
    EXPECT_EQ(layers("{layer_size: 10}"), std::vector<std::uint64_t>{10});
}

TEST(Scenario, counts_moments_from_the_bound)
{
    const auto scenario = parse_scenario(
        std::string{least} + "faults: {dying: {share: 10%, at: 50% of the bound}, tracker: {dies_at: 2 of the bound}}"
    );
    ASSERT_TRUE(scenario) << scenario.error().message();
    const auto bound = bound_of(*scenario, PieceLayout::of(scenario->layers, 1).value());
    EXPECT_EQ(scenario->dying_at, bound / 2);
    EXPECT_EQ(scenario->tracker_dies_at, bound * 2);
}

TEST(Scenario, names_what_is_wrong_and_where)
{
    const std::string base{least};
    const std::vector<std::pair<std::string, std::string>> table{
        {"", "must be a map of keys and values"},
        {"- 1", "must be a map of keys and values"},
        {"nodes: [", "is not valid YAML"},
        {base + "---\nnodes: 3", "there is more than one document"},
        {",nodes: 3", "line 1: is not valid YAML: a document can't begin like this"},
        {base + "network: {}", "line 4: has no keys"},
        {base + "colour: red", "line 4: colour: there is no such key"},
        {base + "origin: {upp: 3}", "line 4: origin.upp: there is no such key; there are origin.up, origin.instances"},
        {base + "origin: 5", "line 4: origin: there is no such key; there are origin.up"},
        {base + "seed: {a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}}", "is nested too deeply"},
        {base + "[1]: 2", "line 4: a key must be plain text"},
        {base + "nodes: 3", "line 4: nodes: is set twice"},
        {base + "piece:", "line 4: piece: has no value"},
        {base + "piece: [1 MiB]", "line 4: piece: must be a single value"},
        {base + "piece: 300 KiB", "line 4: piece: must be 256 KiB"},
        {base + "piece: 32 MiB", "line 4: piece: must be 256 KiB"},
        {base + "piece: 0", "line 4: piece: must be 256 KiB"},
        {base + "name: ''", "line 4: name: must be 1 to 100 plain characters"},
        {base + "name: \"a\\nb\"", "line 4: name: must be 1 to 100 plain characters"},
        {base + "seed: -1", "line 4: seed: '-1' is not a whole number"},
        {base + "network: {zones: 65}", "line 4: network.zones: must be from 1 to 64, or a list"},
        {base + "network: {zones: 0}", "line 4: network.zones: must be from 1 to 64"},
        {base + "network: {zones: []}", "line 4: network.zones: must be from 1 to 64"},
        {base + "network: {zones: [0, 40]}", "line 4: network.zones: each must have from 1 node on"},
        {base + "network: {zones: [1, 4]}", "line 4: network.zones: have 5 nodes together, and nodes says"},
        {base + "network: {zones: 2, cut_off: 2}", "network.cut_off: must leave the registry a zone"},
        {base + "node: {across: 2 TB/s}", "node.across: must be at most 1 TB/s"},
        {base + "network: {latency: 3}", "line 4: network.latency: '3' is not a time such as"},
        {base + "network: {latency: 11 s}", "line 4: network.latency: must be from 0 us to 10 s"},
        {base + "network: {goodput: 0}", "line 4: network.goodput: must be at least 0.1"},
        {base + "network: {verify: 0}", "line 4: network.verify: must be from 1 kB/s"},
        {base + "origin: {instances: 0}", "line 4: origin.instances: must be from 1 to 1024"},
        {base + "arrivals: {kind: soon}", "line 4: arrivals.kind: must be at_once or spread"},
        {base + "arrivals: {kind: spread}", "arrivals.over: must be set"},
        {base + "arrivals: {over: 1 s}", "line 4: arrivals.over: goes with kind: spread alone"},
        {base + "faults: {silent: 110%}", "line 4: faults.silent: '110%' is not a share"},
        {base + "faults: {silent: -0.1}", "line 4: faults.silent: '-0.1' is not a share"},
        {base + "faults: {dying: {share: 1%}}", "faults.dying.at: must be set"},
        {base + "faults: {dying: {share: 1%, at: half}}", "line 4: faults.dying.at: 'half' is not a time"},
        {base + "faults: {slow: {rate: 0}}", "line 4: faults.slow.rate: must be at least 0.001"},
        {base + "policy: {peer: {look_interval: 0}}", "line 4: policy.peer.look_interval: must be from 100 us"},
        {base + "policy: {peer: {pipeline_pieces: 0}}", "line 4: policy.peer.pipeline_pieces: must be from 1"},
        {base + "policy: {tracker: {most_neighbours: 65}}", "line 4: policy.tracker.most_neighbours: must be from 1 to"
        },
        {base + "policy: {seed: {offered_copies: 0.5}}", "line 4: policy.seed.offered_copies: must be from 1"},
        {base + "grid: {seed: 3}", "line 4: grid.seed: must be a list"},
        {base + "grid: {seed: []}", "line 4: grid.seed: must be a list"},
        {base + "grid: {seed: [1, 2]}", "grid: asks for more than one run"},
        {base + "grid: {sed: [1]}", "line 4: sed: there is no such key"},
        {"image: {size: 1}\nnode: {up: 1 MB/s}", "nodes: must be set"},
        {"nodes: 0\nimage: {size: 1}\nnode: {up: 1 MB/s}", "line 1: nodes: must be from 1 to 1000000"},
        {"nodes: 1\nimage: {size: 1}", "node.up: must be set"},
        {"nodes: 1\nimage: {size: 1}\nnode: {up: 0}", "line 3: node.up: must be from 1 kB/s"},
        {"nodes: 1\nimage: {size: 1}\nnode: {up: 3 horses}", "line 3: node.up: '3 horses' is not a rate"},
        {"nodes: 1\nnode: {up: 1 MB/s}", "image.size: must be set"},
        {"nodes: 1\nnode: {up: 1 MB/s}\nimage: {size: 0}", "image: must not be empty"},
        {"nodes: 1\nnode: {up: 1 MB/s}\nimage: {size: 1, layers: 0}", "line 3: image.layers: must be 1 to 10000"},
        {"nodes: 1\nnode: {up: 1 MB/s}\nimage: {layers: []}", "line 3: image.layers: must be a list of 1 to 10000"},
        {"nodes: 1\nnode: {up: 1 MB/s}\nimage: {layers: [[1]]}", "line 3: image.layers: an item of the list must be"},
        {"nodes: 1\nnode: {up: 1 MB/s}\nimage: {size: 1, layers: [1]}", "line 3: image.size: does not go with a list"},
        {"nodes: 1\nnode: {up: 1 MB/s}\nimage: {size: 1, layer_size: 1}", "image.layer_size: does not go with"},
        {"nodes: 1\nnode: {up: 1 TB/s}\nimage: {size: 20 TB}", "image: is too large"},
        {"nodes: 1\nnode: {up: 1 TB/s}\nimage: {layer_size: 10 TB, layers: 3}", "image: the image is too large"},
        {"nodes: 1\nnode: {up: 1 TB/s}\nimage: {size: 1 TB}\npiece: 256 KiB", "image: the image is too large"},
        {"nodes: 1000000\nnode: {up: 1 GB/s}\nimage: {size: 1 GB}", "line 1: nodes: are too many for an image"},
        {"nodes: 1\nnode: {up: 1 kB/s}\nimage: {size: 1 GB}", "line 2: node.up: is too slow"},
    };
    for (const auto& [text, expected] : table)
        EXPECT_NE(complaint_about(text).find(expected), std::string::npos) << text << "\n  " << complaint_about(text);
}

TEST(Scenario, runs_every_combination_of_a_grid)
{
    const auto runs =
        parse_scenario_runs(std::string{least} + "grid: {nodes: [10, 20], node.up: [1 MB/s, 2 MB/s, 3 MB/s]}");
    ASSERT_TRUE(runs) << runs.error().message();
    ASSERT_EQ(runs->size(), 6U);
    EXPECT_EQ(runs->front().label, "nodes=10 node.up=1 MB/s");
    EXPECT_EQ((*runs)[1].scenario.up, 2e6);
    EXPECT_EQ(runs->back().scenario.nodes, 20U);
    EXPECT_EQ(runs->back().scenario.up, 3e6);
    std::string seeds = "0";
    for (int seed = 1; seed <= 1000; ++seed) seeds += "," + std::to_string(seed);
    const auto many = parse_scenario_runs(std::string{least} + "grid: {seed: [" + seeds + "]}");
    EXPECT_EQ(many.error().message(), "line 4: grid: has more than 1000 runs");
}

TEST(Scenario, gives_way_to_what_is_set_besides)
{
    const auto text = std::string{least} + "grid: {nodes: [10, 20]}";
    const std::vector<ScenarioOverride> overrides{
        {.key = "nodes", .value = "5"}, {.key = "image.layers", .value = "[1 MB, 2 MB]"}, {.key = "seed", .value = "9"}
    };
    EXPECT_EQ(
        parse_scenario_runs(text, overrides).error().message(), "line 2: image.size: does not go with a list of layers"
    );
    const auto runs = parse_scenario_runs(text, std::span{overrides}.first(1));
    ASSERT_TRUE(runs) << runs.error().message();
    ASSERT_EQ(runs->size(), 1U);
    EXPECT_EQ(runs->front().scenario.nodes, 5U);
    EXPECT_EQ(runs->front().label, "");
    const std::vector<ScenarioOverride> wrong{{.key = "nodez", .value = "5"}};
    EXPECT_EQ(parse_scenario_runs(text, wrong).error().message(), "--set: nodez: there is no such key");
    const std::vector<ScenarioOverride> broken{{.key = "nodes", .value = "["}};
    EXPECT_FALSE(parse_scenario_runs(text, broken));
}

TEST(Scenario, is_shown_as_a_scenario_that_is_the_same)
{
    const auto one = parse_scenario(
        std::string{least} +
        "name: \"it's\"\npiece: 512 KiB\nfaults: {dying: {share: 0.125, at: 70% of the bound}, tracker: {dies_at: 1 "
        "s}}\n"
        "arrivals: {kind: spread, over: 3 s}\npolicy: {peer: {pipeline_time: 7 ms}, seed: {offered_copies: 2.75}}"
    );
    ASSERT_TRUE(one) << one.error().message();
    const auto text = boost::json::serialize(scenario_json(*one));
    const auto other = parse_scenario(text);
    ASSERT_TRUE(other) << other.error().message() << "\n" << text;
    EXPECT_EQ(boost::json::serialize(scenario_json(*other)), text);
    EXPECT_EQ(other->dying_at, one->dying_at);
    EXPECT_EQ(other->peer.pipeline_time, 7'000);
    const auto nameless = boost::json::serialize(scenario_json(parse_scenario(least).value()));
    EXPECT_TRUE(parse_scenario(nameless)) << nameless;
}

std::filesystem::path root()
{
    const std::string here{__FILE__};
    return here.substr(0, here.rfind("/src/simulator/"));
}

std::string text_of(const std::filesystem::path& file)
{
    std::ifstream stream{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
}

TEST(Scenario, files_of_the_repository_are_good)
{
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator{root() / "bench/scenarios"}) {
        const auto text = text_of(entry.path());
        const auto runs = parse_scenario_runs(text);
        ASSERT_TRUE(runs) << entry.path() << ": " << runs.error().message();
        EXPECT_EQ(runs->front().scenario.name, entry.path().stem());
        EXPECT_TRUE(text.starts_with("# ")) << entry.path();
        ++files;
    }
    EXPECT_GE(files, 12U);
}

TEST(Scenario, keys_are_all_documented)
{
    const auto page = text_of(root() / "docs/simulate.md");
    for (const auto& key : scenario_keys())
        EXPECT_NE(page.find("`" + std::string{key.name} + "`"), std::string::npos) << key.name;
}

}  // namespace
}  // namespace entrepot

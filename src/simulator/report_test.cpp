#include "simulator/report.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

constexpr std::uint64_t image = 1'000'000;

// A hundred nodes that are done after 1, 2, … 100 s; the bound is 50 s.
Outcome hundred()
{
    Outcome outcome;
    outcome.bound = 50 * swarm_second;
    outcome.image_bytes = image;
    outcome.origin_bytes = 2 * image;
    outcome.requests = 400;
    outcome.refusals = 100;
    for (int number = 1; number <= 100; ++number) {
        NodeOutcome node;
        node.arrived = 7 * swarm_second;
        node.first = node.arrived + swarm_second / 2;
        node.done = node.arrived + number * swarm_second;
        node.streamable = 0.5;
        node.from_origin = image / 50;
        node.from_zone = image * 7 / 10;
        node.across = image - node.from_zone - node.from_origin;
        node.wasted = image / 100;
        outcome.nodes.push_back(node);
    }
    return outcome;
}

RunReport report(Outcome outcome, std::string label = {})
{
    Scenario scenario;
    scenario.name = "hundred <&> \"more\"";
    scenario.nodes = static_cast<std::uint32_t>(outcome.nodes.size());
    scenario.layers = {image};
    scenario.up = scenario.down = scenario.origin_up = 1e6;
    const RunCost cost{.wall_seconds = 2, .processor_seconds = 1.5, .peak_bytes = 1 << 20};
    return report_of(scenario.name, std::move(label), scenario, std::move(outcome), cost);
}

// No more than that every element is closed by its own end, and nothing else has a bracket or a bare ampersand.
bool is_well_formed(std::string_view xml)
{
    std::vector<std::string_view> open;
    for (std::size_t at = 0; at < xml.size();) {
        const auto begin = xml.find('<', at);
        const auto text = xml.substr(at, begin == std::string_view::npos ? begin : begin - at);
        for (auto mark = text.find('&'); mark != std::string_view::npos; mark = text.find('&', mark + 1)) {
            const auto entity = text.substr(mark, text.find(';', mark) - mark);
            if (entity != "&lt" && entity != "&gt" && entity != "&amp" && entity != "&quot") return false;
        }
        if (text.contains('>')) return false;
        if (begin == std::string_view::npos) break;
        const auto end = xml.find('>', begin);
        if (end == std::string_view::npos) return false;
        auto tag = xml.substr(begin + 1, end - begin - 1);
        at = end + 1;
        if (tag.contains('<')) return false;
        if (tag.ends_with('/')) continue;
        if (!tag.starts_with('/')) {
            open.push_back(tag.substr(0, tag.find(' ')));
            continue;
        }
        if (open.empty() || open.back() != tag.substr(1)) return false;
        open.pop_back();
    }
    return open.empty();
}

TEST(RunReport, ranks_the_nodes_by_the_time_from_their_arrival)
{
    const auto one = report(hundred());
    EXPECT_EQ(one.counted, 100U);
    EXPECT_EQ(*one.times.p50, 50 * swarm_second);
    EXPECT_EQ(*one.times.p90, 90 * swarm_second);
    EXPECT_EQ(*one.times.p99, 99 * swarm_second);
    EXPECT_EQ(*one.times.p999, 100 * swarm_second);
    EXPECT_EQ(*one.times.last, 100 * swarm_second);
    EXPECT_EQ(*one.first_byte.p50, swarm_second / 2);
    EXPECT_EQ(one.pieces, 4U);
    EXPECT_EQ(one.piece_bytes, 262'144U);
}

TEST(RunReport, shares_out_the_bytes)
{
    const auto one = report(hundred());
    EXPECT_DOUBLE_EQ(one.origin_copies, 2);
    EXPECT_NEAR(one.origin_share, 0.02, 1e-9);
    EXPECT_NEAR(one.zone_share, 0.7, 1e-9);
    EXPECT_NEAR(one.across_share, 0.28, 1e-9);
    EXPECT_NEAR(one.wasted_share, 0.01, 1e-9);
    EXPECT_DOUBLE_EQ(one.streamable, 0.5);
    EXPECT_DOUBLE_EQ(one.refusals_per_request, 0.25);
}

TEST(RunReport, counts_ordinary_nodes_that_did_not_die)
{
    auto outcome = hundred();
    for (int number = 0; number < 10; ++number) outcome.nodes[static_cast<std::size_t>(number)].died = true;
    for (int number = 10; number < 15; ++number) outcome.nodes[static_cast<std::size_t>(number)].ordinary = false;
    const auto one = report(std::move(outcome));
    EXPECT_EQ(one.counted, 85U);
    EXPECT_EQ(one.died, 10U);
    EXPECT_EQ(one.odd, 5U);
    EXPECT_EQ(*one.times.p50, (15 + 43) * swarm_second);
}

TEST(RunReport, takes_who_never_finished_for_the_slowest)
{
    auto outcome = hundred();
    outcome.nodes[0].done.reset();
    outcome.nodes[1].done.reset();
    const auto one = report(std::move(outcome));
    EXPECT_EQ(one.counted, 100U);
    EXPECT_EQ(one.unfinished, 2U);
    EXPECT_EQ(*one.times.p50, 52 * swarm_second);
    EXPECT_FALSE(one.times.p99);
    EXPECT_FALSE(one.times.last);
    const auto table = table_of(std::span{&one, 1});
    EXPECT_NE(table.find("2 OF THEM NEVER FINISHED"), std::string::npos) << table;
    EXPECT_NE(table.find("never"), std::string::npos);
}

TEST(RunReport, has_an_answer_without_any_node)
{
    auto outcome = hundred();
    for (auto& node : outcome.nodes) node.died = true;
    const auto one = report(std::move(outcome));
    EXPECT_EQ(one.counted, 0U);
    EXPECT_FALSE(one.times.p50);
    EXPECT_TRUE(is_well_formed(svg_of(std::span{&one, 1})));
    EXPECT_TRUE(boost::json::parse(json_of(std::span{&one, 1}, "test")).is_object());
}

TEST(RunReport, is_a_table_for_people)
{
    const std::vector<RunReport> one{report(hundred())};
    const auto full = table_of(one);
    for (const auto* part :
         {"simulated, seed 1", "50.000 s", "99.000 s", "1.980", "2.00 copies", "4 pieces of 256 KiB"})
        EXPECT_NE(full.find(part), std::string::npos) << part << "\n" << full;
    const std::vector<RunReport> two{report(hundred(), "nodes=1"), report(hundred(), "nodes=2")};
    const auto rows = table_of(two);
    EXPECT_TRUE(rows.starts_with("simulated"));
    EXPECT_EQ(std::ranges::count(rows, '\n'), 4);
    EXPECT_NE(rows.find("nodes=2"), std::string::npos);
}

TEST(RunReport, is_json)
{
    auto outcome = hundred();
    outcome.nodes[0].done.reset();
    const std::vector<RunReport> one{report(std::move(outcome))};
    const auto whole = boost::json::parse(json_of(one, "entrepot 1"));
    EXPECT_TRUE(whole.at("simulated").as_bool());
    const auto& run = whole.at("runs").at(0);
    EXPECT_EQ(run.at("scenario").at("nodes").as_int64(), 100);
    const auto& result = run.at("result");
    EXPECT_DOUBLE_EQ(result.at("bound_seconds").as_double(), 50);
    EXPECT_DOUBLE_EQ(result.at("done_seconds").at("p90").as_double(), 91);
    EXPECT_DOUBLE_EQ(result.at("done_of_bound").at("p90").as_double(), 1.82);
    EXPECT_TRUE(result.at("done_seconds").at("last").is_null());
    EXPECT_EQ(result.at("nodes").at("never_finished").as_int64(), 1);
}

TEST(RunReport, is_csv_by_node_or_by_run)
{
    const std::vector<RunReport> one{report(hundred())};
    const auto nodes = csv_of(one);
    EXPECT_EQ(std::ranges::count(nodes, '\n'), 101);
    EXPECT_NE(
        nodes.find("\n0,0,ordinary,7.000000,0.500000,1.000000,0.0200,0.500,20000,700000,280000,0,10000\n"),
        std::string::npos
    ) << nodes.substr(0, 300);
    const std::vector<RunReport> two{report(hundred(), "a"), report(hundred(), "b")};
    const auto runs = csv_of(two);
    EXPECT_EQ(std::ranges::count(runs, '\n'), 3);
    EXPECT_NE(runs.find("\n\"hundred <&> \"\"more\"\"\",\"a\",100,1000000,1,50.000000,50.000000,"), std::string::npos)
        << runs;
    const auto columns = [](std::string_view line) { return std::ranges::count(line, ','); };
    EXPECT_EQ(columns(runs.substr(0, runs.find('\n'))), columns(runs.substr(runs.rfind('\n', runs.size() - 2))));
}

TEST(RunReport, is_a_plot)
{
    const std::vector<RunReport> one{report(hundred())};
    const auto plot = svg_of(one);
    EXPECT_TRUE(plot.starts_with("<svg "));
    EXPECT_TRUE(is_well_formed(plot)) << plot;
    EXPECT_NE(plot.find("hundred &lt;&amp;&gt; &quot;more&quot;, simulated"), std::string::npos);
    EXPECT_NE(plot.find("seconds since a node's arrival"), std::string::npos);
    EXPECT_EQ(plot.find("<script"), std::string::npos);
    std::vector<RunReport> many;
    for (int number = 0; number < 8; ++number) many.push_back(report(hundred(), "run " + std::to_string(number)));
    const auto curves = svg_of(many);
    EXPECT_TRUE(is_well_formed(curves));
    std::size_t lines = 0;
    for (auto at = curves.find("<polyline"); at != std::string::npos; at = curves.find("<polyline", at + 1)) ++lines;
    EXPECT_EQ(lines, 8U);
    EXPECT_NE(curves.find("dashed"), std::string::npos);
}

}  // namespace
}  // namespace entrepot

#include "delivery/preheat_selection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace entrepot {
namespace {

std::vector<NodeEntry> nodes_of(int count)
{
    std::vector<NodeEntry> nodes;
    for (int number = 0; number < count; ++number) {
        NodeEntry node;
        node.id = std::to_string(number);
        node.name = "n" + std::to_string(number);
        node.zone = number % 2 == 0 ? "even" : "odd";
        nodes.push_back(std::move(node));
    }
    return nodes;
}

TEST(PreheatSelection, all_of_it_holds_for_the_nodes_that_are_meant)
{
    EXPECT_TRUE(is_meant({}, "a", ""));
    const PreheatSelection some{.zones = {"x", "y"}, .names = {"a", "b"}};
    EXPECT_TRUE(is_meant(some, "b", "y"));
    EXPECT_FALSE(is_meant(some, "c", "y"));
    EXPECT_FALSE(is_meant(some, "b", "z"));
}

TEST(PreheatSelection, a_percentage_is_exact_and_the_same_each_time)
{
    const auto nodes = nodes_of(1000);
    const auto tenth = chosen_nodes({.percent = 10}, "seed", nodes);
    EXPECT_EQ(tenth.size(), 100U);
    EXPECT_EQ(chosen_nodes({.percent = 10}, "seed", nodes), tenth);
    EXPECT_NE(chosen_nodes({.percent = 10}, "another", nodes), tenth);
    EXPECT_EQ(chosen_nodes({.percent = 1}, "seed", nodes_of(3)).size(), 1U) << "rounded up";
    EXPECT_EQ(chosen_nodes({.percent = 100}, "seed", nodes).size(), 1000U);
    const auto even = chosen_nodes({.zones = {"even"}, .percent = 50}, "seed", nodes);
    EXPECT_EQ(even.size(), 250U);
    EXPECT_TRUE(std::ranges::all_of(even, [](const std::string& id) { return std::stoi(id) % 2 == 0; }));
    EXPECT_TRUE(chosen_nodes({.names = {"nobody"}}, "seed", nodes).empty());
}

TEST(PreheatSelection, more_are_those_before_and_others)
{
    const auto nodes = nodes_of(500);
    const auto few = chosen_nodes({.percent = 20}, "seed", nodes);
    const auto more = chosen_nodes({.percent = 40}, "seed", nodes);
    const std::set<std::string> those{more.begin(), more.end()};
    EXPECT_TRUE(std::ranges::all_of(few, [&](const std::string& id) { return those.contains(id); }));
}

TEST(PreheatSelection, of_those_that_come_later_about_as_many)
{
    int chosen = 0;
    for (const auto& node : nodes_of(2000))
        chosen += is_chosen_later({.percent = 25}, "seed", node.id, node.name, node.zone) ? 1 : 0;
    EXPECT_NEAR(chosen, 500, 100);
    EXPECT_TRUE(is_chosen_later({}, "seed", "1", "a", "b"));
    EXPECT_FALSE(is_chosen_later({.zones = {"c"}}, "seed", "1", "a", "b"));
}

TEST(PreheatSelection, what_can_be_no_node_is_refused)
{
    EXPECT_TRUE(check_selection({.zones = {"a"}, .names = {"n-1.example"}, .percent = 1}));
    for (const auto& wrong : {
             PreheatSelection{.zones = {""}},
             PreheatSelection{.zones = {"a\nb"}},
             PreheatSelection{.names = {"no node!"}},
             PreheatSelection{.percent = 0},
             PreheatSelection{.percent = 101},
             PreheatSelection{.zones = std::vector<std::string>(65, "a")},
             PreheatSelection{.names = std::vector<std::string>(1025, "a")},
         }) {
        const auto checked = check_selection(wrong);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code(), Errc::bad_request);
    }
}

}  // namespace
}  // namespace entrepot

#include "delivery/swarm_limits_desk.hpp"

#include "tests/support/memory_settings.hpp"
#include "tests/support/swarm_registry.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

namespace json = boost::json;

Result<SwarmLimits> parsed(std::string_view text)
{
    return parse_swarm_limits(json::parse(text).as_object());
}

class SwarmLimitsDeskTest : public testing::Test {
protected:
    SwarmRegistry registry;
    MemorySettings catalog;
    SwarmLimitsDesk desk{catalog, registry.policy, registry.clock};
    const Caller admin = SwarmRegistry::caller(SwarmRegistry::admin);
    const Caller somebody = SwarmRegistry::caller(SwarmRegistry::somebody);
    const SwarmLimits some{
        .others = {.rates = {.up = 5, .across_zones = 0}, .polite = true},
        .zones = {{"fra1", {}}, {"fra2", {.rates = {.down = 7}, .polite = false}}},
    };
};

TEST_F(SwarmLimitsDeskTest, keeps_what_was_set_for_other_instances_and_later)
{
    EXPECT_EQ(run_to_end(desk.current()), SwarmLimits{});
    ASSERT_TRUE(run_to_end(desk.change(admin, some)));
    SwarmLimitsDesk other{catalog, registry.policy, registry.clock};
    EXPECT_EQ(run_to_end(other.current()), some);
    EXPECT_EQ(run_to_end(other.read(admin)), some);
    ASSERT_TRUE(run_to_end(desk.change(admin, {})));
    EXPECT_TRUE(catalog.stored.empty()) << "none: as if nobody had ever set any";
    EXPECT_EQ(run_to_end(other.current()), SwarmLimits{});
}

TEST_F(SwarmLimitsDeskTest, are_for_who_may_administer_the_swarm)
{
    EXPECT_EQ(run_to_end(desk.read(somebody)).error().code(), Errc::denied);
    EXPECT_EQ(run_to_end(desk.change(somebody, some)).error().code(), Errc::denied);
    EXPECT_TRUE(catalog.stored.empty());
}

TEST_F(SwarmLimitsDeskTest, takes_what_another_version_has_kept_for_none)
{
    for (const auto* kept : {"", "[]", "{", R"({"default":{"up":"fast"}})"}) {
        catalog.stored["swarm_limits"] = kept;
        EXPECT_EQ(run_to_end(desk.current()), SwarmLimits{}) << kept;
    }
    catalog.stored["swarm_limits"] = R"({"default":{"up":5,"sideways":6}})";
    EXPECT_EQ(run_to_end(desk.current())->others.rates.up, 5U);
    catalog.away = true;
    EXPECT_EQ(run_to_end(desk.current()).error().code(), Errc::unavailable);
}

TEST(SwarmLimitsText, says_what_it_reads)
{
    const auto limits =
        parsed(R"({"default":{"up":5,"down":null,"polite":true},"zones":[{"zone":"b","across_zones":0},{"zone":"a"}]})"
        );
    ASSERT_TRUE(limits);
    EXPECT_EQ(limits->of("b").rates, (NodeRates{.across_zones = 0}));
    EXPECT_EQ(limits->of("a"), LimitsFrame{}) << "those of others don't count there";
    EXPECT_EQ(limits->of("c"), (LimitsFrame{.rates = {.up = 5}, .polite = true}));
    EXPECT_EQ(limits->of(""), limits->others);
    EXPECT_EQ(
        swarm_limits_json(*limits),
        json::parse(R"({"default":{"up":5,"down":null,"across_zones":null,"polite":true},"zones":[
            {"zone":"a","up":null,"down":null,"across_zones":null,"polite":false},
            {"zone":"b","up":null,"down":null,"across_zones":0,"polite":false}]})")
    );
    EXPECT_EQ(parse_swarm_limits(swarm_limits_json(*limits)), *limits);
    EXPECT_EQ(parsed("{}"), SwarmLimits{});
}

TEST(SwarmLimitsText, refuses_what_are_no_limits)
{
    for (const auto* text :
         {R"({"default":5})",
          R"({"default":{"up":-1}})",
          R"({"default":{"down":1.5}})",
          R"({"default":{"up":9223372036854775808}})",
          R"({"default":{"across_zones":"5"}})",
          R"({"default":{"polite":"on"}})",
          R"({"zones":{}})",
          R"({"zones":["a"]})",
          R"({"zones":[{"up":5}]})",
          R"({"zones":[{"zone":""}]})",
          R"({"zones":[{"zone":"a\u0001"}]})",
          R"({"zones":[{"zone":"a"},{"zone":"a"}]})"})
        EXPECT_EQ(parsed(text).error().code(), Errc::bad_request) << text;
    json::array zones;
    for (std::size_t zone = 0; zone <= SwarmLimitsDesk::most_zones; ++zone)
        zones.push_back(json::object{{"zone", "z" + std::to_string(zone)}});
    EXPECT_FALSE(parse_swarm_limits({{"zones", zones}}));
    zones.pop_back();
    EXPECT_TRUE(parse_swarm_limits({{"zones", zones}}));
}

}  // namespace
}  // namespace entrepot

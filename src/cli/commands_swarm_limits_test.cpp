#include "cli/ctl_command.hpp"
#include "cli/test_io.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr auto set_limits = R"({"default":{"up":1048576,"down":null,"across_zones":0,"polite":false},
    "zones":[{"zone":"fra1","up":null,"down":null,"across_zones":null,"polite":true}]})";

class CtlSwarmLimits : public testing::Test {
protected:
    CtlSwarmLimits()
    {
        io.answer = [](const ClientRequest& request) {
            return request.method == "GET" ? json_answer(200, set_limits, {{.name = "ETag", .value = "\"7\""}})
                                           : json_answer(200, "");
        };
    }
    // What is sent; nothing: no change.
    json::value change(std::vector<std::string> options)
    {
        std::vector<std::string> words{"swarm", "limits"};
        words.insert(words.end(), options.begin(), options.end());
        EXPECT_EQ(io.run(words), ctl_exit::success) << io.complained;
        if (io.requests.size() < 2) return {};
        EXPECT_EQ(io.requests[1].url, "http://r:5000/api/v2.0/swarm/limits");
        EXPECT_EQ(io.requests[1].method, "PUT");
        EXPECT_TRUE(std::ranges::any_of(io.requests[1].fields, [](const HttpField& field) {
            return field.name == "If-Match" && field.value == "\"7\"";
        }));
        return json::parse(io.requests[1].body);
    }

    TestIo io;
};

TEST_F(CtlSwarmLimits, are_shown_by_zone)
{
    EXPECT_TRUE(change({}).is_null());
    EXPECT_TRUE(io.said.contains("fra1")) << io.said;
    EXPECT_TRUE(io.said.contains("(others)")) << io.said;
    EXPECT_TRUE(io.said.contains("1.0 MiB")) << io.said;
    EXPECT_TRUE(io.said.contains("unlimited")) << io.said;
    EXPECT_TRUE(change({"--zone", "fra2"}).is_null());
    EXPECT_TRUE(io.said.contains("fra2") && io.said.contains("1.0 MiB")) << io.said;
    EXPECT_FALSE(io.said.contains("fra1")) << io.said;
    EXPECT_TRUE(change({"-o", "json"}).is_null());
    EXPECT_EQ(json::parse(io.said), json::parse(set_limits));
}

TEST_F(CtlSwarmLimits, of_all_others_change_alone)
{
    auto wanted = json::parse(set_limits);
    wanted.at("default").as_object()["up"] = nullptr;
    wanted.at("default").as_object()["across_zones"] = 20'000'000;
    EXPECT_EQ(change({"--up", "unlimited", "--across", "20MB"}), wanted);
    wanted = json::parse(set_limits);
    wanted.at("default") = json::object{};
    EXPECT_EQ(change({"--clear"}), wanted);
}

TEST_F(CtlSwarmLimits, of_a_zone_begin_with_those_of_all_others)
{
    auto wanted = json::parse(set_limits);
    wanted.at("zones").at(0).as_object()["down"] = 0;
    wanted.at("zones").at(0).as_object()["polite"] = false;
    EXPECT_EQ(change({"--zone", "fra1", "--down", "0", "--polite", "off"}), wanted);
    wanted = json::parse(set_limits);
    wanted.at("zones").as_array().push_back(
        {{"up", 1048576}, {"down", nullptr}, {"across_zones", 0}, {"polite", true}, {"zone", "fra2"}}
    );
    EXPECT_EQ(change({"--zone", "fra2", "--polite", "on"}), wanted);
    wanted.at("zones").as_array().clear();
    EXPECT_EQ(change({"--zone", "fra1", "--clear"}), wanted);
}

TEST_F(CtlSwarmLimits, that_are_none_are_refused)
{
    for (const auto& words :
         {std::vector<std::string>{"--up", "fast"}, {"--polite", "maybe"}, {"--clear", "--up", "5"}}) {
        std::vector<std::string> line{"swarm", "limits"};
        line.insert(line.end(), words.begin(), words.end());
        EXPECT_EQ(io.run(line), ctl_exit::usage);
        for (const auto& request : io.requests) EXPECT_EQ(request.method, "GET");
    }
    io.answer = [](const ClientRequest&) { return json_answer(200, R"({"default":[]})"); };
    EXPECT_EQ(io.run({"swarm", "limits"}), ctl_exit::failure);
}

}  // namespace
}  // namespace entrepot

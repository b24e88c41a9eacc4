#include "cli/ctl_command.hpp"
#include "cli/test_io.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

namespace json = boost::json;

TEST(CtlSwarm, makes_a_token_for_as_long_as_it_was_told)
{
    TestIo io;
    io.answer = [](const ClientRequest&) {
        return json_answer(201, R"({"id":"0102030405060708","token":"entrepot-node-x","zones":["a","b"],"nodes":40})");
    };
    EXPECT_EQ(
        io.run({"node-token", "create", "--zone", "a", "--zone", "b", "--nodes", "40", "--expires", "12h", "--quiet"}),
        ctl_exit::success
    );
    EXPECT_EQ(io.said, "entrepot-node-x\n");
    ASSERT_EQ(io.requests.size(), 1U);
    EXPECT_EQ(io.requests[0].url, "http://r:5000/api/v2.0/swarm/tokens");
    EXPECT_EQ(
        json::parse(io.requests[0].body), json::parse(R"({"zones":["a","b"],"nodes":40,"duration_seconds":43200})")
    );
    EXPECT_EQ(io.run({"node-token", "create", "--expires", "soon"}), ctl_exit::usage);
    EXPECT_TRUE(io.requests.empty());
}

TEST(CtlSwarm, lists_all_nodes_of_a_zone_from_page_to_page)
{
    TestIo io;
    io.answer = [](const ClientRequest& request) {
        const auto cursor = request.url.find("&cursor=");
        const int from = cursor == std::string::npos ? 0 : std::stoi(request.url.substr(cursor + 8)) + 1;
        std::string page;
        for (int i = from; i < from + 100 && i < 200; ++i)
            page += (page.empty() ? "" : ",") + std::string{R"({"id":")"} + std::to_string(i) + R"("})";
        return json_answer(200, "[" + page + "]");
    };
    EXPECT_EQ(io.run({"node", "list", "--zone", "fra 1", "--quiet"}), ctl_exit::success);
    ASSERT_EQ(io.requests.size(), 3U);
    EXPECT_EQ(io.requests[0].url, "http://r:5000/api/v2.0/swarm/nodes?page_size=100&zone=fra%201");
    EXPECT_EQ(io.requests[1].url, "http://r:5000/api/v2.0/swarm/nodes?page_size=100&zone=fra%201&cursor=99");
    EXPECT_TRUE(io.said.starts_with("0\n1\n"));
    EXPECT_TRUE(io.said.ends_with("\n199\n"));
}

TEST(CtlSwarm, removes_nodes_and_tokens_when_it_is_sure)
{
    TestIo io;
    io.answer = [](const ClientRequest&) { return json_answer(200, ""); };
    EXPECT_EQ(io.run({"node", "delete", "0a"}), ctl_exit::usage);
    EXPECT_TRUE(io.requests.empty());
    EXPECT_EQ(io.run({"node", "delete", "0a", "--yes"}), ctl_exit::success);
    EXPECT_EQ(io.requests.at(0).url, "http://r:5000/api/v2.0/swarm/nodes/0a");
    EXPECT_EQ(io.run({"node-token", "delete", "0b", "--yes"}), ctl_exit::success);
    EXPECT_EQ(io.requests.at(0).url, "http://r:5000/api/v2.0/swarm/tokens/0b");
}

}  // namespace
}  // namespace entrepot

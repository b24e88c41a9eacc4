#include "cli/ctl_command.hpp"
#include "cli/test_io.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

std::string image(std::string_view state, int complete)
{
    return R"({"digest":"sha256:0123456789abcdef","swarm":"aa","state":")" + std::string{state} +
           R"(","repositories":[{"tenant":"t","name":"shop/web"}],"size":1048576,"pieces":4,"members":4,"complete":)" +
           std::to_string(complete) + R"(,"half_way":42,"rate":2097152,"seconds_left":3,"efficiency":0.874,)" +
           R"("tenths":[1,0,0,0,1,0,0,0,0,0,2],"received":{"origin":1048576,"zone":3145728,"across":0},)" +
           R"("zones":[{"zone":"fra1","members":2,"complete":2,"tenths":[0,0,0,0,0,0,0,0,0,0,2],"rate":0},)" +
           R"({"zone":"","members":2,"complete":0,"tenths":[1,0,0,0,1,0,0,0,0,0,0],"rate":2097152}],)" +
           R"("slowest":{"name":"n7","progress":41,"neighbours":3,"idle":90}})";
}

std::string event(std::string_view name, const std::string& data)
{
    return "event: " + std::string{name} + "\ndata: " + data + "\n\n";
}

std::string state(const std::string& images)
{
    return event("state", R"({"instance":"one","images":[)" + images + "]}");
}

TestIo::Server streaming(std::string text)
{
    return [text = std::move(text)](const ClientRequest&) { return json_answer(200, text); };
}

TEST(SwarmWatch, writes_a_line_for_each_news_where_there_is_no_terminal)
{
    TestIo io;
    io.answer =
        streaming("retry: 2000\n\n" + state(image("active", 2)) + ":\n\n" + event("swarm", image("complete", 4)));
    EXPECT_EQ(io.run({"swarm", "watch", "sha256:01", "--until-complete"}), ctl_exit::success);
    EXPECT_EQ(io.requests.at(0).url, "http://r:5000/api/v2.0/swarm/stream?image=sha256%3A01");
    EXPECT_EQ(
        io.said,
        "2023-11-14T22:13:20Z shop/web@sha256:0123456789ab active: 2/4 complete, 2.0 MiB/s, half of them at 42 %, "
        "3 s left\n"
        "2023-11-14T22:13:20Z shop/web@sha256:0123456789ab complete: 4/4 complete, 2.0 MiB/s, half of them at 42 "
        "%, 3 s left\n"
    );
}

TEST(SwarmWatch, draws_a_block_again_on_a_terminal)
{
    TestIo io;
    io.terminal = true;
    int streams = 0;
    io.answer = [&](const ClientRequest&) {
        return json_answer(200, ++streams == 1 ? state(image("active", 2)) : state({}));
    };
    EXPECT_EQ(io.run({"swarm", "watch", "--count", "2"}), ctl_exit::success);
    EXPECT_EQ(
        io.said,
        "\x1b[?7l"
        "shop/web@sha256:0123456789ab  active  1.0 MiB in 4 pieces\n"
        "  [############........] all nodes    2/4 complete, 2.0 MiB/s, half at 42 %, 3 s left, 0.87 of what links "
        "allow\n"
        "  [####################] fra1         2/2 complete, 0 B/s\n"
        "  [#####...............] (no zone)    0/2 complete, 2.0 MiB/s\n"
        "  nodes at 0 %, 10 %, … 100 %: 1 0 0 0 1 0 0 0 0 0 2\n"
        "  received 1.0 MiB from the registry, 3.0 MiB within zones, 0 B across\n"
        "  slowest n7: 4 %, 3 neighbours, 90 % of the time idle\n"
        "\x1b[?7h"
        "\x1b[7A\x1b[J\x1b[?7lno images are under way\n\x1b[?7h"
    );
}

TEST(SwarmWatch, writes_json_lines)
{
    TestIo io;
    io.terminal = true;
    io.answer = streaming(state(image("active", 1)) + event("gone", R"({"swarm":"aa"})"));
    EXPECT_EQ(io.run({"swarm", "watch", "-o", "json", "--count", "2"}), ctl_exit::success);
    const auto end = io.said.find('\n');
    const auto first = boost::json::parse(io.said.substr(0, end)).as_object();
    EXPECT_EQ(first.at("event").as_string(), "state");
    EXPECT_EQ(first.at("images").as_array().size(), 1U);
    EXPECT_EQ(io.said.substr(end + 1), "{\"swarm\":\"aa\",\"event\":\"gone\"}\n");
}

TEST(SwarmWatch, is_not_content_with_nonsense)
{
    TestIo io;
    io.answer = streaming(event("state", "[]"));
    EXPECT_EQ(io.run({"swarm", "watch"}), ctl_exit::failure);
    io.answer = [](const ClientRequest&) {
        return json_answer(404, R"({"errors":[{"code":"NOT_FOUND","message":"no"}]})");
    };
    EXPECT_EQ(io.run({"swarm", "watch"}), ctl_exit::not_found);
}

TEST(CtlSwarmImages, finds_the_images_of_an_index)
{
    TestIo io;
    io.answer = [](const ClientRequest& request) {
        if (request.url.contains("/artifacts/"))
            return json_answer(200, R"({"digest":"sha256:0a","references":[{"child_digest":"sha256:0b"}]})");
        if (request.url.contains("sha256%3A0b")) return json_answer(200, image("active", 2));
        return json_answer(404, R"({"errors":[{"code":"NOT_FOUND","message":"no"}]})");
    };
    EXPECT_EQ(io.run({"swarm", "show", "shop/web:1"}), ctl_exit::success);
    ASSERT_EQ(io.requests.size(), 3U);
    EXPECT_EQ(io.requests[0].url, "http://r:5000/api/v2.0/projects/shop/repositories/web/artifacts/1");
    EXPECT_TRUE(io.said.starts_with("shop/web@sha256:0123456789ab  active")) << io.said;
    EXPECT_EQ(io.run({"swarm", "show", "sha256:0c"}), ctl_exit::not_found);
    EXPECT_EQ(io.run({"swarm", "show", "sha256:0b", "-o", "json"}), ctl_exit::success);
    EXPECT_EQ(boost::json::parse(io.said), boost::json::parse(image("active", 2)));
}

TEST(CtlSwarmImages, lists_images_nodes_and_what_a_node_takes_part_in)
{
    TestIo io;
    io.answer = [](const ClientRequest& request) {
        if (request.url.contains("/nodes"))
            return json_answer(200, R"([{"name":"n7","zone":"fra1","state":"active","progress":41}])");
        if (request.url.contains("/images/")) return json_answer(200, image("active", 2));
        return json_answer(200, "[" + image("active", 2) + "]");
    };
    EXPECT_EQ(io.run({"swarm", "list", "--state", "active", "--repository", "shop/web"}), ctl_exit::success);
    EXPECT_TRUE(io.requests.at(0).url.contains("swarm/images?state=active&repository=shop%2Fweb&page=1"));
    EXPECT_TRUE(io.said.contains("shop/web@sha256:0123456789ab")) << io.said;
    EXPECT_EQ(io.run({"swarm", "nodes", "sha256:0b", "--zone", "fra1"}), ctl_exit::success);
    EXPECT_TRUE(io.requests.at(1).url.contains("/nodes?zone=fra1")) << io.requests.at(1).url;
    EXPECT_TRUE(io.said.contains("n7")) << io.said;
    EXPECT_EQ(io.run({"node", "show", "n7"}), ctl_exit::success);
    EXPECT_TRUE(io.requests.at(1).url.contains("/nodes?name=n7")) << io.requests.at(1).url;
    EXPECT_TRUE(io.said.contains("sha256:0123456789abcdef")) << io.said;
    EXPECT_EQ(io.run({"swarm", "list", "--state", "odd"}), ctl_exit::usage);
}

}  // namespace
}  // namespace entrepot

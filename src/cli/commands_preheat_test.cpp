#include "cli/ctl_command.hpp"
#include "cli/test_io.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

#include <string>

namespace entrepot {
namespace {

namespace json = boost::json;

std::string preheat_text(const std::string& stage, int done)
{
    return R"({"id":7,"stage":")" + stage + R"(","counts":{"waiting":0,"running":1,"done":)" + std::to_string(done) +
           R"(,"failed":0,"refused":0,"total":2},"bytes_done":1024,"bytes_total":2048})";
}

TEST(CtlPreheat, asks_for_what_it_was_told)
{
    TestIo io;
    io.answer = [](const ClientRequest&) { return json_answer(201, preheat_text("running", 0)); };
    EXPECT_EQ(
        io.run(
            {"preheat",
             "create",
             "shop/team/web:2.1",
             "--zones",
             "a,b c",
             "--nodes",
             "n1",
             "--percent",
             "50",
             "--deadline",
             "2h",
             "--rate",
             "100MB",
             "--quiet"}
        ),
        ctl_exit::success
    );
    ASSERT_EQ(io.requests.size(), 1U);
    EXPECT_EQ(io.requests[0].url, "http://r:5000/api/v2.0/swarm/preheats");
    EXPECT_EQ(
        json::parse(io.requests[0].body),
        json::parse(R"({"repository":"shop/team/web","reference":"2.1","zones":["a","b c"],"nodes":["n1"],"percent":50,
                        "duration_seconds":7200,"rate":100000000})")
    );
    EXPECT_EQ(io.said, "7\n");
    for (const auto* const wrong : {"--deadline=soon", "--zones=a,,b", "--rate=fast"}) {
        EXPECT_EQ(io.run({"preheat", "create", "shop/web:1", wrong}), ctl_exit::usage) << wrong;
        EXPECT_TRUE(io.requests.empty());
    }
    EXPECT_EQ(io.run({"preheat", "create", "shop/web"}), ctl_exit::usage) << "without a tag";
}

TEST(CtlPreheat, waits_until_it_has_ended_and_says_whether_all_have_it)
{
    for (const std::string stage : {"done", "failed", "expired", "cancelled"}) {
        TestIo io;
        int looks = 0;
        io.answer = [&](const ClientRequest& request) {
            if (request.method == "POST") return json_answer(201, preheat_text("running", 0));
            return json_answer(200, ++looks < 3 ? preheat_text("running", 1) : preheat_text(stage, 2));
        };
        EXPECT_EQ(
            io.run({"preheat", "create", "shop/web:1", "--wait"}),
            stage == "done" ? ctl_exit::success : ctl_exit::failure
        );
        EXPECT_EQ(io.requests.back().url, "http://r:5000/api/v2.0/swarm/preheats/7");
        EXPECT_EQ(io.pauses, 2);
    }
}

TEST(CtlPreheat, shows_a_preheat_or_its_nodes_and_cancels_it)
{
    TestIo io;
    io.answer = [](const ClientRequest& request) {
        if (request.url.contains("/nodes")) return json_answer(200, R"([{"id":"0a","name":"n1","state":"done"}])");
        return json_answer(200, preheat_text("running", 1));
    };
    EXPECT_EQ(io.run({"preheat", "show", "7"}), ctl_exit::success);
    EXPECT_TRUE(io.said.contains("1.0 KiB") || io.said.contains("1 KiB")) << io.said;
    EXPECT_EQ(io.run({"preheat", "show", "7", "--nodes"}), ctl_exit::success);
    EXPECT_TRUE(io.said.contains("n1"));
    EXPECT_EQ(io.run({"preheat", "cancel", "7"}), ctl_exit::usage);
    EXPECT_EQ(io.run({"preheat", "cancel", "7", "--yes"}), ctl_exit::success);
    EXPECT_EQ(io.requests.back().method, "DELETE");
}

}  // namespace
}  // namespace entrepot

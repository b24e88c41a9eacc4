#include "core/log.hpp"

#include <algorithm>
#include <iterator>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

// What `write` puts on standard error, less the time where text is meant.
std::string written(log::Format format, auto&& write)
{
    log::configure(log::Level::info, format);
    testing::internal::CaptureStderr();
    write();
    auto text = testing::internal::GetCapturedStderr();
    log::configure(log::Level::info, log::Format::text);
    return text;
}

std::string text_of(std::string_view message, std::initializer_list<log::Field> fields)
{
    const auto line = written(log::Format::text, [&] { log::info(message, fields); });
    return line.substr(std::min<std::size_t>(line.find(' ') + 1, line.size()));
}

std::string json_of(std::string_view message, std::initializer_list<log::Field> fields)
{
    const auto line = written(log::Format::json, [&] { log::info(message, fields); });
    const auto at = line.find(R"("level")");
    return at == std::string::npos ? line : line.substr(at);
}

TEST(Log, writes_one_readable_line)
{
    EXPECT_EQ(
        text_of("listening", {{"address", "127.0.0.1"}, {"port", 5000}}), "info listening address=127.0.0.1 port=5000\n"
    );
}

TEST(Log, stamps_lines_with_utc_microseconds)
{
    const std::regex text{R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z info hello\n)"};
    const std::regex json{R"(\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","level":"info","message":"hello"\}\n)"};
    EXPECT_TRUE(std::regex_match(written(log::Format::text, [] { log::info("hello"); }), text));
    EXPECT_TRUE(std::regex_match(written(log::Format::json, [] { log::info("hello"); }), json));
}

TEST(Log, lets_no_value_forge_a_line_or_a_field)
{
    EXPECT_EQ(text_of("a", {{"user", "eve\n2026 error forged"}}), "info a user=\"eve\\n2026 error forged\"\n");
    EXPECT_EQ(text_of("a", {{"user", "eve role=admin"}}), "info a user=\"eve role=admin\"\n");
    EXPECT_EQ(text_of("a", {{"user", "eve\" role=\"admin"}}), "info a user=\"eve\\\" role=\\\"admin\"\n");
    EXPECT_EQ(text_of("a", {{"user", "back\\slash"}}), "info a user=\"back\\\\slash\"\n");
    EXPECT_EQ(text_of("a", {{"user", ""}}), "info a user=\"\"\n");
    EXPECT_EQ(text_of("a b=c\r\n", {}), "info \"a b=c\\u000d\\n\"\n");
}

TEST(Log, shows_what_a_terminal_would_act_on)
{
    EXPECT_EQ(text_of("a", {{"v", "\x1b[2J"}}), "info a v=\"\\u001b[2J\"\n");
    EXPECT_EQ(text_of("a", {{"v", "\xc2\x9b"}}), "info a v=\"\\u009b\"\n");
    EXPECT_EQ(text_of("a", {{"v", "\xe2\x80\xae"}}), "info a v=\"\\u202e\"\n");
    EXPECT_EQ(text_of("a", {{"v", "\xff\xfe"}}), "info a v=\"\\xff\\xfe\"\n");
    EXPECT_EQ(text_of("a", {{"v", std::string_view{"\0", 1}}}), "info a v=\"\\u0000\"\n");
    EXPECT_EQ(text_of("a", {{"v", "Entrep\xc3\xb4t"}}), "info a v=\"Entrep\xc3\xb4t\"\n");
}

TEST(Log, writes_valid_json_of_any_bytes)
{
    EXPECT_EQ(
        json_of("say \"hi\"\n", {{"n", 7}, {"s", "7"}}),
        "\"level\":\"info\",\"message\":\"say \\\"hi\\\"\\n\",\"n\":7,\"s\":\"7\"}\n"
    );
    EXPECT_EQ(json_of("a", {{"v", "\xc0\xaf"}}), "\"level\":\"info\",\"message\":\"a\",\"v\":\"\\ufffd\\ufffd\"}\n");
    EXPECT_EQ(
        json_of("a", {{"v", "\xed\xa0\x80"}}), "\"level\":\"info\",\"message\":\"a\",\"v\":\"\\ufffd\\ufffd\\ufffd\"}\n"
    );
    EXPECT_EQ(json_of("a", {{"v", "\t\x7f"}}), "\"level\":\"info\",\"message\":\"a\",\"v\":\"\\u0009\\u007f\"}\n");
    EXPECT_EQ(
        json_of("a", {{"v", "\xf0\x9f\x9a\xa2"}}), "\"level\":\"info\",\"message\":\"a\",\"v\":\"\xf0\x9f\x9a\xa2\"}\n"
    );
}

TEST(Log, leaves_out_what_is_below_the_level)
{
    EXPECT_EQ(written(log::Format::text, [] { log::debug("quiet"); }), "");
    EXPECT_FALSE(log::enabled(log::Level::debug));
    EXPECT_TRUE(log::enabled(log::Level::warning));
}

TEST(Log, tells_a_failure_with_its_place)
{
    const auto text = written(log::Format::text, [] {
        log::failure(log::Level::error, "pushing", Error{Errc::storage_full, "no room", "write: ENOSPC"}, "r-1");
    });
    EXPECT_NE(
        text.find("error pushing code=storage_full error=\"no room\" detail=\"write: ENOSPC\""), std::string::npos
    ) << text;
    EXPECT_NE(text.find(" place=core/log_test.cpp:"), std::string::npos) << text;
    EXPECT_NE(text.find(" request_id=r-1\n"), std::string::npos) << text;
}

TEST(Log, keeps_lines_of_many_threads_apart)
{
    const auto text = written(log::Format::text, [] {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread) {
            threads.emplace_back([] {
                for (int line = 0; line < 200; ++line) log::info("together", {{"k", "v"}});
            });
        }
    });
    const std::regex line{R"([^ \n]+ info together k=v\n)"};
    const auto lines = std::distance(std::sregex_iterator{text.begin(), text.end(), line}, std::sregex_iterator{});
    EXPECT_EQ(lines, 800);
    EXPECT_EQ(std::ranges::count(text, '\n'), 800);
}

}  // namespace
}  // namespace entrepot

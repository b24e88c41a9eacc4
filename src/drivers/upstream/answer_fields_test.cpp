#include "drivers/upstream/answer_fields.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

constexpr Micros second = 1'000'000;

TEST(LoginChallenge, is_read_as_registries_write_it)
{
    const auto read = parse_login_challenge(
        R"(Bearer realm="https://auth.example.org/token?x=1",service="a \"b\", c",scope="repository:a:pull")"
    );
    EXPECT_EQ(read.scheme, "bearer");
    EXPECT_EQ(read.realm, "https://auth.example.org/token?x=1");
    EXPECT_EQ(read.service, "a \"b\", c");
    EXPECT_EQ(parse_login_challenge("BASIC realm=x").realm, "x");
    EXPECT_EQ(parse_login_challenge("Bearer realm=x, service=y").service, "y");
    for (const auto* broken : {"", " ", "Bearer", "Bearer realm", "Bearer realm=\"", "Bearer ,,,", "Bearer =\"\\"}) {
        EXPECT_EQ(parse_login_challenge(broken).realm, "") << broken;
    }
}

TEST(NextLink, is_the_one_whose_relation_is_next)
{
    EXPECT_EQ(next_link("</v2/_catalog?last=b&n=2>; rel=\"next\""), "/v2/_catalog?last=b&n=2");
    EXPECT_EQ(next_link("<a>; rel=prev, <b>; title=\"x, <c>; rel=next\"; rel=\"last next\""), "b");
    EXPECT_EQ(next_link("<a>;REL=Next"), "a");
    for (const auto* none : {"", "<a>", "<a>; rel=prev", "<a; rel=next", "a; rel=next", "<>; rel=next", "<a>; rel="})
        EXPECT_EQ(next_link(none), std::nullopt) << none;
}

TEST(ContentRange, follows_rfc_9110)
{
    const auto whole = parse_content_range("bytes 5-9/10").value();
    EXPECT_EQ(whole.first, 5U);
    EXPECT_EQ(whole.last, 9U);
    EXPECT_EQ(whole.size, 10U);
    EXPECT_EQ(parse_content_range("bytes 0-0/*")->size, std::nullopt);
    EXPECT_EQ(parse_content_range("bytes */10")->first, std::nullopt);
    for (const auto* broken :
         {"",
          "bytes",
          "bytes 5-9",
          "bytes 9-5/10",
          "bytes 5-10/10",
          "bytes */*",
          "lines 5-9/10",
          "bytes 5-9/x",
          "bytes -9/10",
          "bytes 5-/10",
          "bytes 5-99999999999999999999/*"})
        EXPECT_FALSE(parse_content_range(broken)) << broken;
}

TEST(UploadRange, says_how_much_is_there)
{
    EXPECT_EQ(parse_upload_range("0-99"), 100U);
    EXPECT_EQ(parse_upload_range("bytes=0-99"), 100U);
    EXPECT_EQ(parse_upload_range("0-0"), 0U);
    EXPECT_EQ(parse_upload_range("0--1"), 0U);
    for (const auto* broken : {"", "0", "5-9", "-9", "0-", "0-x", "0-9-9"})
        EXPECT_EQ(parse_upload_range(broken), std::nullopt) << broken;
}

TEST(RetryAfter, is_seconds_a_date_or_a_time)
{
    const Micros now = 1'600'000'000 * second;
    EXPECT_EQ(parse_retry_after("120", now), now + 120 * second);
    EXPECT_EQ(parse_retry_after("Sun, 13 Sep 2020 12:27:00 GMT", now), now + 20 * second);
    EXPECT_EQ(parse_retry_after("1600000030", now), now + 30 * second);
    EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now), now);
    EXPECT_EQ(parse_retry_after("999999999", now), now + 86'400 * second);
    for (const auto* broken : {"", "-1", "soon", "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET"})
        EXPECT_EQ(parse_retry_after(broken, now), std::nullopt) << broken;
    EXPECT_EQ(parse_rate_limit("100;w=21600"), 100U);
    EXPECT_EQ(parse_rate_limit(""), std::nullopt);
}

}  // namespace
}  // namespace entrepot

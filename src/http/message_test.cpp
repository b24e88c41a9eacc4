#include "core/address.hpp"
#include "core/token_bucket.hpp"
#include "http/inbound_request.hpp"
#include "http/message.hpp"
#include "http/response_head.hpp"
#include "http/timer_wheel.hpp"

#include <gtest/gtest.h>

namespace entrepot::http {
namespace {

TEST(Response, lets_nothing_inject_a_header)
{
    Response response;
    response.add("Location", "/a\r\nSet-Cookie: b\x7f");
    EXPECT_EQ(response.headers, "Location: /a  Set-Cookie: b \r\n");
}

std::string head_of(const Response& response, bool head_request)
{
    std::string out;
    append_head(out, response, {head_request, false, true, "Date: now\r\n"});
    return out;
}

TEST(ResponseHead, announces_the_length_where_there_may_be_one)
{
    Response response;
    response.body = std::string{"abc"};
    EXPECT_NE(head_of(response, false).find("Content-Length: 3\r\n"), std::string::npos);
    response.announced_length = 10;
    EXPECT_NE(head_of(response, true).find("Content-Length: 10\r\n"), std::string::npos);
    EXPECT_NE(head_of(response, false).find("Content-Length: 3\r\n"), std::string::npos);
    response.status = 304;
    EXPECT_NE(head_of(response, false).find("Content-Length: 10\r\n"), std::string::npos);
    response.announced_length.reset();
    EXPECT_EQ(head_of(response, false).find("Content-Length"), std::string::npos);
    response.status = 204;
    EXPECT_EQ(head_of(response, false), "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n");
}

TEST(Form, decodes_pairs_in_order)
{
    const auto fields = parse_form("scope=a%3Ab+c&empty=&bare&&x=%C3%A4");
    ASSERT_TRUE(fields);
    ASSERT_EQ(fields->size(), 4U);
    EXPECT_EQ((*fields)[0].value, "a:b c");
    EXPECT_EQ((*fields)[2].name, "bare");
    EXPECT_EQ((*fields)[3].value, "\xc3\xa4");
}

TEST(Form, refuses_malformed_escapes_and_floods)
{
    EXPECT_FALSE(parse_form("a=%"));
    EXPECT_FALSE(parse_form("a=%4"));
    EXPECT_FALSE(parse_form("%zz=1"));
    std::string many;
    for (int i = 0; i < 256; ++i) many += "a&";
    EXPECT_TRUE(parse_form(many));
    EXPECT_FALSE(parse_form(many + "a"));
}

TEST(CidrList, matches_networks_of_both_families)
{
    const CidrList list{{"10.0.0.0/8", "192.168.1.128/25", "2001:db8::/33", "::1"}};
    for (const auto* inside : {"10.255.0.1", "192.168.1.200", "2001:db8:7fff::1", "::1", "::ffff:10.0.0.1"}) {
        EXPECT_TRUE(list.contains(*Address::parse(inside))) << inside;
    }
    for (const auto* outside : {"11.0.0.1", "192.168.1.127", "2001:db8:8000::1", "::2", "0.0.0.1"}) {
        EXPECT_FALSE(list.contains(*Address::parse(outside))) << outside;
    }
    EXPECT_TRUE(CidrList{{"0.0.0.0/0"}}.contains(*Address::parse("1.2.3.4")));
    EXPECT_FALSE(CidrList{{"0.0.0.0/0"}}.contains(*Address::parse("2001::1")));
}

TEST(CidrList, refuses_what_is_no_network)
{
    for (const auto* text : {"10.0.0.0/33", "10.0.0", "::/129", "10.0.0.0/", "10.0.0.0/x", "host"}) {
        EXPECT_THROW(CidrList{{text}}, std::runtime_error) << text;
    }
}

class InboundRequestTest : public testing::Test {
protected:
    const Origin& from(const char* peer, std::vector<HeaderView> headers)
    {
        request.emplace(*Address::parse(peer), false, trusted, ids);
        request->renew("own:5000");
        request->headers = std::move(headers);
        return request->origin();
    }

    CidrList trusted{{"127.0.0.0/8", "10.0.0.0/8"}};
    RequestIds ids{1, 0};
    std::optional<InboundRequest> request;
};

TEST_F(InboundRequestTest, believes_trusted_proxies_only)
{
    const std::vector<HeaderView> headers{
        {"X-Forwarded-For", "6.6.6.6, 203.0.113.9, 10.1.2.3"},
        {"x-forwarded-proto", "https"},
        {"X-Forwarded-Host", "registry.example"},
    };
    const auto trusted_origin = from("127.0.0.1", headers);
    EXPECT_EQ(trusted_origin.client, "203.0.113.9");
    EXPECT_TRUE(trusted_origin.secure);
    EXPECT_EQ(trusted_origin.authority, "registry.example");
    const auto foreign = from("198.51.100.1", headers);
    EXPECT_EQ(foreign.client, "198.51.100.1");
    EXPECT_FALSE(foreign.secure);
    EXPECT_EQ(foreign.authority, "own:5000");
}

TEST_F(InboundRequestTest, stops_at_what_is_no_address)
{
    EXPECT_EQ(from("127.0.0.1", {{"X-Forwarded-For", "1.1.1.1, unknown, 10.0.0.1"}}).client, "10.0.0.1");
    EXPECT_EQ(
        from("127.0.0.1", {{"X-Forwarded-For", "1.1.1.1"}, {"X-Forwarded-For", "[2001:db8::1]:99"}}).client,
        "2001:db8::1"
    );
    EXPECT_EQ(from("127.0.0.1", {{"X-Forwarded-Host", "evil/path"}}).authority, "own:5000");
}

TEST_F(InboundRequestTest, takes_over_only_fit_request_ids)
{
    from("127.0.0.1", {{"X-Request-Id", "abc-1"}});
    EXPECT_EQ(request->request_id(), "abc-1");
    from("127.0.0.1", {{"X-Request-Id", "a b\"c"}});
    const auto first = request->request_id();
    EXPECT_EQ(first.find(' '), std::string::npos);
    request->renew("a");
    EXPECT_NE(request->request_id(), first);
}

class Alarm final : public Timed {
public:
    Tick rang = 0;

private:
    void due(Tick now) override { rang = now; }
};

TEST(TimerWheel, rings_at_the_deadline_that_was_set_last)
{
    TimerWheel wheel;
    Alarm sooner;
    Alarm later;
    Alarm cleared;
    Alarm far;
    wheel.set(sooner, 50);
    wheel.set(sooner, 3);
    wheel.set(later, 3);
    wheel.set(later, 20);
    wheel.set(cleared, 5);
    TimerWheel::clear(cleared);
    wheel.set(far, 1000);
    for (int i = 0; i < 1100; ++i) wheel.tick();
    EXPECT_EQ(sooner.rang, 3U);
    EXPECT_EQ(later.rang, 20U);
    EXPECT_EQ(cleared.rang, 0U);
    EXPECT_EQ(far.rang, 1000U);
}

TEST(TokenBucket, grants_no_more_than_the_rate)
{
    TokenBucket bucket{1'000'000};
    TokenBucket::Time now{std::chrono::hours{1}};
    std::uint64_t granted = bucket.take(10'000'000, now);
    EXPECT_LE(granted, 100'000U);
    EXPECT_EQ(bucket.take(1'000, now), 0U);
    for (int i = 0; i < 100; ++i) {
        now += std::chrono::milliseconds{10};
        granted += bucket.take(1'000'000, now);
    }
    EXPECT_GT(granted, 1'000'000U);
    EXPECT_LE(granted, 1'100'000U);
}

}  // namespace
}  // namespace entrepot::http

#include "client/outbound_rules.hpp"

#include "client/http_client.hpp"
#include "client/test_peer.hpp"
#include "core/run_to_end.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

OutboundRules rules(const std::vector<std::string>& allow = {})
{
    return OutboundRules::parse(allow).value();
}

bool allows(const OutboundRules& rules, std::string_view address, std::string_view host = "example.org")
{
    return rules.allows(host, Address::parse(address).value());
}

TEST(OutboundRules, this_machine_its_links_and_metadata_services_are_out_of_reach)
{
    for (const auto* address :
         {"127.0.0.1",
          "127.8.9.1",
          "0.0.0.0",
          "169.254.169.254",
          "224.0.0.1",
          "255.255.255.255",
          "100.100.100.200",
          "::",
          "::1",
          "fe80::1",
          "febf::1",
          "ff02::1",
          "fd00:ec2::254",
          "::ffff:127.0.0.1",
          "::127.0.0.1",
          "64:ff9b::7f00:1",
          "64:ff9b::a9fe:a9fe",
          "2002:7f00:1::",
          "2002:a9fe:a9fe::1"}) {
        EXPECT_FALSE(allows(rules(), address)) << address;
    }
    for (const auto* address :
         {"192.0.2.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "2001:db8::1", "fd12::1", "64:ff9b::c000:201"}) {
        EXPECT_TRUE(allows(rules(), address)) << address;
    }
}

TEST(OutboundRules, the_operator_can_allow_networks_and_hosts)
{
    const auto some = rules({"127.0.0.0/8", "fe80::/10", "CI.internal"});
    EXPECT_TRUE(allows(some, "127.0.0.1"));
    EXPECT_TRUE(allows(some, "fe80::7"));
    EXPECT_FALSE(allows(some, "::1"));
    EXPECT_TRUE(allows(some, "::1", "ci.INTERNAL"));
    EXPECT_FALSE(allows(some, "::1", "ci.internal.example.org"));
    for (const auto* wrong : {"", "127.0.0.0/33", "a b", "http://x", "1.2.3.4/x"}) {
        EXPECT_FALSE(OutboundRules::parse({wrong})) << wrong;
    }
}

TEST(OutboundRules, an_url_is_refused_where_it_leads_nowhere_else)
{
    const auto check = [](const char* url, const std::vector<std::string>& allow = {}) {
        return run_to_end(check_outbound(rules(allow), url)).has_value();
    };
    EXPECT_FALSE(check("http://127.0.0.1:9/"));
    EXPECT_FALSE(check("http://localhost:9/"));
    EXPECT_FALSE(check("http://[::1]/"));
    EXPECT_FALSE(check("http://[::ffff:127.0.0.1]/"));
    EXPECT_FALSE(check("https://0x7f.1/")) << "as the system's resolver reads it";
    EXPECT_FALSE(check("http://2130706433/"));
    EXPECT_FALSE(check("ftp://example.org/"));
    EXPECT_FALSE(check("nonsense"));
    EXPECT_TRUE(check("http://192.0.2.1/hook"));
    EXPECT_TRUE(check("http://no-such-host.invalid/")) << "judged again at each connection";
    EXPECT_TRUE(check("http://127.0.0.1:9/", {"127.0.0.1"}));
    EXPECT_TRUE(check("http://localhost:9/", {"localhost"}));
}

TEST(OutboundRules, hold_for_the_address_that_is_connected_to)
{
    TestPeer peer{[](int, TestPeer::Link& link) {
        link.request();
        link.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }};
    HttpClientOptions options;
    options.rules = std::make_shared<const OutboundRules>(rules());
    auto strict = HttpClient::create(options).value();
    const auto refused = run_to_end(strict.send({.url = peer.url("/", "localhost")}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::denied);
    EXPECT_EQ(peer.connections(), 0);
    options.rules = std::make_shared<const OutboundRules>(rules({"127.0.0.0/8"}));
    auto open = HttpClient::create(options).value();
    EXPECT_EQ(run_to_end(open.send({.url = peer.url()})).value().status, 200U);
}

TEST(OutboundRules, a_long_answer_can_be_cut)
{
    TestPeer peer{[](int, TestPeer::Link& link) {
        link.request();
        link.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        const std::string chunk = "1000\r\n" + std::string(4096, 'x') + "\r\n";
        for (int i = 0; i < 1000; ++i) link.say(chunk);
    }};
    HttpClientOptions options;
    options.longest_body = 10'000;
    options.cut_long_bodies = true;
    auto client = HttpClient::create(options).value();
    const auto answer = run_to_end(client.send({.url = peer.url()})).value();
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body.size(), 10'000U);
}

TEST(OutboundRules, close_private_networks_where_asked_but_for_those_that_are_listed)
{
    const auto open = OutboundRules::parse({"10.1.0.0/16"}).value();
    const auto closed = open.without_private_networks();
    for (const auto* text :
         {"10.2.0.1",
          "172.16.0.1",
          "172.31.255.255",
          "192.168.1.1",
          "100.64.0.1",
          "fc00::1",
          "fd12::1",
          "::ffff:10.2.0.1",
          "64:ff9b::10.2.0.1",
          "2002:c0a8:101::"}) {
        EXPECT_TRUE(open.allows("x", Address::parse(text).value())) << text;
        EXPECT_FALSE(closed.allows("x", Address::parse(text).value())) << text;
    }
    for (const auto* text : {"10.1.0.1", "172.32.0.1", "192.169.1.1", "100.128.0.1", "203.0.113.1", "2001:db8::1"})
        EXPECT_TRUE(closed.allows("x", Address::parse(text).value())) << text;
    EXPECT_FALSE(closed.allows("x", Address::parse("127.0.0.1").value()));
}

}  // namespace
}  // namespace entrepot

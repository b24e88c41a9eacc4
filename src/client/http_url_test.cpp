#include "client/http_url.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(HttpUrl, takes_addresses_apart)
{
    const auto url = parse_http_url("HTTPS://Registry.Example:8443/a/b?c=d#e").value();
    EXPECT_TRUE(url.tls);
    EXPECT_EQ(url.host, "registry.example");
    EXPECT_EQ(url.port, 8443);
    EXPECT_EQ(url.target, "/a/b?c=d");
    EXPECT_EQ(url.authority(), "registry.example:8443");
    EXPECT_EQ(parse_http_url("http://a").value().text(), "http://a/");
    EXPECT_EQ(parse_http_url("http://a?x").value().target, "/?x");
    EXPECT_EQ(parse_http_url("https://a:443/").value().authority(), "a");
    const auto six = parse_http_url("http://[::1]:5000/v2/").value();
    EXPECT_EQ(six.host, "::1");
    EXPECT_EQ(six.authority(), "[::1]:5000");
}

TEST(HttpUrl, refuses_what_is_none)
{
    for (const auto* text :
         {"",
          "a",
          "/a",
          "ftp://a",
          "http://",
          "http://:80",
          "http://a:0",
          "http://a:65536",
          "http://a:b",
          "http://a:",
          "http://u:p@a/",
          "http://u@a/",
          "http://a b/",
          "http://a/b c",
          "http://a/\r\nX: y",
          "http://[::1",
          "http://[]",
          "http://[127.0.0.1]",
          "http://[host]:80/",
          "http://[::1]x",
          "http://a/\x7f"}) {
        EXPECT_FALSE(parse_http_url(text)) << text;
    }
}

TEST(HttpUrl, resolves_references)
{
    const auto base = parse_http_url("http://a:1/b/c?q").value();
    const auto resolved = [&base](std::string_view reference) {
        return resolve_http_url(base, reference).value().text();
    };
    EXPECT_EQ(resolved("https://x/y"), "https://x/y");
    EXPECT_EQ(resolved("//x/y"), "http://x/y");
    EXPECT_EQ(resolved("/y?z"), "http://a:1/y?z");
    EXPECT_EQ(resolved("d"), "http://a:1/b/d");
    EXPECT_EQ(resolved("../d"), "http://a:1/d");
    EXPECT_EQ(resolved("../../../d"), "http://a:1/d");
    EXPECT_EQ(resolved("./"), "http://a:1/b/");
    EXPECT_EQ(resolved("?r"), "http://a:1/b/c?r");
    EXPECT_EQ(resolved(""), "http://a:1/b/c?q");
    EXPECT_FALSE(resolve_http_url(base, "mailto:x"));
    EXPECT_FALSE(resolve_http_url(base, "/y z"));
}

}  // namespace
}  // namespace entrepot

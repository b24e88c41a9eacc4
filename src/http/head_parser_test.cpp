#include "http/head_parser.hpp"

#include "core/address.hpp"
#include "http/inbound_request.hpp"

#include <gtest/gtest.h>

namespace entrepot::http {
namespace {

struct Parsed {
    explicit Parsed(std::string_view text, std::size_t bytes = 32 * 1024, std::size_t count = 128)
        : parser{bytes, count}
    {
        state = parser.parse(text, request, framing);
    }

    CidrList trusted{{}};
    RequestIds ids{1, 1};
    InboundRequest request{Address{}, false, trusted, ids};
    Framing framing;
    HeadParser parser;
    HeadParser::State state;

    unsigned refused() const { return state == HeadParser::State::refused ? parser.refusal().status : 0; }
};

struct Case {
    const char* what;
    std::string text;
    unsigned status;
};

std::string with(const std::string& fields)
{
    return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

TEST(HeadParser, reads_a_plain_request)
{
    const Parsed parsed{"GET /v2/a/blobs/sha256:0?x=1&y HTTP/1.1\r\nHost: example.org:5000\r\nX-A:  b c\t \r\n\r\nrest"
    };
    ASSERT_EQ(parsed.state, HeadParser::State::complete);
    EXPECT_EQ(parsed.request.method, Method::get);
    EXPECT_EQ(parsed.request.path, "/v2/a/blobs/sha256:0");
    EXPECT_EQ(parsed.request.query, "x=1&y");
    EXPECT_EQ(parsed.request.header("x-a"), "b c");
    EXPECT_EQ(parsed.request.header("x-b"), std::nullopt);
    EXPECT_EQ(parsed.framing.authority, "example.org:5000");
    EXPECT_TRUE(parsed.framing.keep_alive);
    EXPECT_FALSE(parsed.framing.has_body());
}

TEST(HeadParser, leaves_what_follows_the_head)
{
    const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n";
    const Parsed parsed{head + "body"};
    EXPECT_EQ(parsed.parser.size(), head.size());
    EXPECT_EQ(parsed.framing.content_length, 4U);
    EXPECT_TRUE(parsed.framing.has_body());
}

TEST(HeadParser, refuses_what_could_be_read_in_two_ways)
{
    const Case cases[] = {
        {"bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
        {"bare LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
        {"bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
        {"CR without LF in a value", with("X: a\rb\r\n"), 400},
        {"CR without LF in the target", "GET /a\rb HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"CR CR LF", with("X: a\r\r\n"), 400},
        {"space before the colon", with("X : a\r\n"), 400},
        {"tab before the colon", with("X\t: a\r\n"), 400},
        {"folded field", with("X: a\r\n b\r\n"), 400},
        {"folded first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
        {"field without colon", with("X\r\n"), 400},
        {"field without name", with(": a\r\n"), 400},
        {"illegal field name", with("X(y): a\r\n"), 400},
        {"NUL in a value", with(std::string{"X: a\0b\r\n", 8}), 400},
        {"DEL in a value", with("X: a\x7f\r\n"), 400},
        {"escape in a value", with("X: a\x1b[0m\r\n"), 400},
        {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
        {"two Hosts", with("Host: a\r\n"), 400},
        {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
        {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
        {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
        {"Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"Host with a bad port", "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", 400},
        {"Host with a large port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400},
        {"Host with two colons", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400},
        {"Host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
        {"empty Content-Length", with("Content-Length:\r\n"), 400},
        {"signed Content-Length", with("Content-Length: +5\r\n"), 400},
        {"negative Content-Length", with("Content-Length: -5\r\n"), 400},
        {"hexadecimal Content-Length", with("Content-Length: 0x5\r\n"), 400},
        {"spaced Content-Length", with("Content-Length: 5 5\r\n"), 400},
        {"overflowing Content-Length", with("Content-Length: 18446744073709551616\r\n"), 400},
        {"Content-Length beyond 63 bits", with("Content-Length: 9223372036854775808\r\n"), 400},
        {"list of Content-Lengths", with("Content-Length: 5, 6\r\n"), 400},
        {"list of the same Content-Length", with("Content-Length: 5, 5\r\n"), 400},
        {"differing Content-Lengths", with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
        {"double Content-Length", with("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
        {"both lengths", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
        {"both lengths, other order", with("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), 400},
        {"unknown coding", with("Transfer-Encoding: gzip\r\n"), 501},
        {"unknown coding before chunked", with("Transfer-Encoding: gzip, chunked\r\n"), 501},
        {"identity", with("Transfer-Encoding: identity\r\n"), 501},
        {"chunked not last", with("Transfer-Encoding: chunked, gzip\r\n"), 400},
        {"chunked twice", with("Transfer-Encoding: chunked, chunked\r\n"), 400},
        {"chunked twice in two fields", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
        {"empty coding", with("Transfer-Encoding:\r\n"), 400},
        {"empty coding after chunked", with("Transfer-Encoding: chunked,\r\n"), 400},
        {"coding with a control character",
         with("Transfer-Encoding: \x0b"
              "chunked\r\n"),
         400},
        {"quoted coding", with("Transfer-Encoding: \"chunked\"\r\n"), 400},
        {"coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"unknown expectation", with("Expect: miracles\r\n"), 417},
        {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"HTTP/0.9 version", "GET / HTTP/0.9\r\n\r\n", 505},
        {"HTTP/3.0", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
        {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
        {"long version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
        {"no version", "GET /\r\n\r\n", 400},
        {"trailing space after the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
        {"two spaces before the target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"two spaces after the target", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"tab in the request line", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"space before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"illegal method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"long method", std::string(33, 'A') + " / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
        {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"fragment in the query", "GET /a?b#c HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"byte beyond ASCII in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"quote in the path", "GET /\" HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"backslash in the path", "GET /\\ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"NUL in the target", std::string{"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 29}, 400},
        {"relative target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"authority form", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"asterisk of GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"unknown scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"absolute form without authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"absolute form with a user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"absolute form without Host", "GET http://a/ HTTP/1.1\r\n\r\n", 400},
        {"many empty lines first", "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"bare LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"a TLS hello", "\x16\x03\x01\x02", 400},
        {"a long target", "GET /" + std::string(8 * 1024, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
        {"a target without end", "GET /" + std::string(9 * 1024, 'a'), 414},
        {"a large head", with("X: " + std::string(33 * 1024, 'a') + "\r\n"), 431},
        {"a head without end", "GET / HTTP/1.1\r\nX: " + std::string(33 * 1024, 'a'), 431},
    };
    for (const auto& each : cases) {
        EXPECT_EQ(Parsed{each.text}.refused(), each.status) << each.what;
    }
}

TEST(HeadParser, refuses_too_many_fields)
{
    EXPECT_EQ(Parsed(with("A: 1\r\nB: 2\r\n"), 1024, 3).state, HeadParser::State::complete);
    EXPECT_EQ(Parsed(with("A: 1\r\nB: 2\r\n"), 1024, 2).refused(), 431U);
}

TEST(HeadParser, accepts_what_is_legal_but_rare)
{
    const std::string legal[] = {
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [2001:db8::1]:5000\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a:\r\n\r\n",
        "GET / HTTP/1.9\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
        with("X:\r\n"),
        with("X: caf\xc3\xa9\r\n"),
        with("tRaNsFeR-eNcOdInG: CHUNKED\r\n"),
        with("Expect: 100-Continue\r\n"),
        with("Content-Length: 00\r\n"),
    };
    for (const auto& text : legal) EXPECT_EQ(Parsed{text}.state, HeadParser::State::complete) << text;
}

TEST(HeadParser, takes_the_authority_of_an_absolute_target)
{
    const Parsed parsed{"GET HTTP://real.example:80?q HTTP/1.1\r\nHost: other\r\n\r\n"};
    ASSERT_EQ(parsed.state, HeadParser::State::complete);
    EXPECT_EQ(parsed.framing.authority, "real.example:80");
    EXPECT_EQ(parsed.request.path, "/");
    EXPECT_EQ(parsed.request.query, "q");
}

TEST(HeadParser, knows_whether_the_connection_stays)
{
    EXPECT_TRUE(Parsed{with("")}.framing.keep_alive);
    EXPECT_FALSE(Parsed{with("Connection: x, Close\r\n")}.framing.keep_alive);
    EXPECT_FALSE(Parsed{"GET / HTTP/1.0\r\n\r\n"}.framing.keep_alive);
    EXPECT_TRUE(Parsed{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"}.framing.keep_alive);
    EXPECT_FALSE(Parsed{"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"}.framing.keep_alive);
}

TEST(HeadParser, comes_to_the_same_end_byte_by_byte)
{
    const auto text = "\r\n" + with("Content-Length: 3\r\nX: y\r\n");
    CidrList trusted{{}};
    RequestIds ids{1, 1};
    InboundRequest request{Address{}, false, trusted, ids};
    Framing framing;
    HeadParser parser{1024, 16};
    for (std::size_t size = 1; size < text.size(); ++size) {
        ASSERT_EQ(parser.parse(text.substr(0, size), request, framing), HeadParser::State::incomplete) << size;
    }
    ASSERT_EQ(parser.parse(text, request, framing), HeadParser::State::complete);
    EXPECT_EQ(parser.size(), text.size());
    EXPECT_EQ(framing.content_length, 3U);
}

}  // namespace
}  // namespace entrepot::http

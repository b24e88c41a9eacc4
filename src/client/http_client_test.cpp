#include "client/http_client.hpp"

#include "client/test_peer.hpp"
#include "core/run_to_end.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstring>
#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

namespace entrepot {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

Result<ClientResponse> ask(HttpClient& client, ClientRequest request)
{
    return run_to_end(client.send(std::move(request)));
}

// What open() gives, read on the loop that it was opened on.
Task<std::string> read_stream(HttpClient& client, ClientRequest request, std::optional<std::uint64_t> size)
{
    CO_TRY(auto stream, co_await client.open(std::move(request)));
    EXPECT_EQ(stream.body->size(), size);
    CO_TRY(auto text, co_await read_all(*stream.body, 100));
    CO_TRY(const auto rest, co_await read_all(*stream.body, 100));
    EXPECT_EQ(rest, "");
    co_return text;
}

// Whether the timer that cancels the exchange is what ended it; what was cancelled is waited for.
Task<bool> is_cancelled(HttpClient& client, ClientRequest request)
{
    using namespace asio::experimental::awaitable_operators;
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer{executor, milliseconds{20}};
    auto race = client.send(std::move(request)) || timer.async_wait(asio::use_awaitable);
    const auto first = co_await std::move(race);
    co_return first.index() == 1;
}

HttpClient make_client(HttpClientOptions options = {})
{
    return HttpClient::create(std::move(options)).value();
}

class Pieces final : public ByteSource {
public:
    Pieces(std::vector<std::string> pieces, std::optional<std::uint64_t> size) : pieces_{std::move(pieces)}, size_{size}
    {
    }
    std::optional<std::uint64_t> size() const override { return size_; }
    Task<std::size_t> read(std::span<std::byte> into) override
    {
        if (next_ == pieces_.size()) co_return std::size_t{0};
        const auto& piece = pieces_[next_++];
        std::memcpy(into.data(), piece.data(), piece.size());
        co_return piece.size();
    }

private:
    std::vector<std::string> pieces_;
    std::size_t next_ = 0;
    std::optional<std::uint64_t> size_;
};

TEST(HttpClient, sends_what_it_is_given_and_returns_what_it_gets)
{
    std::string seen;
    TestPeer peer{[&seen](int, TestPeer::Link& link) {
        seen = link.request();
        link.say("HTTP/1.1 201 Created\r\nLocation: /x\r\nContent-Length: 2\r\n\r\n{}");
    }};
    auto client = make_client();
    const auto answer =
        ask(client, {.method = "POST", .url = peer.url("/a?b"), .fields = {{"X-One", "1"}}, .body = "body"}).value();
    EXPECT_EQ(answer.status, 201U);
    EXPECT_EQ(answer.field("location"), "/x");
    EXPECT_EQ(answer.body, "{}");
    EXPECT_TRUE(seen.starts_with("POST /a?b HTTP/1.1\r\nHost: 127.0.0.1:"));
    EXPECT_NE(seen.find("\r\nX-One: 1\r\n"), seen.npos);
    EXPECT_NE(seen.find("\r\nContent-Length: 4\r\n"), seen.npos);
    EXPECT_TRUE(seen.ends_with("\r\n\r\nbody"));
}

TEST(HttpClient, uses_a_connection_again)
{
    TestPeer peer{[](int, TestPeer::Link& link) {
        while (!link.request().empty()) link.say(hello);
    }};
    {
        auto client = make_client();
        for (int count = 0; count < 3; ++count) EXPECT_EQ(ask(client, {.url = peer.url()}).value().body, "hello");
        EXPECT_EQ(peer.connections(), 1);
    }
    auto sparing = make_client({.most_idle = 0});
    for (int count = 0; count < 2; ++count) EXPECT_TRUE(ask(sparing, {.url = peer.url()}));
    EXPECT_EQ(peer.connections(), 3);
}

TEST(HttpClient, notices_that_a_resting_connection_was_closed)
{
    TestPeer peer{[](int, TestPeer::Link& link) {
        link.request();
        link.say(hello);
    }};
    auto client = make_client();
    for (int count = 0; count < 3; ++count) {
        EXPECT_EQ(ask(client, {.method = "POST", .url = peer.url()}).value().body, "hello");
        while (peer.ended() <= count) std::this_thread::yield();
    }
}

TEST(HttpClient, asks_again_where_a_resting_connection_dies_under_a_request_that_may_be_repeated)
{
    TestPeer peer{[](int number, TestPeer::Link& link) {
        link.request();
        link.say(hello);
        if (number == 0) link.request();  // and then closes without a word
    }};
    auto client = make_client();
    ASSERT_TRUE(ask(client, {.url = peer.url()}));
    EXPECT_EQ(ask(client, {.url = peer.url()}).value().body, "hello");
}

TEST(HttpClient, does_not_send_a_post_twice)
{
    TestPeer peer{[](int number, TestPeer::Link& link) {
        link.request();
        link.say(hello);
        if (number == 0) link.request();
    }};
    auto client = make_client();
    ASSERT_TRUE(ask(client, {.url = peer.url()}));
    EXPECT_EQ(ask(client, {.method = "POST", .url = peer.url()}).error().code(), Errc::connection_lost);
    EXPECT_EQ(peer.connections(), 1);
}

TEST(HttpClient, reads_chunks_and_bodies_that_end_with_the_connection)
{
    TestPeer peer{[](int, TestPeer::Link& link) {
        while (link.request().starts_with("GET /chunked"))
            link.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");
        link.say("HTTP/1.1 200 OK\r\n\r\nhello");
    }};
    auto client = make_client();
    EXPECT_EQ(ask(client, {.url = peer.url("/chunked")}).value().body, "hello");
    EXPECT_EQ(ask(client, {.url = peer.url("/chunked")}).value().body, "hello");
    EXPECT_EQ(peer.connections(), 1);
    EXPECT_EQ(ask(client, {.url = peer.url("/to-the-end")}).value().body, "hello");
    EXPECT_EQ(ask(client, {.url = peer.url("/to-the-end")}).value().body, "hello");
}

TEST(HttpClient, knows_answers_without_a_body)
{
    TestPeer peer{[](int, TestPeer::Link& link) {
        for (auto request = link.request(); !request.empty(); request = link.request()) {
            link.say(
                request.starts_with("HEAD")
                    ? "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
                    : "HTTP/1.1 204 No Content\r\n\r\n"
            );
        }
    }};
    auto client = make_client();
    const auto head = ask(client, {.method = "HEAD", .url = peer.url()}).value();
    EXPECT_EQ(head.status, 200U);
    EXPECT_EQ(head.field("content-length"), "99");
    EXPECT_EQ(ask(client, {.method = "DELETE", .url = peer.url()}).value().status, 204U);
    EXPECT_EQ(peer.connections(), 1);
}

TEST(HttpClient, streams_a_body_in_both_directions)
{
    std::string seen;
    TestPeer peer{[&seen](int, TestPeer::Link& link) {
        for (auto request = link.request(); !request.empty(); request = link.request()) {
            seen = request;
            link.say(hello);
        }
    }};
    auto client = make_client();
    Pieces unknown{{"ab", "cde"}, std::nullopt};
    const auto put = ask(client, {.method = "PUT", .url = peer.url(), .source = &unknown});
    ASSERT_TRUE(put);
    EXPECT_TRUE(seen.ends_with("\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"));
    Pieces known{{"ab", "cde"}, 5};
    ASSERT_TRUE(ask(client, {.method = "PUT", .url = peer.url(), .source = &known}));
    EXPECT_NE(seen.find("Content-Length: 5\r\n"), seen.npos);
    EXPECT_TRUE(seen.ends_with("\r\n\r\nabcde"));
    EXPECT_EQ(peer.connections(), 1);
    EXPECT_EQ(run_to_end(read_stream(client, {.url = peer.url()}, 5)).value(), "hello");
}

TEST(HttpClient, hears_who_refuses_a_long_body_before_its_end)
{
    TestPeer peer{[](int, TestPeer::Link& link) { link.say("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"); }};
    auto client = make_client();
    const auto answer = ask(client, {.method = "POST", .url = peer.url(), .body = std::string(32 << 20, 'x')});
    // Where the peer's reset overtakes its answer, there is nothing left to hear.
    if (answer)
        EXPECT_EQ(answer->status, 413U);
    else
        EXPECT_EQ(answer.error().code(), Errc::connection_lost);
}

TEST(HttpClient, gives_up_on_the_slow)
{
    TestPeer peer{[](int, TestPeer::Link& link) {
        const auto request = link.request();
        if (request.starts_with("GET /body")) link.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
        link.wait_for_the_end();
    }};
    auto client = make_client({.exchange_patience = milliseconds{50}, .idle_patience = milliseconds{50}});
    EXPECT_EQ(ask(client, {.url = peer.url("/head")}).error().code(), Errc::request_timeout);
    EXPECT_EQ(ask(client, {.url = peer.url("/body")}).error().code(), Errc::request_timeout);
    EXPECT_EQ(run_to_end(read_stream(client, {.url = peer.url("/body")}, 5)).error().code(), Errc::request_timeout);
}

TEST(HttpClient, gives_up_on_who_never_shakes_hands)
{
    TestPeer peer{[](int, TestPeer::Link& link) { link.wait_for_the_end(); }};
    auto client = make_client({.connect_patience = milliseconds{50}});
    auto url = peer.url();
    url.replace(0, 4, "https");
    EXPECT_EQ(ask(client, {.url = url}).error().code(), Errc::unavailable);
}

TEST(HttpClient, can_be_cancelled)
{
    TestPeer peer{[](int, TestPeer::Link& link) { link.wait_for_the_end(); }};
    auto client = make_client();
    EXPECT_TRUE(run_to_end(is_cancelled(client, {.url = peer.url()})).value());
}

TEST(HttpClient, refuses_what_is_cut_off_or_no_http)
{
    TestPeer peer{[](int, TestPeer::Link& link) {
        const auto request = link.request();
        if (request.starts_with("GET /length")) link.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
        if (request.starts_with("GET /chunked"))
            link.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe");
        if (request.starts_with("GET /head")) link.say("HTTP/1.1 200 OK\r\nContent-");
        if (request.starts_with("GET /noise")) link.say("SSH-2.0-OpenSSH_9\r\n\r\n");
    }};
    auto client = make_client();
    for (const auto* path : {"/length", "/chunked", "/head", "/noise", "/silence"}) {
        const auto answer = ask(client, {.url = peer.url(path)});
        ASSERT_FALSE(answer) << path;
        EXPECT_EQ(answer.error().code(), Errc::connection_lost) << path;
    }
}

TEST(HttpClient, refuses_the_huge)
{
    TestPeer peer{[](int, TestPeer::Link& link) {
        const auto request = link.request();
        const std::string chunk = "400\r\n" + std::string(1024, 'x') + "\r\n";
        if (request.starts_with("GET /length")) link.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\nhe");
        if (request.starts_with("GET /head"))
            link.say("HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x') + "\r\n\r\n");
        if (!request.starts_with("GET /chunked")) return link.wait_for_the_end();
        link.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int count = 0; count < 8; ++count) link.say(chunk);
        link.wait_for_the_end();
    }};
    auto client = make_client({.longest_body = 4096});
    EXPECT_EQ(ask(client, {.url = peer.url("/length")}).error().code(), Errc::payload_too_large);
    EXPECT_EQ(ask(client, {.url = peer.url("/chunked")}).error().code(), Errc::payload_too_large);
    EXPECT_EQ(ask(client, {.url = peer.url("/head")}).error().code(), Errc::connection_lost);
}

TEST(HttpClient, says_that_nobody_is_there)
{
    std::string url;
    {
        TestPeer peer{[](int, TestPeer::Link&) {}};
        url = peer.url();
    }
    auto client = make_client();
    const auto answer = ask(client, {.url = url});
    EXPECT_EQ(answer.error().code(), Errc::unavailable);
    EXPECT_NE(answer.error().message().find("refused"), std::string::npos) << answer.error().message();
}

TEST(HttpClient, sends_nothing_that_would_break_the_framing)
{
    TestPeer peer{[](int, TestPeer::Link& link) { link.wait_for_the_end(); }};
    auto client = make_client();
    for (const auto& request : std::vector<ClientRequest>{
             {.url = "nonsense"},
             {.url = peer.url("/a b")},
             {.url = peer.url("/\r\nX: y")},
             {.method = "GET /x HTTP/1.1\r\nX:", .url = peer.url()},
             {.url = peer.url(), .fields = {{"X: y\r\nZ", "1"}}},
             {.url = peer.url(), .fields = {{"X", "1\r\nZ: 2"}}},
         }) {
        EXPECT_EQ(ask(client, request).error().code(), Errc::bad_request) << request.url;
    }
}

TEST(HttpClient, follows_redirects_with_credentials_only_to_the_same_origin)
{
    std::string other_saw;
    TestPeer other{[&other_saw](int, TestPeer::Link& link) {
        other_saw = link.request();
        link.say(hello);
    }};
    std::vector<std::string> saw;
    TestPeer peer{[&](int, TestPeer::Link& link) {
        for (auto request = link.request(); !request.empty(); request = link.request()) {
            saw.push_back(request);
            const auto to = request.starts_with("GET /first") ? std::string{"second"} : other.url("/third");
            link.say("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + to + "\r\n\r\n");
        }
    }};
    auto client = make_client();
    const auto answer =
        ask(client,
            {.url = peer.url("/first"),
             .fields = {{"authorization", "Basic x"}, {"Cookie", "a=b"}, {"X-Key", "k", true}, {"X-Plain", "p"}}});
    ASSERT_EQ(saw.size(), 2U);
    EXPECT_NE(saw[1].find("GET /second"), std::string::npos);
    EXPECT_NE(saw[1].find("Basic x"), std::string::npos);
    EXPECT_EQ(answer.value().url, other.url("/third"));
    EXPECT_EQ(other_saw.find("Basic x"), std::string::npos);
    EXPECT_EQ(other_saw.find("a=b"), std::string::npos);
    EXPECT_EQ(other_saw.find("X-Key"), std::string::npos);
    EXPECT_NE(other_saw.find("X-Plain: p"), std::string::npos);
}

TEST(HttpClient, stops_following_in_time)
{
    int count = 0;
    TestPeer peer{[&count](int, TestPeer::Link& link) {
        for (auto request = link.request(); !request.empty(); request = link.request()) {
            ++count;
            const auto status = request.starts_with("POST /kept") ? "307" : "302";
            link.say("HTTP/1.1 " + std::string{status} + " Go\r\nContent-Length: 0\r\nLocation: /again\r\n\r\n");
        }
    }};
    auto client = make_client({.most_redirects = 3});
    EXPECT_EQ(ask(client, {.url = peer.url()}).error().code(), Errc::unavailable);
    EXPECT_EQ(count, 4);
    EXPECT_EQ(ask(client, {.method = "POST", .url = peer.url()}).value().status, 302U);
    EXPECT_EQ(ask(client, {.method = "POST", .url = peer.url("/kept")}).value().status, 302U);
    auto none = make_client({.most_redirects = 0});
    EXPECT_EQ(ask(none, {.url = peer.url()}).error().code(), Errc::unavailable);
}

class HttpClientTls : public testing::Test {
protected:
    HttpClientTls() { std::filesystem::create_directories(directory); }
    ~HttpClientTls() override { std::filesystem::remove_all(directory); }

    boost::asio::ssl::context serve_as(const std::string& name)
    {
        write_certificate(file(name), name);
        boost::asio::ssl::context context{boost::asio::ssl::context::tls_server};
        context.use_certificate_chain_file(file(name));
        context.use_private_key_file(file(name), boost::asio::ssl::context::pem);
        return context;
    }
    std::string file(const std::string& name) const { return (directory / (name + ".pem")).string(); }

    const std::filesystem::path directory =
        std::filesystem::temp_directory_path() / ("entrepot-client-" + std::to_string(::getpid()));
};

TEST_F(HttpClientTls, trusts_the_authorities_it_is_given_and_no_others)
{
    auto context = serve_as("localhost");
    TestPeer peer{
        [](int, TestPeer::Link& link) {
            while (!link.request().empty()) link.say(hello);
        },
        &context
    };
    const auto url = peer.url("/", "localhost");
    {
        auto client = make_client({.ca_file = file("localhost")});
        for (int count = 0; count < 3; ++count) EXPECT_EQ(ask(client, {.url = url}).value().body, "hello");
        EXPECT_EQ(peer.connections(), 1);
    }
    auto strict = make_client();
    const auto refused = ask(strict, {.url = url});
    EXPECT_EQ(refused.error().code(), Errc::unavailable);
    EXPECT_NE(refused.error().message().find("certificate"), std::string::npos) << refused.error().message();
    auto careless = make_client({.insecure = true});
    EXPECT_EQ(ask(careless, {.url = url}).value().body, "hello");
}

TEST_F(HttpClientTls, wants_the_name_it_asked_for)
{
    auto context = serve_as("elsewhere.example");
    TestPeer peer{[](int, TestPeer::Link& link) { link.wait_for_the_end(); }, &context};
    auto client = make_client({.ca_file = file("elsewhere.example")});
    EXPECT_EQ(ask(client, {.url = peer.url("/", "localhost")}).error().code(), Errc::unavailable);
    EXPECT_EQ(ask(client, {.url = peer.url("/")}).error().code(), Errc::unavailable);
}

TEST_F(HttpClientTls, does_not_go_from_https_to_http)
{
    TestPeer plain{[](int, TestPeer::Link& link) { link.wait_for_the_end(); }};
    auto context = serve_as("localhost");
    const auto to = plain.url();
    TestPeer peer{
        [to](int, TestPeer::Link& link) {
            link.request();
            link.say("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + to + "\r\n\r\n");
        },
        &context
    };
    auto client = make_client({.ca_file = file("localhost")});
    EXPECT_EQ(ask(client, {.url = peer.url("/", "localhost")}).error().code(), Errc::unavailable);
    EXPECT_EQ(plain.connections(), 0);
}

TEST_F(HttpClientTls, says_that_a_ca_file_is_none)
{
    EXPECT_EQ(HttpClient::create({.ca_file = file("missing")}).error().code(), Errc::bad_request);
}

TEST(HttpClient, gives_a_redirect_as_an_answer_where_it_is_not_to_follow)
{
    TestPeer peer{[](int, TestPeer::Link& link) {
        link.request();
        link.say("HTTP/1.1 307 Elsewhere\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n");
    }};
    auto client = make_client();
    const auto answer = ask(client, {.url = peer.url(), .follow = false}).value();
    EXPECT_EQ(answer.status, 307U);
    EXPECT_EQ(answer.field("location"), "http://elsewhere.example/");
}

TEST(HttpClient, gives_a_long_body_a_deadline_for_each_piece)
{
    TestPeer peer{[](int, TestPeer::Link& link) {
        link.request();
        link.say(hello);
    }};
    // All of it takes longer than an exchange may; no piece does.
    class Slow final : public ByteSource {
    public:
        std::optional<std::uint64_t> size() const override { return 4; }
        Task<std::size_t> read(std::span<std::byte> into) override
        {
            if (left_ == 0) co_return std::size_t{0};
            asio::steady_timer timer{co_await asio::this_coro::executor, milliseconds{150}};
            co_await timer.async_wait(asio::use_awaitable);
            --left_;
            into[0] = std::byte{'x'};
            co_return std::size_t{1};
        }

    private:
        int left_ = 4;
    };
    Slow body;
    auto client = make_client({.exchange_patience = milliseconds{300}, .idle_patience = milliseconds{300}});
    EXPECT_EQ(ask(client, {.method = "PUT", .url = peer.url(), .source = &body}).value().body, "hello");
}

}  // namespace
}  // namespace entrepot

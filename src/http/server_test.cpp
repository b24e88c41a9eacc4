#include "http/server_fixture.hpp"

#include <future>
#include <thread>
#include <vector>

#include <sys/resource.h>
#include <sys/socket.h>

namespace entrepot::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view get_hot = "GET /hot HTTP/1.1\r\nHost: a\r\n\r\n";

bool can_connect(std::uint16_t port)
{
    try {
        const RawClient client{port};
        return true;
    } catch (const std::runtime_error&) {
        return false;
    }
}

TEST_F(ServerTest, answers_and_keeps_the_connection)
{
    serve();
    RawClient client{port()};
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(client.send(get_hot));
        const auto answer = client.read_answer();
        EXPECT_EQ(answer.status, 200U);
        EXPECT_EQ(answer.body, "hot");
        EXPECT_TRUE(answer.has("\r\nDate: "));
        EXPECT_FALSE(answer.has("Connection"));
    }
    const auto counters = server->counters();
    EXPECT_EQ(counters.requests, 3U);
    EXPECT_EQ(counters.answers[2], 3U);
    EXPECT_EQ(counters.connections_open, 1U);
}

TEST_F(ServerTest, answers_pipelined_requests_in_order)
{
    serve();
    RawClient client{port()};
    std::string all;
    for (int i = 0; i < 100; ++i) {
        const auto n = std::to_string(i);
        all += i % 3 == 0 ? "PUT /p" + n + " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok"
               : i % 3 == 1
                   ? "PUT /p" + n + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
                   : std::string{get_hot};
    }
    ASSERT_TRUE(client.send(all));
    for (int i = 0; i < 100; ++i) {
        const auto answer = client.read_answer();
        ASSERT_EQ(answer.status, 200U) << i;
        if (i % 3 == 2) {
            EXPECT_EQ(answer.body, "hot");
        } else {
            EXPECT_EQ(answer.body, "ok");
            EXPECT_TRUE(answer.has("X-Path: /p" + std::to_string(i) + "\r\n"));
        }
    }
}

TEST_F(ServerTest, speaks_http_1_0)
{
    serve();
    RawClient once{port()};
    once.send("GET /hot HTTP/1.0\r\n\r\n");
    EXPECT_TRUE(once.read_answer().has("Connection: close\r\n"));
    EXPECT_TRUE(once.ended());
    RawClient often{port()};
    for (int i = 0; i < 2; ++i) {
        often.send("GET /hot HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_TRUE(often.read_answer().has("Connection: keep-alive\r\n"));
    }
}

TEST_F(ServerTest, closes_when_asked)
{
    serve();
    RawClient client{port()};
    client.send("GET /hot HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(client.read_answer().has("Connection: close\r\n"));
    EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, sends_no_body_for_head_and_204)
{
    serve();
    RawClient client{port()};
    client.send("HEAD /memory?100 HTTP/1.1\r\nHost: a\r\n\r\nGET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    client.send(get_hot);
    EXPECT_TRUE(client.read_answer(true).has("Content-Length: 100\r\n"));
    const auto none = client.read_answer();
    EXPECT_EQ(none.status, 204U);
    EXPECT_FALSE(none.has("Content-Length"));
    EXPECT_EQ(client.read_answer().body, "hot");
}

TEST_F(ServerTest, invites_the_body_when_the_handler_reads_it)
{
    serve();
    RawClient client{port()};
    client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 100U);
    client.send("hello");
    EXPECT_EQ(client.read_answer().body, "hello");
    client.send("PUT /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 413U);
    EXPECT_TRUE(answer.has("Connection: close\r\n"));
    RawClient other{port()};
    other.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 200-ok\r\n\r\n");
    EXPECT_EQ(other.read_answer().status, 417U);
}

TEST_F(ServerTest, echoes_a_large_chunked_body)
{
    serve();
    RawClient client{port()};
    const auto& content = handler.file_content();
    auto sender = std::async(std::launch::async, [&] {
        client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (std::size_t at = 0, size = 1; at < content.size(); at += size, size = size % 70'000 * 7 + 1) {
            size = std::min(size, content.size() - at);
            char line[32];
            std::snprintf(line, sizeof line, "%zx;x=y\r\n", size);
            client.send(line + content.substr(at, size) + "\r\n");
        }
        client.send("0\r\nTrailer: x\r\n\r\n" + std::string{get_hot});
    });
    const auto answer = client.read_answer();
    sender.get();
    EXPECT_EQ(answer.status, 200U);
    EXPECT_TRUE(answer.body == content);
    EXPECT_EQ(client.read_answer().body, "hot");
}

TEST_F(ServerTest, sends_a_file_whole)
{
    serve();
    RawClient client{port()};
    client.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n" + std::string{get_hot});
    EXPECT_TRUE(client.read_answer().body == handler.file_content().substr(1));
    EXPECT_EQ(client.read_answer().body, "hot");
}

TEST_F(ServerTest, sends_much_memory_whole)
{
    serve();
    RawClient client{port()};
    client.send("GET /memory?20000000 HTTP/1.1\r\nHost: a\r\n\r\n" + std::string{get_hot});
    EXPECT_EQ(client.read_answer().body, std::string(20'000'000, 'm'));
    EXPECT_EQ(client.read_answer().body, "hot");
}

TEST_F(ServerTest, refuses_and_closes_but_lets_the_answer_be_read)
{
    serve();
    for (const std::string_view bad : {"GET / HTTP/1.1\n\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/3.0\r\n\r\n"}) {
        RawClient client{port()};
        client.send(std::string{bad} + std::string(100'000, 'x'));
        const auto answer = client.read_answer();
        EXPECT_TRUE(answer.status == 400 || answer.status == 505) << answer.status;
        EXPECT_TRUE(answer.has("Connection: close\r\n"));
        EXPECT_EQ(answer.body.substr(0, 20), R"({"errors":[{"code":")");
        client.shut();
        EXPECT_TRUE(client.ended());
    }
    EXPECT_EQ(server->counters().bad_requests, 3U);
}

TEST_F(ServerTest, refuses_a_malformed_chunk)
{
    serve();
    RawClient client{port()};
    client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokX\r\n");
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 400U);
    EXPECT_EQ(answer.body, "bad_request");
    EXPECT_TRUE(answer.has("Connection: close\r\n"));
}

TEST_F(ServerTest, reads_over_a_short_body_nobody_wanted)
{
    serve();
    RawClient client{port()};
    client.send("PUT /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 413U);
    client.send(std::string(200'000, 'x') + std::string{get_hot});
    EXPECT_EQ(client.read_answer().body, "hot");
}

TEST_F(ServerTest, closes_instead_of_reading_over_a_long_body)
{
    serve();
    RawClient client{port()};
    client.send("PUT /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n");
    client.send(std::string(1'000'000, 'x'));
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 413U);
    EXPECT_TRUE(answer.has("Connection: close\r\n"));
    client.shut();
    EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, answers_an_exception_with_500_and_goes_on)
{
    serve();
    RawClient client{port()};
    client.send("GET /throw HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.read_answer();
    EXPECT_EQ(answer.status, 500U);
    EXPECT_EQ(answer.body.find("as asked"), std::string::npos);
    client.send(get_hot);
    EXPECT_EQ(client.read_answer().body, "hot");
}

TEST_F(ServerTest, serves_a_half_closed_client)
{
    serve();
    RawClient client{port()};
    client.send(std::string{get_hot} + "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok");
    client.shut();
    EXPECT_EQ(client.read_answer().body, "hot");
    EXPECT_EQ(client.read_answer().body, "ok");
    EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, takes_heads_byte_by_byte_and_beyond_the_small_buffer)
{
    serve();
    RawClient client{port()};
    for (const char c : get_hot) client.send({&c, 1});
    EXPECT_EQ(client.read_answer().body, "hot");
    client.send("GET /hot HTTP/1.1\r\nHost: a\r\nX: " + std::string(30'000, 'x') + "\r\n\r\n" + std::string{get_hot});
    EXPECT_EQ(client.read_answer().body, "hot");
    EXPECT_EQ(client.read_answer().body, "hot");
    client.send("GET /hot HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 431U);
}

TEST_F(ServerTest, cuts_heads_that_do_not_end)
{
    HttpLimits limits;
    limits.header_timeout = 1s;
    limits.idle_timeout = 1s;
    serve(limits);
    RawClient begun{port()};
    RawClient silent{port()};
    RawClient idle{port()};
    begun.send("GET / HTTP/1.1\r\nHo");
    idle.send(get_hot);
    EXPECT_EQ(idle.read_answer().body, "hot");
    EXPECT_EQ(begun.read_answer().status, 408U);
    EXPECT_TRUE(silent.ended());
    EXPECT_TRUE(idle.ended());
}

TEST_F(ServerTest, cuts_bodies_and_readers_that_are_too_slow)
{
    serve();
    RawClient writer{port()};
    writer.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nfew");
    RawClient reader{port(), 8 * 1024};
    reader.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = writer.read_answer();
    EXPECT_EQ(answer.status, 408U);
    EXPECT_EQ(answer.body, "request_timeout");
    writer.shut();
    const auto until = clock.steady() + 30s;
    while (server->counters().connections_open > 0 && clock.steady() < until) std::this_thread::sleep_for(50ms);
    EXPECT_EQ(server->counters().connections_open, 0U);
    EXPECT_LT(reader.read_answer().body.size(), TestHandler::file_size - 1);
}

TEST_F(ServerTest, refuses_requests_beyond_the_bound)
{
    HttpLimits limits;
    limits.requests_in_flight = 1;
    serve(limits);
    RawClient first{port()};
    first.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(first.read_answer().status, 100U);
    RawClient second{port()};
    second.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nno" + std::string{get_hot});
    const auto answer = second.read_answer();
    EXPECT_EQ(answer.status, 503U);
    EXPECT_TRUE(answer.has("Retry-After: 1\r\n"));
    EXPECT_EQ(second.read_answer().body, "hot");
    first.send("ok");
    EXPECT_EQ(first.read_answer().body, "ok");
}

TEST_F(ServerTest, refuses_connections_beyond_the_bound)
{
    HttpLimits limits;
    limits.connections_per_client = 2;
    serve(limits);
    RawClient first{port()};
    first.send(get_hot);
    EXPECT_EQ(first.read_answer().body, "hot");
    auto second = std::make_unique<RawClient>(port());
    second->send(get_hot);
    EXPECT_EQ(second->read_answer().body, "hot");
    RawClient third{port()};
    EXPECT_EQ(third.read_answer().status, 503U);
    EXPECT_EQ(server->counters().connections_refused, 1U);
    second.reset();
    const auto until = clock.steady() + 10s;
    while (server->counters().connections_open > 1 && clock.steady() < until) std::this_thread::yield();
    RawClient fourth{port()};
    fourth.send(get_hot);
    EXPECT_EQ(fourth.read_answer().body, "hot");
}

TEST_F(ServerTest, heeds_trusted_proxies)
{
    constexpr std::string_view request =
        "GET /origin HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\r\n";
    serve();
    RawClient believed{port()};
    believed.send(request);
    EXPECT_EQ(believed.read_answer().body, "9.9.9.9 https a");
    HttpLimits limits;
    limits.trusted_proxies.clear();
    server->stop();
    serve(limits);
    RawClient foreign{port()};
    foreign.send(request);
    EXPECT_EQ(foreign.read_answer().body, "127.0.0.1 http a");
}

TEST_F(ServerTest, sends_at_the_listeners_rate)
{
    serve({}, {}, 4'000'000);
    RawClient client{port()};
    const auto before = clock.steady();
    client.send("GET /memory?2000000 HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read_answer().body.size(), 2'000'000U);
    // The bucket holds a tenth of a second's worth; a machine that is busy only makes it slower.
    EXPECT_GT(clock.steady() - before, 300ms);
}

TEST_F(ServerTest, drains_idle_connections_at_once_and_lets_transfers_finish)
{
    serve();
    RawClient idle{port()};
    idle.send(get_hot);
    EXPECT_EQ(idle.read_answer().body, "hot");
    RawClient down{port(), 64 * 1024};
    down.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto first = down.read_exactly(1000);
    RawClient up{port()};
    up.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(up.read_answer().status, 100U);
    auto drained = std::async(std::launch::async, [&] { server->drain(10s, 60s); });
    EXPECT_TRUE(idle.ended());
    while (can_connect(port())) {
    }
    up.send("0123456789");
    const auto answer = up.read_answer();
    EXPECT_EQ(answer.body, "0123456789");
    EXPECT_TRUE(answer.has("Connection: close\r\n"));
    const auto head = first.find("\r\n\r\n") + 4;
    const auto rest = down.read_exactly(TestHandler::file_size - 1 - (first.size() - head));
    EXPECT_TRUE(first.substr(head) + rest == handler.file_content().substr(1));
    drained.get();
    EXPECT_EQ(server->counters().connections_open, 0U);
}

TEST_F(ServerTest, drain_cuts_what_stands_still)
{
    serve();
    RawClient stuck{port(), 8 * 1024};
    stuck.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(stuck.read_exactly(15), "HTTP/1.1 200 OK");
    server->drain(1s, 60s);
    EXPECT_EQ(server->counters().connections_open, 0U);
}

TEST_F(ServerTest, stops_with_requests_in_hand)
{
    serve();
    RawClient client{port()};
    client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 100U);
    server->stop();
    server.reset();
    EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, serves_two_thousand_connections)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    serve();
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 2000; ++i) clients.push_back(std::make_unique<RawClient>(port()));
    for (const auto& client : clients) client->send(get_hot);
    for (const auto& client : clients) ASSERT_EQ(client->read_answer().body, "hot");
    EXPECT_EQ(server->counters().connections_open, 2000U);
}

TEST_F(ServerTest, does_not_share_a_taken_port)
{
    serve();
    ListenerOptions same;
    same.address = "127.0.0.1";
    same.port = port();
    EXPECT_THROW((HttpServer{{same}, {}, clock, 1}), std::system_error);
}

TEST_F(ServerTest, listens_on_an_interface_by_name)
{
    ListenerOptions options;
    options.address = "lo";
    options.handler = &handler;
    server = std::make_unique<HttpServer>(std::vector{options}, HttpLimits{}, clock, 1);
    server->start();
    RawClient client{port()};
    client.send(get_hot);
    EXPECT_EQ(client.read_answer().body, "hot");
    options.address = "no-such-interface";
    EXPECT_THROW((HttpServer{{options}, {}, clock, 1}), std::runtime_error);
}

}  // namespace
}  // namespace entrepot::http

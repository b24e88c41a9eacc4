#include "http/server_fixture.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <cstring>
#include <functional>
#include <thread>

namespace entrepot::http {
namespace {

using namespace std::chrono_literals;

bool eventually(const std::function<bool()>& condition)
{
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(2ms);
    return condition();
}

// What a stream went through.
struct Story {
    std::atomic<int> reads = 0;
    std::atomic<int> stops = 0;
    std::atomic<bool> gone = false;
};

// Says "piece N;" so often, and then ends, waits for ever, or fails.
class Pieces final : public StreamedBody {
public:
    enum class End { ends, waits, fails };
    Pieces(Story& story, int count, End end, std::string piece, const asio::any_io_executor& loop)
        : story_{story}, left_{count}, end_{end}, piece_{std::move(piece)}, timer_{loop}
    {
    }
    ~Pieces() override { story_.gone = true; }

    Task<std::size_t> read(std::span<std::byte> into) override
    {
        ++story_.reads;
        if (left_ > 0 && !stopped_) {
            --left_;
            std::memcpy(into.data(), piece_.data(), piece_.size());
            co_return piece_.size();
        }
        if (end_ == End::fails) co_return fail(Errc::internal, "as asked");
        if (end_ == End::waits && !stopped_) {
            timer_.expires_after(1h);
            boost::system::error_code woken;
            co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        }
        co_return std::size_t{0};
    }
    void stop() noexcept override
    {
        ++story_.stops;
        stopped_ = true;
        timer_.cancel();
    }

private:
    Story& story_;
    int left_;
    End end_;
    std::string piece_;
    asio::steady_timer timer_;
    bool stopped_ = false;
};

// GET /ends, /waits, /fails: three pieces first. /floods: pieces without an end.
class StreamHandler final : public Handler {
public:
    std::optional<Response> peek(const Request&) noexcept override { return std::nullopt; }
    asio::awaitable<Response> handle(const Request& request, ByteSource&) override
    {
        const auto loop = co_await asio::this_coro::executor;
        Response response;
        if (request.path == "/floods") {
            response.body = std::make_shared<Pieces>(story, 1 << 30, Pieces::End::ends, std::string(16'384, 'x'), loop);
        } else {
            const auto end = request.path == "/ends"    ? Pieces::End::ends
                             : request.path == "/waits" ? Pieces::End::waits
                                                        : Pieces::End::fails;
            response.body = std::make_shared<Pieces>(story, 3, end, "piece;", loop);
        }
        co_return response;
    }
    Story story;
};

class ServerStreamTest : public testing::Test {
protected:
    void serve(HttpLimits limits = {})
    {
        ListenerOptions listener;
        listener.name = "test";
        listener.address = "127.0.0.1";
        listener.handler = &handler;
        server = std::make_unique<HttpServer>(std::vector{std::move(listener)}, std::move(limits), clock, 1);
        server->start();
    }
    void TearDown() override
    {
        if (server) server->stop();
        server.reset();
    }
    static std::string get(std::string_view path, std::string_view version = "1.1")
    {
        return "GET " + std::string{path} + " HTTP/" + std::string{version} + "\r\nHost: a\r\n\r\n";
    }
    // The head, up to and with its empty line.
    static std::string head_of(RawClient& client)
    {
        std::string head;
        while (!head.ends_with("\r\n\r\n")) {
            const auto byte = client.read_exactly(1);
            if (byte.empty()) return head + "(ended)";
            head += byte;
        }
        return head;
    }

    SystemClock clock;
    StreamHandler handler;
    std::unique_ptr<HttpServer> server;
};

TEST_F(ServerStreamTest, a_streamed_body_is_sent_in_chunks_and_ends_the_connection)
{
    serve();
    RawClient client{server->port(0)};
    ASSERT_TRUE(client.send(get("/ends")));
    const auto head = head_of(client);
    EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos) << head;
    EXPECT_NE(head.find("Connection: close\r\n"), std::string::npos) << head;
    EXPECT_EQ(head.find("Content-Length"), std::string::npos) << head;
    const std::string chunk = "6\r\npiece;\r\n";
    const auto whole = chunk + chunk + chunk + "0\r\n\r\n";
    EXPECT_EQ(client.read_exactly(whole.size()), whole);
    EXPECT_TRUE(client.ended());
    EXPECT_TRUE(eventually([&] { return handler.story.gone.load(); }));
}

TEST_F(ServerStreamTest, an_older_client_gets_it_up_to_the_end_of_the_connection)
{
    serve();
    RawClient client{server->port(0)};
    ASSERT_TRUE(client.send(get("/ends", "1.0")));
    EXPECT_EQ(head_of(client).find("Transfer-Encoding"), std::string::npos);
    EXPECT_EQ(client.read_exactly(18), "piece;piece;piece;");
    EXPECT_TRUE(client.ended());
}

TEST_F(ServerStreamTest, what_there_is_arrives_while_more_is_waited_for)
{
    serve();
    RawClient client{server->port(0)};
    ASSERT_TRUE(client.send(get("/waits")));
    head_of(client);
    EXPECT_EQ(client.read_exactly(33), "6\r\npiece;\r\n6\r\npiece;\r\n6\r\npiece;\r\n");
    EXPECT_EQ(handler.story.stops, 0);
    EXPECT_FALSE(handler.story.gone);
}

TEST_F(ServerStreamTest, a_client_that_leaves_ends_the_stream_that_waits)
{
    serve();
    {
        RawClient client{server->port(0)};
        ASSERT_TRUE(client.send(get("/waits")));
        head_of(client);
        client.read_exactly(33);
    }
    EXPECT_TRUE(eventually([&] { return handler.story.gone.load(); }));
    EXPECT_GE(handler.story.stops, 1);
    EXPECT_TRUE(eventually([&] { return server->counters().connections_open == 0; }));
}

TEST_F(ServerStreamTest, a_body_that_fails_is_seen_to_be_cut_off)
{
    serve();
    RawClient client{server->port(0)};
    ASSERT_TRUE(client.send(get("/fails")));
    head_of(client);
    EXPECT_EQ(client.read_exactly(33), "6\r\npiece;\r\n6\r\npiece;\r\n6\r\npiece;\r\n");
    EXPECT_EQ(client.read_exactly(5), "") << "no last chunk";
    EXPECT_TRUE(client.ended());
}

TEST_F(ServerStreamTest, nothing_is_read_ahead_for_a_client_that_takes_nothing)
{
    HttpLimits limits;
    limits.least_body_rate = 0;
    serve(limits);
    RawClient client{server->port(0), 4096};
    ASSERT_TRUE(client.send(get("/floods")));
    head_of(client);
    int before = -1;
    EXPECT_TRUE(eventually([&] {
        const int now = handler.story.reads;
        std::this_thread::sleep_for(50ms);
        return std::exchange(before, now) == now && handler.story.reads == now;
    }));
    EXPECT_LT(handler.story.reads, 2'000) << "the socket's buffers hold no more";
    const int full = handler.story.reads;
    client.read_exactly(8'000'000);
    EXPECT_TRUE(eventually([&] { return handler.story.reads > full; })) << "it goes on when there is room";
}

TEST_F(ServerStreamTest, draining_ends_streams_in_good_order)
{
    serve();
    RawClient client{server->port(0)};
    ASSERT_TRUE(client.send(get("/waits")));
    head_of(client);
    client.read_exactly(33);
    std::thread drain{[&] { server->drain(5s, 10s); }};
    EXPECT_EQ(client.read_exactly(5), "0\r\n\r\n");
    EXPECT_TRUE(client.ended());
    client.shut();
    drain.join();
    EXPECT_TRUE(handler.story.gone);
}

TEST_F(ServerStreamTest, asked_for_the_head_alone_nothing_is_streamed)
{
    serve();
    RawClient client{server->port(0)};
    ASSERT_TRUE(client.send("HEAD /waits HTTP/1.1\r\nHost: a\r\n\r\n" + get("/ends")));
    EXPECT_NE(head_of(client).find("200 OK"), std::string::npos);
    EXPECT_NE(head_of(client).find("200 OK"), std::string::npos) << "the next request is answered";
}

}  // namespace
}  // namespace entrepot::http

#include "http/server_fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <functional>
#include <thread>

#include <sys/mman.h>
#include <unistd.h>

namespace entrepot::http {
namespace {

using namespace std::chrono_literals;

struct ArrivingStory {
    std::atomic<int> parts = 0;
    std::atomic<int> stops = 0;
    std::atomic<bool> gone = false;
};

// A body of 3,000,000 bytes in parts of 700,000, from memory and from a file in turn; it may fail in the middle, or
// have to be waited for.
class Arriving final : public ArrivingBody {
public:
    enum class Kind { whole, fails, waits };
    Arriving(ArrivingStory& story, Kind kind, std::shared_ptr<const std::string> bytes)
        : story_{story}, kind_{kind}, bytes_{std::move(bytes)}
    {
        const int file = ::memfd_create("arriving", 0);
        EXPECT_EQ(::write(file, bytes_->data(), bytes_->size()), static_cast<ssize_t>(bytes_->size()));
        file_ = std::make_shared<const OpenFile>(file);
    }
    ~Arriving() override { story_.gone = true; }

    std::uint64_t length() const noexcept override { return bytes_->size(); }
    Task<Part> part(std::uint64_t offset) override
    {
        ++story_.parts;
        if (kind_ == Kind::fails && offset > 1'000'000) co_return fail(Errc::unavailable, "as asked");
        while (kind_ == Kind::waits && offset > 1'000'000 && !stopped_) {
            asio::steady_timer timer{co_await asio::this_coro::executor, 20ms};
            co_await timer.async_wait(asio::use_awaitable);
        }
        if (stopped_) co_return fail(Errc::cancelled, "stopped");
        const auto length = std::min<std::uint64_t>(700'000, bytes_->size() - offset);
        if (story_.parts % 2 == 0) co_return FileRange{file_, offset, length};
        co_return MemoryRange{bytes_, static_cast<std::size_t>(offset), static_cast<std::size_t>(length)};
    }
    void stop() noexcept override
    {
        ++story_.stops;
        stopped_ = true;
    }

private:
    ArrivingStory& story_;
    const Kind kind_;
    const std::shared_ptr<const std::string> bytes_;
    std::shared_ptr<const OpenFile> file_;
    bool stopped_ = false;
};

class ArrivingHandler final : public Handler {
public:
    std::optional<Response> peek(const Request&) noexcept override { return std::nullopt; }
    asio::awaitable<Response> handle(const Request& request, ByteSource&) override
    {
        const auto kind = request.path == "/whole"   ? Arriving::Kind::whole
                          : request.path == "/fails" ? Arriving::Kind::fails
                                                     : Arriving::Kind::waits;
        Response response;
        response.body = std::make_shared<Arriving>(story, kind, bytes);
        co_return response;
    }
    std::shared_ptr<const std::string> bytes = [] {
        std::string text(3'000'000, '\0');
        for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 + i / 4096);
        return std::make_shared<const std::string>(std::move(text));
    }();
    ArrivingStory story;
};

class ServerArrivingTest : public testing::Test {
protected:
    ServerArrivingTest()
    {
        ListenerOptions listener;
        listener.name = "test";
        listener.address = "127.0.0.1";
        listener.handler = &handler;
        server = std::make_unique<HttpServer>(std::vector{std::move(listener)}, HttpLimits{}, clock, 1);
        server->start();
    }
    ~ServerArrivingTest() override
    {
        server->stop();
        server.reset();
    }
    static std::string get(std::string_view path)
    {
        return "GET " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n\r\n";
    }
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
    static bool eventually(const std::function<bool()>& condition)
    {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(2ms);
        return condition();
    }

    SystemClock clock;
    ArrivingHandler handler;
    std::unique_ptr<HttpServer> server;
};

TEST_F(ServerArrivingTest, what_arrives_is_sent_with_its_length_and_ends_the_connection)
{
    RawClient client{server->port(0)};
    ASSERT_TRUE(client.send(get("/whole")));
    const auto head = head_of(client);
    EXPECT_NE(head.find("Content-Length: 3000000\r\n"), std::string::npos) << head;
    EXPECT_EQ(head.find("Transfer-Encoding"), std::string::npos) << head;
    EXPECT_NE(head.find("Connection: close\r\n"), std::string::npos) << head;
    EXPECT_EQ(client.read_exactly(3'000'000), *handler.bytes);
    EXPECT_TRUE(client.ended());
    EXPECT_TRUE(eventually([&] { return handler.story.gone.load(); }));
}

TEST_F(ServerArrivingTest, a_failure_on_the_way_is_seen_to_be_cut_off)
{
    RawClient client{server->port(0)};
    ASSERT_TRUE(client.send(get("/fails")));
    head_of(client);
    EXPECT_EQ(client.read_exactly(1'400'000), handler.bytes->substr(0, 1'400'000));
    EXPECT_EQ(client.read_exactly(1), "");
    EXPECT_TRUE(client.ended());
}

TEST_F(ServerArrivingTest, asked_for_the_head_alone_nothing_is_waited_for)
{
    RawClient client{server->port(0)};
    ASSERT_TRUE(client.send("HEAD /waits HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_NE(head_of(client).find("Content-Length: 3000000\r\n"), std::string::npos);
    EXPECT_EQ(handler.story.parts, 0);
    ASSERT_TRUE(client.send(get("/whole")));
    EXPECT_NE(head_of(client).find("200 OK"), std::string::npos) << "the next request is answered";
    EXPECT_EQ(client.read_exactly(3'000'000).size(), 3'000'000U);
}

TEST_F(ServerArrivingTest, a_client_that_leaves_ends_the_wait)
{
    {
        RawClient client{server->port(0)};
        ASSERT_TRUE(client.send(get("/waits")));
        head_of(client);
        EXPECT_EQ(client.read_exactly(1'400'000).size(), 1'400'000U);
        EXPECT_FALSE(handler.story.gone);
    }
    EXPECT_TRUE(eventually([&] { return handler.story.gone.load(); }));
    EXPECT_GE(handler.story.stops, 1);
    EXPECT_TRUE(eventually([&] { return server->counters().connections_open == 0; }));
}

}  // namespace
}  // namespace entrepot::http

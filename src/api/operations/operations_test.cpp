#include "api/operations/operations.hpp"

#include "api/operations/http_metrics.hpp"

#include <atomic>
#include <exception>
#include <memory>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

namespace entrepot {
namespace {

using std::chrono::milliseconds;

class PlainRequest final : public Request {
public:
    PlainRequest(Method verb, std::string_view target)
    {
        method = verb;
        path = target;
    }
    const Origin& origin() const override { return origin_; }
    const std::string& request_id() const override { return id_; }

private:
    Origin origin_;
    std::string id_;
};

// Answers as told, and counts how often it is asked.
class FakePart : public CatalogHealth, public BlobStoreHealth {
public:
    Task<> probe() override
    {
        ++asked;
        if (hangs) {
            asio::steady_timer for_ever{co_await asio::this_coro::executor, std::chrono::hours{1}};
            co_await for_ever.async_wait(asio::use_awaitable);
        }
        if (throws) throw std::runtime_error{"unexpected"};
        if (broken) co_return fail(Errc::unavailable, "the database does not answer", "password=secret");
        co_return Result<>{};
    }

    int asked = 0;
    bool broken = false;
    bool throws = false;
    bool hangs = false;
};

class MovedClock final : public Clock {
public:
    Micros now() const noexcept override { return 0; }
    std::chrono::steady_clock::time_point steady() const noexcept override { return time; }

    std::chrono::steady_clock::time_point time{std::chrono::hours{1}};
};

asio::awaitable<void> answer(OperationsHandler* handler, Method method, std::string path, Response* into)
{
    const PlainRequest request{method, path};
    *into = co_await handler->handle(request);
}

asio::awaitable<void> drain(OperationsHandler* handler)
{
    co_await handler->drain(milliseconds{50});
}

class Operations : public testing::Test {
protected:
    Response ask(std::string path, Method method = Method::get)
    {
        Response response;
        spawn(answer(&handler, method, std::move(path), &response));
        run();
        return response;
    }

    static std::string body(const Response& response) { return std::get<std::string>(response.body); }

    void spawn(asio::awaitable<void> work)
    {
        asio::co_spawn(io, std::move(work), [this](const std::exception_ptr& thrown) {
            --pending_;
            if (thrown) std::rethrow_exception(thrown);
        });
        ++pending_;
    }

    void run()
    {
        io.restart();
        while (pending_ > 0) io.run_one();
    }

    FakePart catalog;
    FakePart store;
    MovedClock clock;
    asio::io_context io;
    OperationsHandler handler{catalog, store, clock, [](MetricsText& metrics) {
                                  HttpCounters counters;
                                  counters.answers[2] = 7;
                                  add_http_metrics(metrics, counters);
                              }};

private:
    int pending_ = 0;
};

TEST_F(Operations, lives_while_everything_else_fails)
{
    catalog.broken = store.broken = true;
    const auto response = ask("/healthz");
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(body(response), "ok\n");
    EXPECT_EQ(catalog.asked, 0);
}

TEST_F(Operations, is_ready_when_database_and_store_answer)
{
    EXPECT_EQ(ask("/readyz").status, 200U);
    EXPECT_EQ(catalog.asked, 1);
    EXPECT_EQ(store.asked, 1);
}

TEST_F(Operations, names_what_fails_and_keeps_the_detail_to_itself)
{
    catalog.broken = true;
    const auto response = ask("/readyz");
    EXPECT_EQ(response.status, 503U);
    EXPECT_EQ(
        body(response),
        R"({"status":"unavailable","failures":[{"part":"database","message":"the database does not answer"}]})"
    );
    EXPECT_NE(response.headers.find("Retry-After: "), std::string::npos);
}

TEST_F(Operations, answers_when_a_probe_throws)
{
    store.throws = true;
    const auto response = ask("/readyz");
    EXPECT_EQ(response.status, 503U);
    EXPECT_NE(body(response).find(R"("part":"store")"), std::string::npos);
}

TEST_F(Operations, asks_again_only_after_a_second)
{
    ask("/readyz");
    catalog.broken = true;
    clock.time += milliseconds{999};
    EXPECT_EQ(ask("/readyz").status, 200U);
    clock.time += milliseconds{1};
    EXPECT_EQ(ask("/readyz").status, 503U);
    EXPECT_EQ(catalog.asked, 2);
}

TEST_F(Operations, gives_up_on_a_probe_that_hangs_and_does_not_start_another)
{
    catalog.hangs = true;
    Response first;
    spawn(answer(&handler, Method::get, "/readyz", &first));
    for (int step = 0; step < 10; ++step) io.run_one();
    clock.time += milliseconds{3'000};
    run();
    EXPECT_EQ(first.status, 503U);
    EXPECT_NE(body(first).find("does not answer"), std::string::npos);
    EXPECT_EQ(ask("/readyz").status, 503U);
    EXPECT_EQ(catalog.asked, 1);
    spawn(drain(&handler));
    run();
}

TEST_F(Operations, shares_one_probe_among_many_requests)
{
    Response responses[8];
    for (auto& response : responses) spawn(answer(&handler, Method::get, "/readyz", &response));
    run();
    for (const auto& response : responses) EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(catalog.asked, 1);
}

TEST_F(Operations, prints_the_metrics_of_process_and_others)
{
    const auto response = ask("/metrics");
    EXPECT_EQ(response.status, 200U);
    EXPECT_NE(response.headers.find("text/plain; version=0.0.4"), std::string::npos);
    EXPECT_NE(body(response).find("process_resident_memory_bytes "), std::string::npos);
    EXPECT_NE(body(response).find("entrepot_http_requests_total{class=\"2xx\"} 7\n"), std::string::npos);
}

TEST_F(Operations, answers_head_with_the_length_and_no_body)
{
    const auto response = ask("/healthz", Method::head);
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.announced_length, 3U);
    EXPECT_EQ(response.body_length(), 0U);
}

TEST_F(Operations, refuses_other_methods_and_paths)
{
    const auto posted = ask("/metrics", Method::post);
    EXPECT_EQ(posted.status, 405U);
    EXPECT_NE(posted.headers.find("Allow: GET, HEAD\r\n"), std::string::npos);
    EXPECT_EQ(ask("/metrics/").status, 404U);
}

}  // namespace
}  // namespace entrepot

#include "core/within.hpp"

#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// Has no default, as most of our values.
struct Number {
    explicit Number(int given) : value{given} {}
    int value;
};

// Counts the frames that are alive: a cancelled task must leave none.
struct Alive {
    explicit Alive(int* counter) : counter_{counter} { ++*counter_; }
    ~Alive() { --*counter_; }
    Alive(const Alive&) = delete;
    Alive& operator=(const Alive&) = delete;

private:
    int* counter_;
};

Task<Number> at_once()
{
    co_return Number{7};
}

Task<Number> refusing()
{
    co_return fail(Errc::denied, "no");
}

Task<Number> throwing()
{
    throw std::runtime_error{"unexpected"};
    co_return Number{0};
}

Task<Number> for_hours(int* alive)
{
    const Alive here{alive};
    asio::steady_timer timer{co_await asio::this_coro::executor, 1h};
    co_await timer.async_wait(asio::use_awaitable);
    co_return Number{0};
}

asio::awaitable<void> keep(Task<Number> task, std::optional<Result<Number>>* into)
{
    into->emplace(co_await std::move(task));
}

Result<Number> run(Task<Number> task)
{
    asio::io_context io;
    std::optional<Result<Number>> result;
    std::exception_ptr failure;
    asio::co_spawn(io, keep(std::move(task), &result), [&](const std::exception_ptr& thrown) { failure = thrown; });
    io.run();
    if (failure) std::rethrow_exception(failure);
    return *std::move(result);
}

TEST(Within, gives_the_result_of_a_task_in_time)
{
    EXPECT_EQ(run(within(1h, at_once()))->value, 7);
}

TEST(Within, passes_an_error_and_an_exception_on)
{
    EXPECT_EQ(run(within(1h, refusing())).error().code(), Errc::denied);
    EXPECT_THROW(run(within(1h, throwing())), std::runtime_error);
}

TEST(Within, cancels_a_task_that_takes_too_long)
{
    int alive = 0;
    const auto result = run(within(1ms, for_hours(&alive)));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().code(), Errc::unavailable);
    EXPECT_EQ(alive, 0);
}

TEST(Within, nests)
{
    int alive = 0;
    EXPECT_EQ(run(within(1h, within(1ms, for_hours(&alive)))).error().code(), Errc::unavailable);
    EXPECT_EQ(run(within(1ms, within(1h, for_hours(&alive)))).error().code(), Errc::unavailable);
    EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace entrepot

#include "core/task_group.hpp"

#include "core/log.hpp"
#include "core/task.hpp"

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

asio::awaitable<void> count_up(std::atomic<int>* counter)
{
    ++*counter;
    co_return;
}

// Notices a polite request between two units of work, and finishes the one it is at.
asio::awaitable<void> polite(std::atomic<int>* finished)
{
    const auto heeded = [](asio::cancellation_type type) { return type & asio::cancellation_type::total; };
    co_await asio::this_coro::reset_cancellation_state(heeded);
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto state = co_await asio::this_coro::cancellation_state;
    asio::steady_timer timer{co_await asio::this_coro::executor};
    while (state.cancelled() == asio::cancellation_type::none) {
        timer.expires_after(1ms);
        boost::system::error_code ignored;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    ++*finished;
}

// By default a coroutine heeds terminal cancellation alone.
asio::awaitable<void> stubborn()
{
    asio::steady_timer timer{co_await asio::this_coro::executor, 1h};
    co_await timer.async_wait(asio::use_awaitable);
}

// Heeds nothing until it is let go.
asio::awaitable<void> deaf(std::atomic<bool>* let_go)
{
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    asio::steady_timer timer{co_await asio::this_coro::executor};
    while (!*let_go) {
        timer.expires_after(1ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> failing()
{
    throw std::runtime_error{"it broke"};
    co_return;
}

asio::awaitable<void> drain(TaskGroup* group, std::chrono::milliseconds patience, std::size_t* left)
{
    *left = co_await group->drain(patience);
}

void start(asio::any_io_executor where, asio::awaitable<void> work)
{
    asio::co_spawn(where, std::move(work), [](const std::exception_ptr& thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
}

TEST(TaskGroup, runs_what_it_is_given_and_forgets_it)
{
    asio::io_context io;
    TaskGroup group;
    std::atomic<int> counter{0};
    for (int task = 0; task < 10; ++task) EXPECT_TRUE(group.spawn(io.get_executor(), count_up(&counter)));
    EXPECT_EQ(group.size(), 10U);
    io.run();
    EXPECT_EQ(counter, 10);
    EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, drains_at_once_when_it_is_empty)
{
    asio::io_context io;
    TaskGroup group;
    std::size_t left = 99;
    start(io.get_executor(), drain(&group, 1h, &left));
    io.run();
    EXPECT_EQ(left, 0U);
}

TEST(TaskGroup, waits_for_polite_children_and_insists_with_the_others)
{
    asio::io_context io;
    TaskGroup group;
    std::atomic<int> finished{0};
    for (int child = 0; child < 5; ++child) {
        group.spawn(io.get_executor(), polite(&finished));
        group.spawn(io.get_executor(), stubborn());
    }
    std::size_t left = 99;
    start(io.get_executor(), drain(&group, 20ms, &left));
    io.run();
    EXPECT_EQ(left, 0U);
    EXPECT_EQ(finished, 5);
}

TEST(TaskGroup, tells_how_many_heed_nothing)
{
    asio::io_context io;
    std::atomic<bool> let_go{false};
    std::size_t left = 0;
    TaskGroup group;
    group.spawn(io.get_executor(), deaf(&let_go));
    start(io.get_executor(), drain(&group, 5ms, &left));
    while (left == 0) io.run_one();
    EXPECT_EQ(left, 1U);
    let_go = true;
    io.run();
    EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, takes_no_more_once_it_drains)
{
    asio::io_context io;
    TaskGroup group;
    std::size_t left = 99;
    start(io.get_executor(), drain(&group, 1h, &left));
    io.run();
    std::atomic<int> counter{0};
    EXPECT_FALSE(group.spawn(io.get_executor(), count_up(&counter)));
    io.restart();
    io.run();
    EXPECT_EQ(counter, 0);
}

TEST(TaskGroup, outlives_a_child_that_ends_after_it)
{
    asio::io_context io;
    std::atomic<bool> let_go{true};
    {
        TaskGroup group;
        group.spawn(io.get_executor(), deaf(&let_go));
    }
    io.run();
}

TEST(TaskGroup, logs_an_exception_and_goes_on)
{
    asio::io_context io;
    TaskGroup group;
    group.spawn(io.get_executor(), failing());
    testing::internal::CaptureStderr();
    io.run();
    const auto text = testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find("it broke"), std::string::npos) << text;
    EXPECT_EQ(group.size(), 0U);
}

TEST(TaskGroup, serves_many_loops_at_once)
{
    asio::io_context io;
    TaskGroup group;
    std::atomic<int> counter{0};
    std::atomic<int> finished{0};
    std::size_t left = 99;
    auto work = asio::make_work_guard(io);
    {
        std::vector<std::jthread> loops;
        for (int loop = 0; loop < 3; ++loop) loops.emplace_back([&] { io.run(); });
        for (int child = 0; child < 300; ++child) {
            group.spawn(asio::make_strand(io), count_up(&counter));
            group.spawn(asio::make_strand(io), polite(&finished));
            if (child % 10 == 0) group.spawn(asio::make_strand(io), stubborn());
        }
        start(asio::make_strand(io), drain(&group, 200ms, &left));
        work.reset();
    }
    EXPECT_EQ(left, 0U);
    EXPECT_EQ(counter, 300);
    EXPECT_EQ(finished, 300);
}

// Says where it was left.
struct LeavingPlace {
    std::thread::id& place;
    ~LeavingPlace() { place = std::this_thread::get_id(); }
};

asio::awaitable<void> work_beside(asio::thread_pool* pool, std::future<void>* let_go, std::thread::id* left_at)
{
    const LeavingPlace leaving{*left_at};
    auto working = offload(*pool, [let_go] {
        let_go->get();
        return 1;
    });
    co_await std::move(working);
    auto more = offload(*pool, [] { return 2; });
    co_await std::move(more);
}

TEST(TaskGroup, ACoroutineWithWorkOnAPoolEndsAtHomeAlsoWhenItIsCancelledMeanwhile)
{
    asio::io_context io;
    asio::thread_pool pool{1};
    std::promise<void> go;
    auto let_go = go.get_future();
    std::thread::id left_at;
    TaskGroup group;
    group.spawn(io.get_executor(), work_beside(&pool, &let_go, &left_at));
    std::size_t left = 99;
    start(io.get_executor(), drain(&group, 1ms, &left));
    while (left == 99) io.run_one();
    EXPECT_EQ(left, 1U) << "the work goes on";
    go.set_value();
    io.run();
    EXPECT_EQ(left_at, std::this_thread::get_id());
    EXPECT_EQ(group.size(), 0U);
}

}  // namespace
}  // namespace entrepot

#pragma once

#include "core/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <vector>

namespace entrepot {

// Runs work(0) … work(count - 1), at most `most` of them at once, and waits for all that have begun. After a failure
// none begins any more; it is the answer. `work` returns a Task<>; all run on the caller's executor, which must not run
// two of its coroutines at the same time (a strand, or one thread).
template <class Work>
Task<> at_once(std::size_t count, std::size_t most, Work work)
{
    std::size_t next = 0;
    std::optional<Error> failure;
    const auto take_turns = [&]() -> asio::awaitable<void> {
        while (next < count && !failure) {
            auto done = co_await work(next++);
            if (!done && !failure) failure = std::move(done).error();
        }
    };
    const auto lanes = std::min(count, std::max<std::size_t>(most, 1));
    if (lanes <= 1) {
        co_await take_turns();
    } else {
        const auto home = co_await asio::this_coro::executor;
        std::vector<decltype(asio::co_spawn(home, take_turns(), asio::deferred))> running;
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            running.push_back(asio::co_spawn(home, take_turns(), asio::deferred));
        }
        auto group = asio::experimental::make_parallel_group(std::move(running));
        const auto [order, thrown] = co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
        for (const auto& exception : thrown) {
            if (exception) std::rethrow_exception(exception);
        }
    }
    if (failure) co_return std::unexpected{*std::move(failure)};
    co_return Result<>{};
}

}  // namespace entrepot

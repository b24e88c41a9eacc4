#pragma once

#include "core/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace entrepot {

namespace detail {
// Asio 1.81 spawns only what returns something default-constructible, so the root returns nothing.
template <class T>
asio::awaitable<void> store_result(std::optional<Result<T>>& slot, Task<T> task)
{
    slot.emplace(co_await std::move(task));
}
}  // namespace detail

// Runs a task to its end on a private loop of the calling thread and returns its result: for start-up, shutdown and
// tests, never on a serving loop. Rethrows what the task throws.
template <class T>
Result<T> run_to_end(Task<T> task)
{
    // One loop a thread and for ever: the thread that completes an awaited operation may still be inside post() when
    // the coroutine has gone on, so the loop must not die with this call.
    thread_local asio::io_context loop{1};
    loop.restart();
    std::optional<Result<T>> slot;
    std::exception_ptr thrown;
    asio::co_spawn(loop, detail::store_result(slot, std::move(task)), [&thrown](std::exception_ptr error) {
        thrown = error;
    });
    loop.run();
    if (thrown) std::rethrow_exception(thrown);
    return *std::move(slot);
}

}  // namespace entrepot

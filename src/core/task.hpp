#pragma once

#include "core/asio.hpp"
#include "core/error.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace entrepot {

// Work that suspends and may fail.
template <class T = void>
using Task = asio::awaitable<Result<T>>;

// Runs a blocking call (disk, SQL, password hashing) on `pool` and comes back to the caller's own executor, also
// when the work throws, and when the caller is cancelled meanwhile. The work must not return void; it owns what it
// captures.
template <class Work>
asio::awaitable<std::invoke_result_t<Work&>> offload(asio::thread_pool& pool, Work work)
{
    const auto home = co_await asio::this_coro::executor;
    std::optional<std::invoke_result_t<Work&>> value;
    std::exception_ptr thrown;
    // The coroutine itself stays at home: on the pool's thread a cancellation would change its state under it, and have
    // it go on there.
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        [&](auto handler) {
            asio::post(pool, [&value, &thrown, &work, home, handler = std::move(handler)]() mutable {
                try {
                    value.emplace(work());
                } catch (...) {
                    thrown = std::current_exception();
                }
                asio::post(home, std::move(handler));
            });
        },
        asio::use_awaitable
    );
    if (thrown) std::rethrow_exception(thrown);
    co_return *std::move(value);
}

}  // namespace entrepot

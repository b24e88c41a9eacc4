#pragma once

#include "core/asio.hpp"
#include "core/error.hpp"

#include <boost/asio/bind_executor.hpp>
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
// when the work throws. The work must not return void; it owns what it captures.
template <class Work>
asio::awaitable<std::invoke_result_t<Work&>> offload(asio::thread_pool& pool, Work work)
{
    const auto home = co_await asio::this_coro::executor;
    std::optional<std::invoke_result_t<Work&>> value;
    std::exception_ptr thrown;
    co_await asio::post(asio::bind_executor(pool, asio::use_awaitable));
    try {
        value.emplace(work());
    } catch (...) {
        thrown = std::current_exception();
    }
    co_await asio::post(asio::bind_executor(home, asio::use_awaitable));
    if (thrown) std::rethrow_exception(thrown);
    co_return *std::move(value);
}

}  // namespace entrepot

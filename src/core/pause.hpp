#pragma once

#include "core/asio.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace entrepot {

// Resumes after `time` on its caller's executor, at its next turn where none is left. Cancelled, it throws as Asio
// does.
inline asio::awaitable<void> pause(std::chrono::steady_clock::duration time)
{
    asio::steady_timer timer{co_await asio::this_coro::executor, time};
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace entrepot

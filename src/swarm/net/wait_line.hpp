#pragma once

#include "core/asio.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>

namespace entrepot {

// Where coroutines of one loop wait until something has changed. Who is woken looks again at what it waited for: a
// wake may come for somebody else's sake. Not safe across threads.
class WaitLine {
public:
    using Time = std::chrono::steady_clock::time_point;

    explicit WaitLine(asio::any_io_executor loop) : timer_{std::move(loop), Time::max()} {}

    // Until the next wake(), or until this time.
    asio::awaitable<void> wait(Time until = Time::max())
    {
        // Moving the timer wakes who waits already, so it is only moved forward.
        if (waiting_ == 0 || until < timer_.expiry()) timer_.expires_at(until);
        ++waiting_;
        boost::system::error_code ignored;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        --waiting_;
    }
    void wake() { timer_.cancel(); }

private:
    asio::steady_timer timer_;
    unsigned waiting_ = 0;
};

}  // namespace entrepot

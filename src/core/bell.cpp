#include "core/bell.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace entrepot {

// A coroutine that is destroyed while it waits takes its timer along: it must not outlive its loop here.
class Bell::Place {
public:
    Place(Bell& bell, Timer timer) : bell_{bell}, timer_{std::move(timer)} {}
    ~Place()
    {
        const std::lock_guard guard{bell_.mutex_};
        std::erase(bell_.waiting_, timer_);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

private:
    Bell& bell_;
    const Timer timer_;
};

std::uint64_t Bell::rung() const noexcept
{
    const std::lock_guard guard{mutex_};
    return rung_;
}

asio::awaitable<void> Bell::wait(std::uint64_t heard, std::chrono::steady_clock::duration patience)
{
    const auto timer = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor, patience);
    {
        const std::lock_guard guard{mutex_};
        if (rung_ != heard) co_return;
        waiting_.push_back(timer);
    }
    const Place place{*this, timer};
    boost::system::error_code woken;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

void Bell::ring()
{
    const std::lock_guard guard{mutex_};
    ++rung_;
    // A timer belongs to its loop.
    for (auto& timer : waiting_) asio::post(timer->get_executor(), [timer] { timer->cancel(); });
    waiting_.clear();
}

}  // namespace entrepot

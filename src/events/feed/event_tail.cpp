#include "events/feed/event_tail.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr std::int64_t read_at_once = 1'000;

}  // namespace

asio::awaitable<bool> EventWaiter::wait_until(std::chrono::steady_clock::time_point time)
{
    if (!rung_) {
        timer_.expires_at(time);
        boost::system::error_code woken;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    co_return std::exchange(rung_, false);
}

void EventWaiter::wake()
{
    if (waking_.exchange(true)) return;
    asio::post(timer_.get_executor(), [self = shared_from_this()] {
        self->waking_ = false;
        self->rung_ = true;
        self->timer_.cancel();
    });
}

Task<> EventTail::follow()
{
    CO_TRY(const auto settled, co_await log_.settle());
    std::int64_t at = 0;
    bool first_look = false;
    {
        const std::scoped_lock lock{mutex_};
        // What happened before the start is read from the log by those who want it.
        first_look = range_.newest < 0;
        if (first_look) range_.newest = settled.newest;
        range_.oldest = settled.oldest;
        at = range_.newest;
    }
    // Its events may have had no numbers until now.
    if (first_look) wake_all();
    while (at < settled.newest) {
        CO_TRY(auto events, co_await log_.read(at, read_at_once));
        if (events.empty()) break;
        at = events.back().sequence;
        take(std::move(events));
    }
    co_return Result<>{};
}

void EventTail::take(std::vector<Event> events)
{
    {
        const std::scoped_lock lock{mutex_};
        for (auto& event : events) {
            // Behind by more than is kept for anybody, some may have been removed unread.
            if (event.sequence != range_.newest + 1) kept_.clear();
            range_.newest = event.sequence;
            kept_.push_back(std::make_shared<const Event>(std::move(event)));
        }
        while (kept_.size() > most_kept) kept_.pop_front();
    }
    wake_all();
}

void EventTail::wake_all()
{
    std::vector<std::shared_ptr<EventWaiter>> awake;
    {
        const std::scoped_lock lock{mutex_};
        std::erase_if(waiters_, [](const auto& waiter) { return waiter.expired(); });
        for (const auto& waiter : waiters_) {
            if (auto living = waiter.lock()) awake.push_back(std::move(living));
        }
    }
    for (const auto& waiter : awake) waiter->wake();
}

void EventTail::join(const std::shared_ptr<EventWaiter>& waiter)
{
    const std::scoped_lock lock{mutex_};
    waiters_.push_back(waiter);
}

EventRange EventTail::range() const
{
    const std::scoped_lock lock{mutex_};
    return {range_.oldest, std::max<std::int64_t>(range_.newest, 0)};
}

// nullopt: the memory does not reach back so far.
std::optional<std::vector<EventPtr>> EventTail::peek(std::int64_t after, std::size_t limit) const
{
    const std::scoped_lock lock{mutex_};
    const auto missing = std::max<std::int64_t>(range_.newest - after, 0);
    if (range_.newest < 0 || missing > static_cast<std::int64_t>(kept_.size())) return std::nullopt;
    const auto first = kept_.end() - missing;
    const auto count = std::min(static_cast<std::size_t>(missing), limit);
    return std::vector<EventPtr>(first, first + static_cast<std::ptrdiff_t>(count));
}

Task<std::vector<EventPtr>> EventTail::read(std::int64_t after, std::size_t limit)
{
    if (auto near = peek(after, limit)) co_return *std::move(near);
    CO_TRY(auto events, co_await log_.read(after, static_cast<std::int64_t>(limit)));
    std::vector<EventPtr> found;
    found.reserve(events.size());
    for (auto& event : events) found.push_back(std::make_shared<const Event>(std::move(event)));
    co_return found;
}

}  // namespace entrepot

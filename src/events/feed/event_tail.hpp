#pragma once

#include "core/task.hpp"
#include "ports/event_log.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace entrepot {

using EventPtr = std::shared_ptr<const Event>;

// Somebody who waits for events on a loop of their own. wake() is safe from any thread, all else is the loop's.
class EventWaiter : public std::enable_shared_from_this<EventWaiter> {
public:
    explicit EventWaiter(const asio::any_io_executor& loop) : timer_{loop} {}

    // Until woken, or the time has come: false then. Woken meanwhile, at once.
    asio::awaitable<bool> wait_until(std::chrono::steady_clock::time_point time);
    void wake();

private:
    asio::steady_timer timer_;
    bool rung_ = false;
    std::atomic<bool> waking_ = false;
};

// This instance's end of the log: the newest events in memory (at most `most_kept`, some 600 bytes each), for those who
// follow closely. follow() is to be called every second and whenever something may have happened, by one at a time;
// everything else is safe from any thread.
class EventTail {
public:
    static constexpr std::size_t most_kept = 4'096;

    explicit EventTail(EventLog& log) : log_{log} {}

    Task<> follow();

    // What follow() has seen.
    EventRange range() const;
    // Those after `after`, at most `limit`: from memory where it reaches back so far, else from the log.
    Task<std::vector<EventPtr>> read(std::int64_t after, std::size_t limit);
    // Wakes this one whenever there is something new, for as long as it lives.
    void join(const std::shared_ptr<EventWaiter>& waiter);

private:
    std::optional<std::vector<EventPtr>> peek(std::int64_t after, std::size_t limit) const;
    void take(std::vector<Event> events);
    void wake_all();

    EventLog& log_;
    mutable std::mutex mutex_;
    EventRange range_{1, -1};    // newest is -1 before the first look
    std::deque<EventPtr> kept_;  // the last ones up to range_.newest, without a gap
    std::vector<std::weak_ptr<EventWaiter>> waiters_;
};

}  // namespace entrepot

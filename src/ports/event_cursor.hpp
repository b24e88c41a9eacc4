#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/event_log.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// How far a consumer has read the log of events. What events ask for goes into the transaction that moves its cursor in
// the log, so that of several instances one does it, once; where nothing is asked for the cursor is written every few
// seconds only. For one caller at a time; read() for anybody.
class EventCursor {
public:
    static constexpr std::int64_t events_at_once = 200;

    EventCursor(EventLog& log, const Clock& clock, std::string consumer)
        : log_{log}, clock_{clock}, consumer_{std::move(consumer)}
    {
    }

    // Up to where it has read; -1 before the first find().
    std::int64_t read() const noexcept { return read_.load(std::memory_order_relaxed); }
    // The same, from the log where it is not known, as when another instance was faster.
    Task<std::int64_t> find();

    // Moves it to `to`: by write(consumer, from), a Task<> whose transaction does so, if these events ask for something
    // (`asks`) or it is time to. Answers whether that was done here.
    template <class Write>
    Task<bool> move(std::int64_t to, bool asks, Write write);
    // The same where they ask for nothing.
    Task<> pass(std::int64_t to);

    // Reads all that has happened by now. policies() answers who asks for events, as a Task of a container, before each
    // page; take(to, events, policies), a Task<>, moves this cursor to `to`. Where nobody asks nothing is read.
    template <class Policies, class Take>
    Task<> follow(Policies policies, Take take);

private:
    bool worth_writing(std::int64_t to) const;
    void stands_at(std::int64_t to);

    EventLog& log_;
    const Clock& clock_;
    const std::string consumer_;
    std::int64_t written_ = -1;  // the cursor in the log; -1: unknown
    std::atomic<std::int64_t> read_{-1};
    std::chrono::steady_clock::time_point written_at_{};
};

template <class Write>
Task<bool> EventCursor::move(std::int64_t to, bool asks, Write write)
{
    if (!asks && !worth_writing(to)) {
        read_ = to;
        co_return false;
    }
    auto done = co_await write(consumer_, written_);
    // Another instance was faster, or nobody knows: the log does.
    if (!done) written_ = -1;
    if (!done && done.error().code() == Errc::conflict) co_return false;
    CO_CHECK(std::move(done));
    stands_at(to);
    co_return true;
}

template <class Policies, class Take>
Task<> EventCursor::follow(Policies policies, Take take)
{
    CO_TRY(const auto range, co_await log_.settle());
    while (true) {
        CO_TRY(const auto at, co_await find());
        if (at >= range.newest) co_return co_await pass(at);
        CO_TRY(const auto asking, co_await policies());
        if (asking.empty()) {
            CO_CHECK(co_await pass(range.newest));
            continue;
        }
        CO_TRY(auto events, co_await log_.read(at, events_at_once));
        if (events.empty()) co_return Result<>{};
        const auto to = events.back().sequence;
        CO_CHECK(co_await take(to, std::move(events), asking));
    }
}

}  // namespace entrepot

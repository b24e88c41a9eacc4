#pragma once

#include "core/task.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>

#include <memory>
#include <utility>

namespace entrepot {

// The far end of an awaited operation that another thread will complete (a writer thread, a sync group).
// complete() may be called once, from any thread; the waiting coroutine resumes on its own executor.
// A Completion that is destroyed without complete() leaves its coroutine waiting for ever: owners complete all.
template <class T>
class Completion {
public:
    using Handler = asio::any_completion_handler<void(std::shared_ptr<Result<T>>)>;

    Completion(asio::any_io_executor home, Handler handler) : home_{std::move(home)}, handler_{std::move(handler)} {}
    Completion(Completion&&) = default;
    // Assigning a handler of Boost 1.81 to another recurses without end, so it is made anew.
    Completion& operator=(Completion&& other) noexcept
    {
        if (this == &other) return *this;
        std::destroy_at(this);
        return *std::construct_at(this, std::move(other));
    }

    void complete(Result<T> result)
    {
        auto slot = std::make_shared<Result<T>>(std::move(result));
        asio::post(home_, [handler = std::move(handler_), slot = std::move(slot)]() mutable {
            std::move(handler)(std::move(slot));
        });
    }

private:
    asio::any_io_executor home_;
    Handler handler_;
};

// Suspends the calling coroutine, hands `start` a Completion<T>, and resumes with what it was completed with.
// `start` runs on the caller's thread before the suspension ends.
template <class T, class Start>
Task<T> completed_by(Start start)
{
    auto home = co_await asio::this_coro::executor;
    auto slot = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::shared_ptr<Result<T>>)>(
        [start = std::move(start), home](auto handler) mutable { start(Completion<T>{home, std::move(handler)}); },
        asio::use_awaitable
    );
    co_return std::move(*slot);
}

}  // namespace entrepot

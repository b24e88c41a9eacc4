#pragma once

#include "core/task.hpp"

#include <chrono>
#include <memory>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>

namespace entrepot {
namespace within_detail {

// What a task came to. Behind a pointer, because Asio wants results that have a default.
template <class T>
struct Outcome {
    std::optional<Result<T>> result;
    std::exception_ptr thrown;
};

template <class T>
asio::awaitable<std::shared_ptr<Outcome<T>>> outcome_of(Task<T> task)
{
    auto outcome = std::make_shared<Outcome<T>>();
    try {
        outcome->result.emplace(co_await std::move(task));
    } catch (...) {
        outcome->thrown = std::current_exception();
    }
    co_return outcome;
}

}  // namespace within_detail

// The task's result, or `unavailable` when it takes longer than `patience`. The task is cancelled then and waited for,
// so nothing is left behind; one that does not heed cancellation (offload, completed_by) makes its caller wait.
// A heavy header: include it in .cpp files alone.
template <class T>
Task<T> within(std::chrono::steady_clock::duration patience, Task<T> task)
{
    using namespace asio::experimental::awaitable_operators;
    const auto home = co_await asio::this_coro::executor;
    asio::steady_timer timer{home, patience};
    auto race = within_detail::outcome_of<T>(std::move(task)) || timer.async_wait(asio::use_awaitable);
    auto first = co_await std::move(race);
    if (first.index() != 0) co_return fail(Errc::unavailable, "that took too long");
    auto outcome = std::get<0>(std::move(first));
    if (outcome->thrown) std::rethrow_exception(outcome->thrown);
    co_return *std::move(outcome->result);
}

}  // namespace entrepot

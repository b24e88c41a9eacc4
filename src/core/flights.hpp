#pragma once

#include "core/bell.hpp"
#include "core/task.hpp"
#include "core/task_group.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace entrepot {

// Work that several wait for and that is done once: it runs on a loop or a pool of its own, whoever leaves. Safe from
// any thread.
template <class T>
class Flights {
public:
    struct Flight {
        Bell bell;
        std::mutex mutex;
        std::optional<Result<T>> outcome;
    };
    using FlightPtr = std::shared_ptr<Flight>;

    explicit Flights(asio::io_context& loop) : place_{[&loop] { return asio::any_io_executor{loop.get_executor()}; }} {}
    // Each on a strand of its own.
    explicit Flights(asio::thread_pool& pool)
        : place_{[&pool] { return asio::any_io_executor{asio::make_strand(pool.get_executor())}; }}
    {
    }

    // The one of this name that is under way, or a new one that does `work`.
    FlightPtr begin(const std::string& name, std::function<Task<T>()> work)
    {
        const std::lock_guard guard{mutex_};
        auto& place = running_[name];
        if (place) return place;
        auto flight = place = std::make_shared<Flight>();
        if (tasks_.spawn(place_(), fly(flight, name, std::move(work)))) return flight;
        running_.erase(name);
        flight->outcome = fail(Errc::unavailable, "the registry is stopping");
        return flight;
    }

    // nullopt after `patience`: it goes on.
    static asio::awaitable<std::optional<Result<T>>>
    wait(FlightPtr flight, std::chrono::steady_clock::duration patience)
    {
        const auto until = std::chrono::steady_clock::now() + patience;
        for (;;) {
            const auto heard = flight->bell.rung();
            {
                const std::lock_guard guard{flight->mutex};
                if (flight->outcome) co_return flight->outcome;
            }
            const auto left = until - std::chrono::steady_clock::now();
            if (left <= left.zero()) co_return std::nullopt;
            co_await flight->bell.wait(heard, left);
        }
    }

    asio::awaitable<void> drain() { (void)co_await tasks_.drain(std::chrono::seconds{2}); }

private:
    asio::awaitable<void> fly(FlightPtr flight, std::string name, std::function<Task<T>()> work)
    {
        Result<T> outcome = fail(Errc::unavailable, "the registry is stopping");
        try {
            outcome = co_await work();
        } catch (const std::exception& thrown) {
            outcome = fail(Errc::unavailable, "what was asked for could not be had", thrown.what());
        }
        {
            const std::lock_guard guard{mutex_};
            running_.erase(name);
        }
        {
            const std::lock_guard guard{flight->mutex};
            flight->outcome = std::move(outcome);
        }
        flight->bell.ring();
    }

    const std::function<asio::any_io_executor()> place_;
    std::mutex mutex_;
    std::map<std::string, FlightPtr> running_;
    TaskGroup tasks_;
};

}  // namespace entrepot

#include "api/operations/readiness.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <exception>

#include <boost/asio/steady_timer.hpp>

namespace entrepot {

Readiness::Readiness(std::vector<Part> parts, const Clock& clock, Limits limits) : clock_{clock}, limits_{limits}
{
    for (auto& part : parts)
        states_.push_back(State{.part = std::move(part), .running = false, .since = {}, .outcome = {}});
}

asio::awaitable<std::vector<Readiness::Failure>> Readiness::check()
{
    const auto home = co_await asio::this_coro::executor;
    start_where_stale(home);
    // Polled: there is no waiter that a hanging probe could strand, and nobody counts milliseconds here.
    asio::steady_timer pause{home};
    while (!settled()) {
        pause.expires_after(std::chrono::milliseconds{2});
        co_await pause.async_wait(asio::use_awaitable);
    }
    co_return failures();
}

void Readiness::start_where_stale(const asio::any_io_executor& where)
{
    const std::lock_guard lock{mutex_};
    const auto now = clock_.steady();
    for (std::size_t index = 0; index < states_.size(); ++index) {
        auto& state = states_[index];
        const bool stale = !state.outcome || now - state.since >= limits_.fresh;
        if (state.running || !stale) continue;
        if (!probes_.spawn(where, probe(index))) {
            state.outcome = fail(Errc::unavailable, "the server is shutting down");
            continue;
        }
        state.running = true;
        state.since = now;
    }
}

// Nothing runs but what is overdue.
bool Readiness::settled() const
{
    const std::lock_guard lock{mutex_};
    const auto now = clock_.steady();
    return std::ranges::none_of(states_, [&](const State& state) {
        return state.running && now - state.since < limits_.patience;
    });
}

std::vector<Readiness::Failure> Readiness::failures() const
{
    const std::lock_guard lock{mutex_};
    const auto now = clock_.steady();
    std::vector<Failure> found;
    for (const auto& state : states_) {
        // One that someone else has started again in the meantime still has its last outcome.
        const bool overdue = state.running && now - state.since >= limits_.patience;
        if (overdue)
            found.push_back({state.part.name, Error{Errc::unavailable, "does not answer"}});
        else if (state.outcome && !*state.outcome)
            found.push_back({state.part.name, state.outcome->error()});
    }
    return found;
}

asio::awaitable<void> Readiness::probe(std::size_t index)
{
    Result<> outcome = fail(Errc::internal, "the probe failed");
    // The part's name and probe never change, so they are read without the lock.
    try {
        outcome = co_await states_[index].part.probe();
    } catch (const std::exception& failure) {
        outcome = fail(Errc::internal, "the probe failed", failure.what());
    }
    if (!outcome) log::failure(log::Level::warning, "not ready: " + states_[index].part.name, outcome.error());
    const std::lock_guard lock{mutex_};
    auto& state = states_[index];
    state.running = false;
    state.since = clock_.steady();
    state.outcome = std::move(outcome);
}

}  // namespace entrepot

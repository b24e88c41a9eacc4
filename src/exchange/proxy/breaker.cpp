#include "exchange/proxy/breaker.hpp"

#include <algorithm>

namespace entrepot {

bool is_outage(Errc code) noexcept
{
    // Whatever else it answers, it does answer: else who asks for nonsense could close it for everybody.
    return code == Errc::unavailable || code == Errc::connection_lost || code == Errc::request_timeout ||
           code == Errc::internal;
}

Result<> Breaker::admit(Micros now)
{
    const std::lock_guard guard{mutex_};
    if (closed_until_ == 0) return {};
    if (now >= closed_until_ && !probing_) {
        probing_ = true;
        return {};
    }
    auto error = Error{Errc::unavailable, "the upstream registry has not answered for a while"};
    error.set_retry_after(std::chrono::seconds{std::max<Micros>(1, (closed_until_ - now) / 1'000'000)});
    return std::unexpected{std::move(error)};
}

void Breaker::settle(bool worked, Micros now)
{
    const std::lock_guard guard{mutex_};
    if (worked) {
        failures_ = 0;
        pause_ = 0;
        closed_until_ = 0;
        probing_ = false;
        return;
    }
    ++failures_;
    if (closed_until_ != 0 && !probing_) return;  // was under way when it opened
    if (failures_ < most_failures && !probing_) return;
    pause_ = pause_ == 0 ? first_pause : std::min(pause_ * 2, longest_pause);
    closed_until_ = now + pause_;
    probing_ = false;
}

void Breaker::abandon()
{
    const std::lock_guard guard{mutex_};
    probing_ = false;
}

Breaker::State Breaker::state(Micros now) const
{
    const std::lock_guard guard{mutex_};
    if (closed_until_ == 0) return State::closed;
    return now >= closed_until_ ? State::half_open : State::open;
}

}  // namespace entrepot

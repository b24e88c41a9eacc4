#include "http/loop.hpp"

#include "http/connection.hpp"

#include <sys/resource.h>

namespace entrepot::http {
namespace {

using namespace std::chrono_literals;

constexpr auto pause_length = 10ms;

std::size_t connection_limit(std::size_t wanted)
{
    if (wanted > 0) return wanted;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 1'000'000;
    return static_cast<std::size_t>(limit.rlim_cur / 10 * 9);
}

}  // namespace

Shared::Shared(HttpLimits wanted, const Clock& time)
    : limits{std::move(wanted)},
      clock{time},
      trusted{limits.trusted_proxies},
      admission{connection_limit(limits.connections), limits.connections_per_client}
{
}

Loop::Loop(Shared& shared, unsigned index)
    : shared_{shared}, ids_{static_cast<std::uint64_t>(shared.clock.now()), index}
{
    date_line_ = "Date: " + http_date(shared_.clock.now()) + "\r\n";
    await_tick();
}

Loop::~Loop() = default;

// The ticker always has an operation pending, so this returns only when stopped.
void Loop::run()
{
    context_.run();
}

void Loop::await_tick()
{
    ticker_.expires_after(1s);
    ticker_.async_wait([this](boost::system::error_code error) {
        if (error) return;
        tick();
        await_tick();
    });
}

void Loop::tick()
{
    date_line_ = "Date: " + http_date(shared_.clock.now()) + "\r\n";
    wheel_.tick();
    if (draining_) cut_stalled();
}

void Loop::pause(boost::intrusive_ptr<Connection> connection)
{
    paused_.push_back(std::move(connection));
    if (paused_.size() > 1) return;
    pause_timer_.expires_after(pause_length);
    pause_timer_.async_wait([this](boost::system::error_code error) {
        if (!error) resume_paused();
    });
}

void Loop::resume_paused()
{
    const auto paused = std::exchange(paused_, {});
    for (const auto& connection : paused) connection->proceed();
}

void Loop::enter(Connection& connection)
{
    connection.place(connections_.size());
    connections_.push_back(&connection);
    counters_.opened.add();
}

void Loop::leave(Connection& connection) noexcept
{
    connections_[connection.place()] = connections_.back();
    connections_.back()->place(connection.place());
    connections_.pop_back();
    counters_.ended.add();
    if (!draining_ || !connections_.empty()) return;
    const std::lock_guard lock{shared_.mutex};
    shared_.quiet.notify_all();
}

// Kept alive while each is called, since calling one may end it, or others.
std::vector<boost::intrusive_ptr<Connection>> Loop::all()
{
    std::vector<boost::intrusive_ptr<Connection>> held;
    held.reserve(connections_.size());
    for (auto* connection : connections_) held.emplace_back(connection);
    return held;
}

void Loop::drain(std::chrono::seconds stalled, std::chrono::seconds longest)
{
    draining_ = true;
    stalled_ = static_cast<Tick>(stalled.count());
    cut_at_ = wheel_.now() + static_cast<Tick>(longest.count());
    for (const auto& connection : all()) connection->drain();
}

void Loop::cut_stalled()
{
    const auto now = wheel_.now();
    for (const auto& connection : all()) {
        if (now >= cut_at_ || !connection->progresses(now, stalled_)) connection->cut();
    }
}

}  // namespace entrepot::http

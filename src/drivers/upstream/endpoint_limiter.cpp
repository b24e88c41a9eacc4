#include "drivers/upstream/endpoint_limiter.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto patience = 2min;
constexpr auto pause = 10ms;
constexpr std::size_t largest_piece = 256 * 1024;

}  // namespace

EndpointLimiter::EndpointLimiter(EndpointLimits limits)
    : most_{limits.requests_at_once},
      bucket_{static_cast<std::uint64_t>(std::max<std::int64_t>(limits.bytes_per_second, 0))}
{
}

EndpointLimiter::Slot::~Slot()
{
    if (limiter_) limiter_->leave(lane_);
}

EndpointLimiter::Slot& EndpointLimiter::Slot::operator=(Slot&& other) noexcept
{
    if (this == &other) return *this;
    std::swap(limiter_, other.limiter_);
    std::swap(lane_, other.lane_);
    return *this;
}

Task<EndpointLimiter::Slot> EndpointLimiter::enter(Lane lane)
{
    if (most_ <= 0) co_return Slot{};
    // Taken back with the coroutine's frame; expiring finds nothing once the slot was given.
    asio::steady_timer timer{co_await asio::this_coro::executor, patience};
    co_return co_await completed_by<Slot>([this, lane, &timer](Completion<Slot> completion) {
        std::unique_lock lock{mutex_};
        auto& counted = lanes_[static_cast<std::size_t>(lane)];
        if (counted.running < most_) {
            ++counted.running;
            lock.unlock();
            return completion.complete(Slot{shared_from_this(), lane});
        }
        const auto number = ++last_number_;
        counted.waiting.push_back({.number = number, .completion = std::move(completion)});
        timer.async_wait([limiter = weak_from_this(), lane, number](const boost::system::error_code& error) {
            const auto self = limiter.lock();
            if (!error && self) self->give_up(lane, number);
        });
    });
}

void EndpointLimiter::leave(Lane lane)
{
    std::optional<Completion<Slot>> next;
    {
        const std::lock_guard lock{mutex_};
        auto& counted = lanes_[static_cast<std::size_t>(lane)];
        if (counted.waiting.empty()) {
            --counted.running;
            return;
        }
        next.emplace(std::move(counted.waiting.front().completion));
        counted.waiting.pop_front();
    }
    next->complete(Slot{shared_from_this(), lane});
}

void EndpointLimiter::give_up(Lane lane, std::uint64_t number)
{
    std::optional<Completion<Slot>> late;
    {
        const std::lock_guard lock{mutex_};
        auto& waiting = lanes_[static_cast<std::size_t>(lane)].waiting;
        const auto found = std::ranges::find(waiting, number, &Waiter::number);
        if (found == waiting.end()) return;
        late.emplace(std::move(found->completion));
        waiting.erase(found);
    }
    late->complete(fail(Errc::too_many_requests, "as many requests as allowed are under way to this endpoint"));
}

Task<std::size_t> EndpointLimiter::pace(std::size_t wanted)
{
    wanted = std::min(wanted, largest_piece);
    if (!bucket_.limited() || wanted == 0) co_return wanted;
    asio::steady_timer timer{co_await asio::this_coro::executor};
    for (;;) {
        const auto granted = bucket_.take(wanted, std::chrono::steady_clock::now());
        if (granted > 0) co_return static_cast<std::size_t>(granted);
        timer.expires_after(pause);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

void EndpointLimiter::give_back(std::size_t bytes) noexcept
{
    if (bucket_.limited() && bytes > 0) bucket_.give_back(bytes);
}

Task<std::size_t> PacedPart::read(std::span<std::byte> into)
{
    if (left_ == 0 || into.empty()) co_return std::size_t{0};
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, into.size()));
    CO_TRY(const auto granted, co_await limiter_.pace(wanted));
    auto count = co_await source_.read(into.first(granted));
    if (count && *count == 0) count = fail(Errc::connection_lost, "the source ends early");
    if (!count) {
        limiter_.give_back(granted);
        failure_ = std::move(count).error();
        co_return fail(Errc::cancelled, "what is to be sent can't be read");
    }
    limiter_.give_back(granted - *count);
    left_ -= *count;
    co_return *count;
}

Task<std::size_t> PacedBody::read(std::span<std::byte> into)
{
    if (!body_ || into.empty()) co_return std::size_t{0};
    CO_TRY(const auto granted, co_await limiter_->pace(into.size()));
    auto count = co_await body_->read(into.first(granted));
    limiter_->give_back(granted - (count ? *count : 0));
    if (count) read_ += *count;
    if (count && length_ && read_ > *length_) {
        count = fail(Errc::connection_lost, "the registry sends more than it said");
    } else if (count && *count == 0 && length_ && read_ < *length_) {
        count = fail(Errc::connection_lost, "the registry sends less than it said");
    }
    if (!count || *count == 0) body_.reset();
    if (!body_ || (length_ && read_ == *length_)) slot_ = {};
    co_return count;
}

}  // namespace entrepot

#include "exchange/copy/adaptive_limit.hpp"

#include <algorithm>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto window_length = 500ms;
// Several connections that break at once are one trouble.
constexpr auto trouble_lasts = 1s;
constexpr double notably_slower = 0.9;
constexpr int windows_of_content = 10;

}  // namespace

AdaptiveLimit::Place& AdaptiveLimit::Place::operator=(Place&& other) noexcept
{
    if (this == &other) return *this;
    leave();
    limit_ = std::move(other.limit_);
    return *this;
}

void AdaptiveLimit::Place::leave() noexcept
{
    if (limit_) std::exchange(limit_, nullptr)->left();
}

Task<AdaptiveLimit::Place> AdaptiveLimit::enter()
{
    {
        const std::lock_guard lock{mutex_};
        if (running_ < limit_) {
            ++running_;
            co_return Place{shared_from_this()};
        }
        was_full_ = true;
    }
    co_return co_await completed_by<Place>([this](Completion<Place> waiter) {
        const std::lock_guard lock{mutex_};
        waiting_.push_back(std::move(waiter));
        wake();
    });
}

void AdaptiveLimit::left() noexcept
{
    const std::lock_guard lock{mutex_};
    --running_;
    wake();
}

void AdaptiveLimit::wake() noexcept
{
    while (running_ < limit_ && !waiting_.empty()) {
        ++running_;
        waiting_.front().complete(Place{shared_from_this()});
        waiting_.pop_front();
    }
}

void AdaptiveLimit::moved(std::uint64_t bytes) noexcept
{
    const std::lock_guard lock{mutex_};
    moved_ += bytes;
    if (running_ >= limit_) was_full_ = true;
    if (clock_.steady() - window_ >= window_length) judge();
}

void AdaptiveLimit::judge() noexcept
{
    const auto now = clock_.steady();
    const double rate = static_cast<double>(moved_) / std::chrono::duration<double>(now - window_).count();
    if (grew_ && rate < rate_before_ * notably_slower) {
        limit_ = std::max(bounds_.least, limit_ - 1);
        content_for_ = windows_of_content;
        grew_ = false;
    } else if (content_for_ > 0) {
        --content_for_;
        grew_ = false;
    } else {
        grew_ = was_full_ && limit_ < bounds_.most;
        if (grew_) ++limit_;
    }
    rate_before_ = rate;
    window_ = now;
    moved_ = 0;
    was_full_ = false;
    wake();
}

void AdaptiveLimit::trouble() noexcept
{
    const std::lock_guard lock{mutex_};
    const auto now = clock_.steady();
    if (troubled_ != std::chrono::steady_clock::time_point{} && now - troubled_ < trouble_lasts) return;
    troubled_ = now;
    limit_ = std::max(bounds_.least, limit_ / 2);
    grew_ = false;
}

int AdaptiveLimit::limit() const noexcept
{
    const std::lock_guard lock{mutex_};
    return limit_;
}

}  // namespace entrepot

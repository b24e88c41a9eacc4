#include "swarm/net/rate_line.hpp"

#include <algorithm>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto rest = 10ms;
// Each turn is a timer, a send and, at the other end, a wake: few and large ones where the link is slow, as long as who
// waits for another connection's turn waits less than a quarter of a chunk.
constexpr std::uint64_t turns_a_second = 64;
// A segment of TCP, and what one send should have at most where others wait.
constexpr std::uint64_t least_turn = 1460;
constexpr std::uint64_t most_turn = 64 * 1024;

double seconds(std::chrono::steady_clock::duration time) noexcept
{
    return std::chrono::duration<double>{time}.count();
}

}  // namespace

std::size_t RateLine::allowance(std::size_t wanted, Time now) const noexcept
{
    if (rate_ == no_rate_limit) return wanted;
    if (rate_ == 0 || paid_until_ > now) return 0;
    const auto saved = seconds(now - std::max(paid_until_, now - rest)) * static_cast<double>(rate_);
    const auto turn = std::clamp(rate_ / turns_a_second, least_turn, most_turn);
    return std::min<std::size_t>(wanted, std::max(static_cast<std::uint64_t>(saved), turn));
}

void RateLine::spent(std::size_t bytes, Time now) noexcept
{
    if (rate_ == no_rate_limit || rate_ == 0) return;
    const std::chrono::duration<double> cost{static_cast<double>(bytes) / static_cast<double>(rate_)};
    paid_until_ = std::max(paid_until_, now - rest) + std::chrono::duration_cast<Time::duration>(cost);
}

void RateLine::set(std::uint64_t rate, Time now)
{
    rate_ = rate;
    // What the old rate is owed for would hold up the new one.
    paid_until_ = std::min(paid_until_, now);
    for (auto* const turn : line_) turn->waits_.wake();
}

std::size_t RateLine::Turn::ask(std::size_t wanted, Time now)
{
    const bool next = line_.line_.empty() || line_.line_.front() == this || line_.rate_ == no_rate_limit;
    const auto granted = next ? line_.allowance(wanted, now) : 0;
    if (granted > 0) {
        give_up();
    } else if (!in_line_) {
        in_line_ = true;
        line_.line_.push_back(this);
    }
    return granted;
}

RateLine::Time RateLine::Turn::opens_at() const noexcept
{
    const bool first = !line_.line_.empty() && line_.line_.front() == this;
    return first && line_.rate_ != 0 ? line_.paid_until_ : Time::max();
}

void RateLine::Turn::give_up()
{
    if (!in_line_) return;
    in_line_ = false;
    const bool was_first = line_.line_.front() == this;
    std::erase(line_.line_, this);
    if (was_first && !line_.line_.empty()) line_.line_.front()->waits_.wake();
}

}  // namespace entrepot

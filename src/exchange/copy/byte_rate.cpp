#include "exchange/copy/byte_rate.hpp"

#include "core/pause.hpp"

#include <algorithm>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t least_portion = 1024;
constexpr std::uint64_t most_at_once = std::uint64_t{256} * 1024;
constexpr auto ahead = 100ms;

}  // namespace

std::size_t ByteRate::portion() const noexcept
{
    if (rate_ == 0) return most_at_once;
    return static_cast<std::size_t>(std::clamp(rate_ / 10, least_portion, most_at_once));
}

std::chrono::nanoseconds ByteRate::moved(std::uint64_t bytes, Time now) noexcept
{
    if (rate_ == 0) return 0ns;
    const auto cost = std::chrono::nanoseconds{
        static_cast<std::int64_t>(static_cast<double>(bytes) * 1e9 / static_cast<double>(rate_))
    };
    const std::lock_guard lock{mutex_};
    paid_until_ = std::max(paid_until_, now - ahead) + cost;
    return std::max<std::chrono::nanoseconds>(paid_until_ - now, 0ns);
}

Task<std::size_t> ChunkSource::read(std::span<std::byte> into)
{
    auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), length_ - taken_));
    for (const auto& rate : rates_) wanted = std::min(wanted, rate->portion());
    if (wanted == 0) co_return std::size_t{0};
    if (stopped_()) co_return fail(Errc::cancelled, "the copy was stopped");
    auto count = co_await body_.read(into.first(wanted));
    if (count && *count == 0) count = fail(Errc::connection_lost, "the source's body ended too early");
    if (!count) {
        failure_ = count.error();
        co_return count;
    }
    taken_ += *count;
    std::chrono::nanoseconds wait{0};
    for (const auto& rate : rates_) wait = std::max(wait, rate->moved(*count, clock_.steady()));
    if (wait > 0ns) co_await pause(wait);
    co_return count;
}

}  // namespace entrepot

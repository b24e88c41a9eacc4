#include "exchange/copy/copy_run.hpp"

#include "core/pause.hpp"

#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto slice = 200ms;

std::chrono::microseconds until(Micros time, Micros now)
{
    return std::chrono::microseconds{std::max<Micros>(time - now, 0)};
}

}  // namespace

Result<> CopyRun::check_halt() const
{
    if (!halted()) return {};
    return fail(Errc::cancelled, "the copy was stopped");
}

Task<> CopyRun::save()
{
    saved_at_ = clock().steady();
    return hooks_.save();
}

Task<> CopyRun::save_now_and_then()
{
    if (clock().steady() - saved_at_ < options_.between_saves) co_return Result<>{};
    co_return co_await save();
}

bool CopyRun::worth_retrying(Errc code) noexcept
{
    switch (code) {
        case Errc::connection_lost:
        case Errc::request_timeout:
        case Errc::unavailable:
        case Errc::too_many_requests: return true;
        default: return false;
    }
}

// Half of it is random, so that those who were thrown out together don't come back together.
std::chrono::milliseconds CopyRun::pause_after(int failures)
{
    const auto doubled = options_.first_wait * (1LL << std::min(failures - 1, 20));
    const auto whole = std::min<std::chrono::milliseconds>(doubled, options_.longest_wait);
    std::array<std::byte, 2> random{};
    parts_.random.fill(random);
    const auto part = std::to_integer<int>(random[0]) * 256 + std::to_integer<int>(random[1]);
    return whole / 2 + whole * part / (2 * 65'536);
}

Task<> CopyRun::rest_after(Error failure, int failures)
{
    const auto now = clock().now();
    const auto asked = std::max(
        {until(parts_.source.rests_until(), now),
         until(parts_.target.rests_until(), now),
         std::chrono::duration_cast<std::chrono::microseconds>(failure.retry_after())}
    );
    if (asked > options_.longest_rest) {
        failure.set_retry_after(std::chrono::duration_cast<std::chrono::seconds>(asked) + 1s);
        co_return std::unexpected{std::move(failure)};
    }
    if (failures > options_.most_tries) co_return std::unexpected{std::move(failure)};
    auto left = std::max<std::chrono::microseconds>(pause_after(failures), asked);
    while (left > 0us) {
        CO_CHECK(check_halt());
        const auto wait = std::min<std::chrono::microseconds>(left, slice);
        co_await pause(wait);
        left -= wait;
    }
    co_return check_halt();
}

Task<> CopyRun::prepare(RepositoryName into)
{
    if (prepared_.contains(into.text())) co_return Result<>{};
    CO_CHECK(co_await patiently([&] { return target().prepare(into); }));
    prepared_.insert(into.text());
    co_return Result<>{};
}

Task<bool> CopyRun::claim(const RepositoryName& into, const Digest& digest)
{
    const Key key{into.text(), digest.text()};
    for (auto found = under_way_.find(key); found != under_way_.end(); found = under_way_.find(key)) {
        const auto settled = found->second;
        boost::system::error_code ignored;
        co_await settled->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        CO_CHECK(check_halt());
    }
    const auto there = there_.find(digest);
    if (there != there_.end() && std::ranges::find(there->second, into) != there->second.end()) co_return false;
    auto timer = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor);
    timer->expires_at(asio::steady_timer::time_point::max());
    under_way_.emplace(key, std::move(timer));
    co_return true;
}

void CopyRun::settle(const RepositoryName& into, const Digest& digest, bool there)
{
    const auto found = under_way_.find({into.text(), digest.text()});
    if (found != under_way_.end()) {
        // Also for those who begin to wait after this.
        found->second->expires_at(asio::steady_timer::time_point::min());
        under_way_.erase(found);
    }
    if (there) there_[digest].push_back(into);
}

std::vector<RepositoryName> CopyRun::holders(const RepositoryName& into, const Digest& digest) const
{
    std::vector<RepositoryName> others;
    const auto found = there_.find(digest);
    if (found == there_.end()) return others;
    for (const auto& holder : found->second) {
        if (holder != into) others.push_back(holder);
    }
    return others;
}

std::string bytes_text(std::uint64_t bytes)
{
    constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) return std::to_string(bytes) + " bytes";
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f %s", value, units[unit]);
    return text.data();
}

std::string speed_text(std::uint64_t bytes, std::chrono::nanoseconds time)
{
    const auto seconds = std::max(std::chrono::duration<double>(time).count(), 0.001);
    return bytes_text(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)) + "/s";
}

}  // namespace entrepot

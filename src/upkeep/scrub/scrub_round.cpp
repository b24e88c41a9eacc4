#include "upkeep/scrub/scrub_round.hpp"

#include "core/pause.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr std::chrono::seconds between_saves{1};
constexpr std::size_t written_at_once = 100;
constexpr std::uint64_t least_portion = 64 * 1024;
constexpr std::uint64_t largest_portion = 4 * 1024 * 1024;
constexpr std::uint64_t portions_a_second = 20;

}  // namespace

Task<> ScrubRound::passed(std::string after)
{
    position.after = std::move(after);
    co_return co_await still_at_it();
}

Task<> ScrubRound::still_at_it()
{
    if (needs_.clock.steady() < next_save_) co_return Result<>{};
    co_return co_await save();
}

Task<> ScrubRound::report(NewFinding finding)
{
    findings_.push_back(std::move(finding));
    if (findings_.size() >= written_at_once) CO_CHECK(co_await flush());
    co_return Result<>{};
}

Task<> ScrubRound::condemn(StoredBlob orphan)
{
    orphans_.push_back(std::move(orphan));
    if (orphans_.size() >= written_at_once) CO_CHECK(co_await flush());
    co_return Result<>{};
}

Task<> ScrubRound::flush()
{
    CO_CHECK(co_await needs_.catalog.report(std::exchange(findings_, {}), actor()));
    std::vector<std::string> subjects;
    for (const auto& orphan : orphans_) subjects.push_back(orphan.digest.text());
    CO_CHECK(co_await needs_.garbage.condemn_unknown(std::exchange(orphans_, {}), actor()));
    co_return co_await needs_.catalog.close(std::move(subjects), FindingState::deleted, actor());
}

Task<> ScrubRound::save()
{
    CO_CHECK(co_await flush());
    CO_CHECK(co_await run.save(position.json(), position.count.json()));
    next_save_ = needs_.clock.steady() + between_saves;
    co_return Result<>{};
}

std::uint64_t ScrubRound::portion() const noexcept
{
    if (options.rate == 0) return largest_portion;
    return std::clamp(options.rate / portions_a_second, least_portion, largest_portion);
}

Task<> ScrubRound::pace(std::uint64_t bytes)
{
    if (options.rate == 0 || bytes == 0) co_return Result<>{};
    const auto due = std::chrono::microseconds{bytes * 1'000'000 / options.rate};
    const auto now = needs_.clock.steady();
    next_read_ = std::max(next_read_, now - due) + due;
    if (next_read_ <= now) co_return Result<>{};
    co_await pause(next_read_ - now);
    co_return Result<>{};
}

}  // namespace entrepot

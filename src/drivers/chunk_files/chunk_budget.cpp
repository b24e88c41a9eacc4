#include "drivers/chunk_files/chunk_budget.hpp"

#include "drivers/chunk_files/chunk_index.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

namespace entrepot {
namespace {

constexpr std::uint64_t block_bytes = 4096;

constexpr std::uint64_t in_blocks(std::uint64_t bytes) noexcept
{
    return (bytes + block_bytes - 1) / block_bytes * block_bytes;
}

constexpr std::uint64_t permille_of(std::uint64_t bytes, std::uint32_t permille) noexcept
{
    return bytes / 1000 * permille + bytes % 1000 * permille / 1000;
}

// Twice the others make an idle blob one part older: a copy more matters less and less.
std::uint64_t age_of(const EvictionChoice& choice) noexcept
{
    const auto others = choice.other_holders.value_or(1);
    const auto idle = static_cast<std::uint64_t>(std::clamp<Micros>(choice.idle, 0, Micros{1} << 56U));
    return idle * std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::bit_width(others)));
}

}  // namespace

ChunkBudget::ChunkBudget(std::uint64_t bytes, std::uint32_t high, std::uint32_t low) noexcept
    : bytes_{bytes}, high_{permille_of(bytes, high)}, low_{permille_of(bytes, low)}
{
}

bool ChunkBudget::try_take(std::uint64_t bytes) noexcept
{
    auto taken = taken_.load();
    do {
        if (taken > bytes_ || bytes > bytes_ - taken) return false;
    } while (!taken_.compare_exchange_weak(taken, taken + bytes));
    return true;
}

std::uint64_t ChunkBudget::excess(std::uint64_t wanted) const noexcept
{
    const auto all = taken() + wanted;
    return all > bytes_ ? all - bytes_ : 0;
}

std::uint64_t ChunkBudget::above_low(std::uint64_t wanted) const noexcept
{
    const auto all = taken() + wanted;
    return all > high_ && all > low_ ? all - low_ : 0;
}

std::uint64_t chunk_room_for(const DescribedBlob& blob) noexcept
{
    return in_blocks(blob.size) + in_blocks(ChunkIndexShape{blob}.bytes) + block_bytes;
}

std::vector<std::size_t> choose_evictions(std::vector<EvictionChoice> choices, std::uint64_t bytes)
{
    std::ranges::sort(choices, [](const EvictionChoice& left, const EvictionChoice& right) {
        const auto rank = [](const EvictionChoice& choice) {
            return std::tuple{choice.other_holders == 0U, ~age_of(choice)};
        };
        return rank(left) < rank(right);
    });
    std::vector<std::size_t> chosen;
    std::uint64_t gained = 0;
    for (const auto& choice : choices) {
        if (gained >= bytes) break;
        gained += choice.bytes;
        chosen.push_back(choice.number);
    }
    return chosen;
}

}  // namespace entrepot

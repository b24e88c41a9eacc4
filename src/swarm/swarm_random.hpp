#pragma once

#include <cstdint>

namespace entrepot {

// Choices that need no secrecy, only spread, and that a simulation can repeat: splitmix64. Not safe across threads.
class SwarmRandom {
public:
    explicit SwarmRandom(std::uint64_t seed) noexcept : state_{seed} {}

    std::uint64_t next() noexcept
    {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
        return mixed ^ (mixed >> 31U);
    }

    // Below `bound`, which is at least 1; the bias of 2^-32 is of no matter here.
    std::uint32_t below(std::uint32_t bound) noexcept
    {
        return static_cast<std::uint32_t>(((next() >> 32U) * std::uint64_t{bound}) >> 32U);
    }

private:
    std::uint64_t state_;
};

}  // namespace entrepot

#include "simulator/bound.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace entrepot {

SwarmTime bound_of(const Scenario& scenario, const PieceLayout& layout) noexcept
{
    constexpr double microseconds = 1e6;
    const auto bytes = static_cast<double>(layout.bytes());
    const auto nodes = static_cast<double>(scenario.nodes);
    const auto origin = scenario.origin_up * scenario.origins * scenario.goodput;
    const auto up = scenario.up * scenario.goodput;
    const auto down = scenario.down * scenario.goodput;
    const auto trunk = scenario.trunk == 0 ? 0 : bytes / (scenario.trunk * scenario.goodput);
    const auto fluid =
        std::max({bytes / origin, bytes / down, trunk, nodes * bytes / (origin + nodes * up)}) * microseconds;
    const auto doublings = std::bit_width(std::max(scenario.nodes, 1U) - 1);
    const auto hop = 3 * static_cast<double>(scenario.latency + scenario.handling);
    const auto chunk = std::min(static_cast<double>(chunk_bytes), bytes) / up * microseconds;
    return scenario.fixed + static_cast<SwarmTime>(fluid + doublings * (chunk + hop));
}

}  // namespace entrepot

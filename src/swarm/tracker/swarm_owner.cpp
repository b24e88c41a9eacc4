#include "swarm/tracker/swarm_owner.hpp"

#include "swarm/swarm_random.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace entrepot {

namespace {

std::uint64_t word_at(std::span<const std::uint8_t> bytes, std::size_t at) noexcept
{
    std::uint64_t word = 0;
    for (std::size_t next = at; next < at + sizeof word; ++next) word = word << 8U | bytes[next];
    return word;
}

// Addresses differ in few bits, so each part goes through the mixer before the next one is added.
std::uint64_t weight(const SwarmId& swarm, const PeerEndpoint& instance) noexcept
{
    auto mixed = SwarmRandom{word_at(instance.address, 0)}.next();
    mixed = SwarmRandom{mixed ^ word_at(instance.address, 8)}.next();
    mixed = SwarmRandom{mixed ^ instance.port}.next();
    return SwarmRandom{mixed ^ word_at(swarm.bytes, 0)}.next();
}

}  // namespace

const PeerEndpoint* owner_of(const SwarmId& swarm, std::span<const PeerEndpoint> instances) noexcept
{
    const auto rank = [&](const PeerEndpoint& one) {
        // The address decides between equals: the order of the list says nothing.
        return std::pair{weight(swarm, one), std::pair{one.address, one.port}};
    };
    const auto found = std::ranges::max_element(instances, {}, rank);
    return found == instances.end() ? nullptr : &*found;
}

}  // namespace entrepot

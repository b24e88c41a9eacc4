#include "simulator/world_node.hpp"

#include <algorithm>
#include <bit>

namespace entrepot {

World::Node::Node(World& its_world, std::uint32_t number, std::uint16_t its_zone, double up_rate, double down_rate)
    : world{its_world}, index{number}, zone{its_zone}, up{up_rate}, down{down_rate}, uploads{0}
{
    const auto& policy = world.scenario_.peer;
    const auto by_time = static_cast<std::uint64_t>(up * static_cast<double>(policy.upload_queue_time));
    uploads.set_limit(std::max(by_time, policy.upload_queue_pieces * world.layout_.piece_bytes()));
    outcome.zone = zone;
}

World::Node::Link* World::Node::link(NeighbourSlot slot, std::uint32_t connection) noexcept
{
    return slot < links.size() && links[slot].connection == connection ? &links[slot] : nullptr;
}

void World::Node::link_at(NeighbourSlot slot, const Link& there)
{
    if (links.size() <= slot) links.resize(slot + 1U);
    links[slot] = there;
    zones_near |= std::uint64_t{1} << world.nodes_[there.node]->zone;
}

SwarmTime World::Node::load(SwarmTime now) const noexcept
{
    const auto waiting = static_cast<SwarmTime>(static_cast<double>(uploads.bytes()) / up);
    return waiting + std::max<SwarmTime>(sending_until - now, 0);
}

void World::Node::sample() noexcept
{
    const auto& held = peer->picker().held();
    while (readable < held.size() && held.contains(readable)) ++readable;
    if (held.empty() || held.full()) return;
    readable_sum += static_cast<double>(readable) / held.count();
    ++samples;
}

void World::Node::announce(std::span<const PieceRange> ranges)
{
    const auto payload = world.keep(ranges, load(world.now_), static_cast<std::uint32_t>(std::popcount(zones_near)));
    for (auto rest = zones_near; rest != 0; rest &= rest - 1) {
        const auto there = static_cast<std::uint32_t>(std::countr_zero(rest));
        const auto delay = there == zone ? world.scenario_.latency : world.scenario_.cross_latency;
        world.later(delay + world.scenario_.handling, {.kind = Kind::have, .node = index, .a = payload, .b = there});
    }
    if (zones_near == 0) world.release(payload);
}

void World::Node::reveal(NeighbourSlot neighbour, std::span<const PieceRange> ranges)
{
    const auto& there = links[neighbour];
    const auto payload = world.keep(ranges, load(world.now_), 1);
    world.later(
        world.way(*this, *world.nodes_[there.node]),
        {.kind = Kind::reveal, .slot = there.slot, .node = there.node, .a = payload, .b = there.connection}
    );
}

void World::Node::ask(NeighbourSlot neighbour, std::span<const PieceIndex> pieces)
{
    const auto& there = links[neighbour];
    boost::container::small_vector<PieceRange, 4> ranges;
    for (const auto piece : pieces) ranges.push_back({.first = piece, .count = 1});
    const auto payload = world.keep(ranges, 0, 1);
    ++world.requests_;
    world.later(
        world.way(*this, *world.nodes_[there.node]),
        {.kind = Kind::ask, .slot = there.slot, .node = there.node, .a = payload, .b = there.connection}
    );
}

void World::Node::cancel(NeighbourSlot neighbour, PieceIndex piece)
{
    const auto& there = links[neighbour];
    world.later(
        world.way(*this, *world.nodes_[there.node]),
        {.kind = Kind::cancel, .slot = there.slot, .node = there.node, .a = piece, .b = there.connection}
    );
}

void World::Node::rewire(std::optional<NeighbourSlot> useless)
{
    std::uint32_t dropped = 0;
    if (useless) {
        const auto& there = links[*useless];
        dropped = there.node + 1;
        world.later(0, {.kind = Kind::drop, .slot = *useless, .node = index, .b = there.connection});
    }
    world.later(world.scenario_.cross_latency, {.kind = Kind::starve, .node = index, .a = dropped});
}

void World::Node::wake_at(SwarmTime time)
{
    world.events_.push(time, {.kind = Kind::wake, .node = index});
}

}  // namespace entrepot

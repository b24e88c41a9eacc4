#include "swarm/tracker/swarm_owner.hpp"
#include "swarm/tracker/tracker_swarm.hpp"

#include <algorithm>
#include <utility>

// Several instances of the registry, each of which tracks a part of the swarms.
namespace entrepot {

void Tracker::set_instances(const PeerEndpoint& self, std::vector<PeerEndpoint> all)
{
    const auto order = [](const PeerEndpoint& one) { return std::pair{one.address, one.port}; };
    std::ranges::sort(all, {}, order);
    if (self == self_ && all == instances_) return;
    self_ = self;
    const auto before = std::exchange(instances_, std::move(all));
    const auto told = others();
    for (const auto& node : nodes_) {
        if (node.takes_moves() && !node.is_aside()) send(node.stream, told);
    }
    // Who is here although the owner is another one, because it can't reach that one, stays until there is a new owner.
    const auto changed = [&](const SwarmId& swarm) {
        const auto* const was = owner_of(swarm, before);
        const auto* const is = owner_of(swarm, instances_);
        return was == nullptr || is == nullptr || *was != *is;
    };
    for (NodeIndex index = 0; index < nodes_.size(); ++index) {
        auto& node = nodes_[index];
        if (!node.takes_moves()) continue;
        std::vector<std::pair<SwarmHandle, PeerEndpoint>> moves;
        for (const auto& [handle, membership] : node.memberships) {
            const auto* const owner = elsewhere(membership.swarm->id);
            if (owner != nullptr && changed(membership.swarm->id)) moves.emplace_back(handle, *owner);
        }
        for (const auto& [handle, owner] : moves) {
            send(node.stream, MovedFrame{.handle = handle, .control = owner});
            leave(index, handle);
        }
    }
}

// Where a swarm is tracked, if not here.
const PeerEndpoint* Tracker::elsewhere(const SwarmId& swarm) const noexcept
{
    const auto* const owner = owner_of(swarm, instances_);
    return owner == nullptr || *owner == self_ ? nullptr : owner;
}

InstancesFrame Tracker::others() const
{
    InstancesFrame frame;
    for (const auto& one : instances_) {
        if (one != self_ && frame.others.size() < WireLimits::instances) frame.others.push_back(one);
    }
    return frame;
}

}  // namespace entrepot

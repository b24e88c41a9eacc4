#include "swarm/tracker/tracker_swarm.hpp"

#include <algorithm>

// Who has all of an image, and how many others in its zone do, which a node keeps copies by.
namespace entrepot {

void Tracker::note_holder(NodeIndex index, Membership& membership, bool holds)
{
    auto& swarm = *membership.swarm;
    const auto zone = nodes_[index].zone;
    const auto of_zone = swarm.holders.find(zone);
    if (holds == (of_zone != swarm.holders.end() && of_zone->second.contains(index))) return;
    if (holds) {
        auto& holders = swarm.holders[zone];
        holders.insert(index);
        // Where there are more, nothing changes for those that were there.
        if (holders.size() > HoldersFrame::many + 1U) return tell_others(index, swarm, holders.size());
        for (const auto holder : holders) tell_others(holder, swarm, holders.size());
        return;
    }
    membership.told_others.reset();
    auto& holders = of_zone->second;
    holders.erase(index);
    if (holders.size() <= HoldersFrame::many) {
        for (const auto holder : holders) tell_others(holder, swarm, holders.size());
    }
    if (holders.empty()) swarm.holders.erase(of_zone);
}

void Tracker::tell_others(NodeIndex index, const Swarm& swarm, std::size_t holders)
{
    auto& node = nodes_[index];
    const auto handle = swarm.handles.at(index);
    const auto others = static_cast<std::uint8_t>(std::min<std::size_t>(holders - 1, HoldersFrame::many));
    auto& told = node.memberships.at(handle).told_others;
    if (told == others) return;
    told = others;
    send(node.stream, HoldersFrame{.handle = handle, .others = others});
}

}  // namespace entrepot

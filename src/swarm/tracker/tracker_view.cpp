#include "swarm/tracker/tracker_swarm.hpp"

#include <utility>

// How swarms do.
namespace entrepot {

void Tracker::note(const Node& node, Membership& membership, std::uint16_t progress)
{
    const auto from = std::exchange(membership.progress, progress);
    auto& part = membership.part;
    pace_.add(membership.swarm->tallies.move(part, from, progress, node.registered->down, node.heard));
}

void Tracker::note(const Node& node, Membership& membership, const SwarmProgress& progress)
{
    auto& part = membership.part;
    const SwarmReceived more{
        .origin = progress.from_origin, .zone = progress.from_zone, .across = progress.across_zones
    };
    membership.swarm->tallies.receive(part, more);
    received_.add(more);
    part.uploaded += progress.uploaded;
    part.neighbours = progress.neighbours;
    part.idle = progress.idle;
    note(node, membership, progress.progress);
}

std::optional<SwarmOverview> Tracker::overview(const SwarmId& id) const
{
    const auto found = swarms_.find(id);
    if (found == swarms_.end()) return std::nullopt;
    SwarmOverview overview;
    overview.seeds = found->second.members.seeded();
    for (const auto& tally : found->second.tallies.all()) {
        overview.members += tally.members;
        overview.complete += tally.complete();
        overview.from_origin += tally.received.origin;
        overview.from_zone += tally.received.zone;
        overview.across_zones += tally.received.across;
        for (std::size_t percent = 0; percent < tally.percents.size(); ++percent)
            overview.tenths[percent / 10] += tally.percents[percent];
    }
    return overview;
}

std::vector<SwarmTally> Tracker::tallies(const SwarmId& id) const
{
    const auto found = swarms_.find(id);
    return found == swarms_.end() ? std::vector<SwarmTally>{} : found->second.tallies.all();
}

std::vector<SwarmMember> Tracker::members(const SwarmId& id) const
{
    std::vector<SwarmMember> members;
    const auto found = swarms_.find(id);
    if (found == swarms_.end()) return members;
    members.reserve(found->second.handles.size());
    for (const auto& [index, handle] : found->second.handles) {
        const auto& node = nodes_[index];
        const auto& membership = node.memberships.at(handle);
        auto& member = members.emplace_back();
        member.node = node.id;
        member.name = node.registered->name;
        member.zone = node.registered->zone;
        member.right = membership.part.tally->right;
        member.progress = membership.progress;
        member.heard = node.heard;
        member.part = membership.part;
        member.part.tally = nullptr;
    }
    return members;
}

}  // namespace entrepot

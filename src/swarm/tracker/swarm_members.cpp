#include "swarm/tracker/swarm_members.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

// For each that is given away so many that would do are compared, which makes degrees even, out of so many looked at:
// some have enough.
constexpr std::uint32_t compared_for_one = 2;
constexpr std::uint32_t looks_for_one = 24;
constexpr std::uint32_t looks_for_starved = 48;
// Of the places with the registry that are left when three quarters are taken, each zone has so many.
constexpr std::uint32_t seed_neighbours_kept = 4;
// Starved so often in a row, a member is made a gateway though there are enough; twice as many at most.
constexpr std::uint16_t starved_until_gateway = 4;

void erase_one(std::vector<NodeIndex>& nodes, NodeIndex node)
{
    const auto found = std::ranges::find(nodes, node);
    if (found == nodes.end()) return;
    *found = nodes.back();
    nodes.pop_back();
}

}  // namespace

SwarmMembers::Member* SwarmMembers::find(NodeIndex node) noexcept
{
    const auto place = places_.find(node);
    return place == places_.end() ? nullptr : &members_[place->second];
}

void SwarmMembers::report(NodeIndex node, std::uint16_t zone, std::uint16_t progress, std::uint16_t neighbours)
{
    if (auto* const member = find(node)) {
        if (progress > member->progress) member->starved = 0;
        member->progress = progress;
        member->neighbours = neighbours;
        return;
    }
    auto& its_zone = zones_[zone];
    places_.emplace(node, static_cast<std::uint32_t>(members_.size()));
    members_.push_back(
        {.node = node,
         .zone = zone,
         .progress = progress,
         .neighbours = neighbours,
         .starved = 0,
         .zone_place = static_cast<std::uint32_t>(its_zone.members.size()),
         .seeded = false,
         .gateway = false}
    );
    its_zone.members.push_back(node);
    if (its_zone.gateways.size() < policy_.gateways) make_gateway(members_.back());
}

void SwarmMembers::make_gateway(Member& member)
{
    member.gateway = true;
    zones_[member.zone].gateways.push_back(member.node);
    gateways_.push_back(member.node);
}

void SwarmMembers::leave(NodeIndex node)
{
    const auto place = places_.find(node);
    if (place == places_.end()) return;
    release_seed(node);
    const auto at = place->second;
    const auto gone = members_[at];
    auto& zone = zones_[gone.zone];
    if (gone.gateway) {
        erase_one(zone.gateways, node);
        erase_one(gateways_, node);
    }
    zone.members[gone.zone_place] = zone.members.back();
    find(zone.members[gone.zone_place])->zone_place = gone.zone_place;
    zone.members.pop_back();
    if (zone.members.empty()) zones_.erase(gone.zone);
    places_.erase(place);
    if (at + 1 != members_.size()) {
        members_[at] = members_.back();
        places_[members_[at].node] = at;
    }
    members_.pop_back();
}

bool SwarmMembers::take_seed(Member& member)
{
    auto& zone = zones_[member.zone];
    if (member.seeded || zone.seeded >= policy_.seed_neighbours || seeded_ >= policy_.seed_neighbours_in_all)
        return false;
    const bool scarce = zones_.size() > 1 && seeded_ >= policy_.seed_neighbours_in_all / 4 * 3;
    if (scarce && zone.seeded >= seed_neighbours_kept) return false;
    ++zone.seeded;
    ++seeded_;
    member.seeded = true;
    return true;
}

void SwarmMembers::release_seed(NodeIndex node)
{
    auto* const member = find(node);
    if (member == nullptr || !member->seeded) return;
    member->seeded = false;
    --zones_[member->zone].seeded;
    --seeded_;
}

SwarmMembers::Choice SwarmMembers::for_newcomer(NodeIndex node)
{
    Choice choice;
    auto* const member = find(node);
    if (member == nullptr) return choice;
    choice.seed = take_seed(*member);
    const auto& zone = zones_[member->zone];
    if (member->gateway) {
        choose_across(*member, policy_.given_across, choice.neighbours);
        // Gateways of a zone see at once what others of them have brought.
        for (const auto other : zone.gateways) {
            if (choice.neighbours.size() >= policy_.given_neighbours) break;
            if (other != node) choice.neighbours.push_back(other);
        }
    }
    choose(*member, Place::same_zone, policy_.given_neighbours, choice.neighbours);
    // A zone in which it is nearly alone: those far away are better than nobody.
    if (member->gateway) choose_across(*member, policy_.given_neighbours / 2, choice.neighbours);
    for (const auto given : choice.neighbours) ++find(given)->neighbours;
    member->neighbours = static_cast<std::uint16_t>(choice.neighbours.size());
    return choice;
}

// Fills `chosen` up to `count`.
void SwarmMembers::choose_across(const Member& of, std::uint32_t count, std::vector<NodeIndex>& chosen)
{
    if (gateways_.size() > zones_[of.zone].gateways.size()) choose(of, Place::other_zone, count, chosen);
}

// Fills `chosen` up to `count`: in its own zone with any member, in others with gateways.
void SwarmMembers::choose(const Member& of, Place place, std::uint32_t count, std::vector<NodeIndex>& chosen)
{
    struct Candidate {
        std::uint16_t neighbours;
        std::uint64_t
            lot;  // a small swarm is looked at from its beginning: its first must not be everybody's neighbours
        NodeIndex node;
    };
    if (chosen.size() >= count) return;
    std::vector<Candidate> found;
    const std::span<const NodeIndex> among = place == Place::same_zone ? zones_[of.zone].members : gateways_;
    const auto all = static_cast<std::uint32_t>(among.size());
    const auto looks = count * looks_for_one;
    const bool everybody = all <= looks;
    const auto enough = everybody ? all : count * compared_for_one;
    for (std::uint32_t look = 0; look < std::min(looks, all) && found.size() < enough; ++look) {
        const auto& member = *find(among[everybody ? look : random_.below(all)]);
        if (member.node == of.node || (member.zone == of.zone) != (place == Place::same_zone)) continue;
        if (member.neighbours >= policy_.most_neighbours) continue;
        if (std::ranges::find(chosen, member.node) != chosen.end()) continue;
        if (std::ranges::find(found, member.node, &Candidate::node) != found.end()) continue;
        found.push_back({.neighbours = member.neighbours, .lot = random_.next(), .node = member.node});
    }
    std::ranges::sort(found, {}, [](const Candidate& one) { return std::pair{one.neighbours, one.lot}; });
    for (const auto& candidate : found) {
        if (chosen.size() >= count) return;
        chosen.push_back(candidate.node);
    }
}

SwarmMembers::Choice SwarmMembers::for_starved(NodeIndex node, std::span<const NodeIndex> known, bool seed)
{
    Choice choice;
    auto* const member = find(node);
    if (member == nullptr) return choice;
    auto& zone = zones_[member->zone];
    ++member->starved;
    const auto enough = member->starved >= starved_until_gateway ? 2 * policy_.gateways : policy_.gateways;
    if (!member->gateway && zone.gateways.size() < enough) {
        make_gateway(*member);
        choose_across(*member, policy_.given_across, choice.neighbours);
        std::erase_if(choice.neighbours, [&](NodeIndex other) {
            return std::ranges::find(known, other) != known.end();
        });
    }
    const auto* best = best_for_starved(*member, zone.members, known);
    if (best == nullptr && member->gateway) best = best_for_starved(*member, gateways_, known);
    if (best != nullptr && std::ranges::find(choice.neighbours, best->node) == choice.neighbours.end())
        choice.neighbours.push_back(best->node);
    for (const auto given : choice.neighbours) ++find(given)->neighbours;
    member->neighbours = static_cast<std::uint16_t>(member->neighbours + choice.neighbours.size());
    choice.seed = seed && take_seed(*member);
    return choice;
}

// The least connected of those that are as far or further.
const SwarmMembers::Member* SwarmMembers::best_for_starved(
    const Member& member, std::span<const NodeIndex> among, std::span<const NodeIndex> known
) noexcept
{
    const Member* best = nullptr;
    for (std::uint32_t look = 0; look < looks_for_starved; ++look) {
        const auto& other = *find(among[random_.below(static_cast<std::uint32_t>(among.size()))]);
        if (other.node == member.node || other.progress < member.progress) continue;
        if (other.neighbours >= policy_.most_neighbours) continue;
        if (std::ranges::find(known, other.node) != known.end()) continue;
        if (best == nullptr || other.neighbours < best->neighbours) best = &other;
    }
    return best;
}

}  // namespace entrepot

#include "swarm/tracker/swarm_members.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

// For each that is given away so many that would do are compared, which makes degrees even, out of so many looked at:
// some are in the wrong zone, or have enough.
constexpr std::uint32_t compared_for_one = 2;
constexpr std::uint32_t looks_for_one = 24;
constexpr std::uint32_t looks_for_starved = 48;

}  // namespace

SwarmMembers::Member* SwarmMembers::find(NodeIndex node) noexcept
{
    const auto place = places_.find(node);
    return place == places_.end() ? nullptr : &members_[place->second];
}

void SwarmMembers::report(NodeIndex node, std::uint16_t zone, std::uint16_t progress, std::uint16_t neighbours)
{
    if (auto* const member = find(node)) {
        member->progress = progress;
        member->neighbours = neighbours;
        return;
    }
    places_.emplace(node, static_cast<std::uint32_t>(members_.size()));
    members_.push_back({.node = node, .zone = zone, .progress = progress, .neighbours = neighbours, .seeded = false});
}

void SwarmMembers::leave(NodeIndex node)
{
    const auto place = places_.find(node);
    if (place == places_.end()) return;
    release_seed(node);
    const auto at = place->second;
    places_.erase(place);
    if (at + 1 != members_.size()) {
        members_[at] = members_.back();
        places_[members_[at].node] = at;
    }
    members_.pop_back();
}

bool SwarmMembers::take_seed(Member& member)
{
    auto& taken = seeded_[member.zone];
    if (member.seeded || taken >= policy_.seed_neighbours || seeded() >= policy_.seed_neighbours_in_all) return false;
    ++taken;
    member.seeded = true;
    return true;
}

void SwarmMembers::release_seed(NodeIndex node)
{
    auto* const member = find(node);
    if (member == nullptr || !member->seeded) return;
    member->seeded = false;
    --seeded_[member->zone];
}

std::uint32_t SwarmMembers::seeded() const noexcept
{
    std::uint32_t all = 0;
    for (const auto& [zone, taken] : seeded_) all += taken;
    return all;
}

SwarmMembers::Choice SwarmMembers::for_newcomer(NodeIndex node)
{
    Choice choice;
    auto* const member = find(node);
    if (member == nullptr) return choice;
    choice.seed = take_seed(*member);
    choose(*member, Place::other_zone, policy_.given_across, choice.neighbours);
    choose(*member, Place::same_zone, policy_.given_neighbours, choice.neighbours);
    // A zone in which it is nearly alone: those far away are better than nobody.
    choose(*member, Place::other_zone, policy_.given_neighbours / 2, choice.neighbours);
    for (const auto given : choice.neighbours) ++find(given)->neighbours;
    member->neighbours = static_cast<std::uint16_t>(choice.neighbours.size());
    return choice;
}

// Fills `chosen` up to `count`.
void SwarmMembers::choose(const Member& of, Place place, std::uint32_t count, std::vector<NodeIndex>& chosen)
{
    struct Candidate {
        std::uint16_t neighbours;
        std::uint64_t
            lot;  // a small swarm is looked at from its beginning: its first must not be everybody's neighbours
        NodeIndex node;
    };
    std::vector<Candidate> found;
    const auto all = static_cast<std::uint32_t>(members_.size());
    const auto looks = count * looks_for_one;
    const bool everybody = all <= looks;
    const auto enough = everybody ? all : count * compared_for_one;
    for (std::uint32_t look = 0; look < std::min(looks, all) && found.size() < enough; ++look) {
        const auto& member = members_[everybody ? look : random_.below(all)];
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
    const Member* best = nullptr;
    for (std::uint32_t look = 0; look < looks_for_starved; ++look) {
        const auto& other = members_[random_.below(static_cast<std::uint32_t>(members_.size()))];
        if (other.node == node || other.progress < member->progress) continue;
        if (other.neighbours >= policy_.most_neighbours) continue;
        if (std::ranges::find(known, other.node) != known.end()) continue;
        const auto better = [&] {
            if (best == nullptr) return true;
            if ((other.zone == member->zone) != (best->zone == member->zone)) return other.zone == member->zone;
            return other.neighbours < best->neighbours;
        };
        if (better()) best = &other;
    }
    if (best != nullptr) {
        choice.neighbours.push_back(best->node);
        ++find(best->node)->neighbours;
        ++member->neighbours;
    }
    choice.seed = seed && take_seed(*member);
    return choice;
}

}  // namespace entrepot

#include "swarm/peer/swarm_peer.hpp"

#include <algorithm>
#include <bit>

// What a SwarmPeer fetches from other zones.
namespace entrepot {

bool SwarmPeer::may_cross(SwarmTime now) const noexcept
{
    return across_ != 0 && (budget_ == nullptr || budget_->has_room(now));
}

// Beside the pipeline: what our zone lacks comes first, and is little.
void SwarmPeer::plan_across(SwarmTime now, Plans& plans)
{
    if (is_lonely() || !may_cross(now)) return;
    auto asked = std::ranges::count_if(asks_.all(), [this](const AskBook::Ask& ask) {
        return !ask.late && neighbours_[ask.neighbour].across;
    });
    while (asked < policy_.across_pieces) {
        const auto neighbour = least_loaded(true, now);
        if (!neighbour) return;
        if (const auto piece = pick_across(*neighbour)) {
            plan(*neighbour, *piece, now, plans);
            ++asked;
        } else
            neighbours_[*neighbour].dry = true;
    }
}

// Of how many a node has one at a time: no more than there are nodes to take them.
std::uint32_t SwarmPeer::turns() const noexcept
{
    if (is_lonely()) return 1;
    return static_cast<std::uint32_t>(std::bit_floor(std::min<std::size_t>((near_ + 1) / 2, policy_.turns)));
}

void SwarmPeer::next_turn(SwarmTime now) noexcept
{
    turn_ = random_.below(turns());
    turn_ends_ = now + std::max(policy_.turn_time, 4 * piece_time());
    for (auto& neighbour : neighbours_) {
        if (neighbour.across) neighbour.dry = false;
    }
}

// What comes from another zone is to come once. So it is asked for only what nobody near has, whom we can rely on, and
// only by whose turn it is: the others see soon that it is here.
std::optional<PieceIndex> SwarmPeer::pick_across(NeighbourSlot neighbour) noexcept
{
    const auto theirs = have_[neighbour];
    elsewhere_.assign(theirs.begin(), theirs.end());
    for (std::size_t slot = 0; slot < neighbours_.size(); ++slot) {
        const auto& them = neighbours_[slot];
        if (!them.present || them.across || them.seed || (!them.answers && them.strikes != 0)) continue;
        const auto ours = have_[slot];
        for (std::size_t at = 0; at < elsewhere_.size(); ++at) elsewhere_[at] &= ~ours[at];
    }
    PieceWord turn = 0;
    for (auto bit = turn_ % turns(); bit < pieces_of_word; bit += turns()) turn |= PieceWord{1} << bit;
    for (auto& word : elsewhere_) word &= turn;
    return picker_.pick(elsewhere_);
}

}  // namespace entrepot

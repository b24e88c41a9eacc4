#pragma once

#include "swarm/peer/neighbour.hpp"
#include "swarm/piece.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace entrepot {

// What was asked for and hasn't come: a few dozen at most, so a plain list.
class AskBook {
public:
    struct Ask {
        PieceIndex piece;
        NeighbourSlot neighbour;
        SwarmTime since;
        std::uint64_t bytes;
        // Not so what the registry shows, nor what somebody on trial is asked for: that comes when it comes.
        bool in_pipeline;
        bool late = false;  // given up; kept to learn how long it took after all
    };

    const std::vector<Ask>& all() const noexcept { return asks_; }
    // In the pipeline.
    std::uint64_t bytes() const noexcept { return bytes_; }

    void add(const Ask& ask)
    {
        asks_.push_back(ask);
        if (ask.in_pipeline) bytes_ += ask.bytes;
    }

    std::optional<Ask> remove(NeighbourSlot neighbour, PieceIndex piece)
    {
        return remove_first([&](const Ask& ask) { return ask.neighbour == neighbour && ask.piece == piece; });
    }

    // The first that `matches`, taken out.
    template <class Matches>
    std::optional<Ask> remove_first(Matches matches)
    {
        const auto found = std::ranges::find_if(asks_, matches);
        if (found == asks_.end()) return std::nullopt;
        const auto ask = *found;
        *found = asks_.back();
        asks_.pop_back();
        if (ask.in_pipeline) bytes_ -= ask.bytes;
        return ask;
    }

    // Gives up on one that is not late already and that `matches`.
    template <class Matches>
    std::optional<Ask> give_up_first(Matches matches)
    {
        const auto found = std::ranges::find_if(asks_, [&](const Ask& ask) { return !ask.late && matches(ask); });
        if (found == asks_.end()) return std::nullopt;
        const auto ask = *found;
        if (found->in_pipeline) bytes_ -= found->bytes;
        found->in_pipeline = false;
        found->late = true;
        return ask;
    }

    // Still awaited.
    bool has(PieceIndex piece) const noexcept
    {
        return std::ranges::any_of(asks_, [piece](const Ask& ask) { return ask.piece == piece && !ask.late; });
    }

private:
    std::vector<Ask> asks_;
    std::uint64_t bytes_ = 0;
};

}  // namespace entrepot

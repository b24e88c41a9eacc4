#pragma once

#include "swarm/picker/piece_set.hpp"
#include "swarm/piece.hpp"
#include "swarm/swarm_random.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace entrepot {

// Which piece a node asks for next: the rarest among its neighbours, inside a window ahead of where the image is being
// read, so that what is here is mostly what can be streamed already. Every piece is missing, taken (asked for) or held.
// Memory: 1 byte and 2 bits for each piece. Not safe across threads.
class PiecePicker {
public:
    // `window` in pieces from the first missing one on, at least 1; readers are at piece 0 until told otherwise.
    PiecePicker(std::uint32_t pieces, std::uint32_t window, std::uint64_t seed);

    const PieceSet& held() const noexcept { return held_; }
    // Open: neither held nor taken.
    bool is_open(PieceIndex piece) const noexcept { return open_.contains(piece); }
    std::uint32_t open() const noexcept { return open_.count(); }
    std::uint32_t missing() const noexcept { return held_.size() - held_.count(); }
    // How many neighbours have it, up to 255.
    std::uint32_t holders(PieceIndex piece) const noexcept { return holders_[piece]; }

    void add_holder(PieceIndex piece) noexcept;
    void remove_holder(PieceIndex piece) noexcept;

    // The best open piece that `theirs` has, as many words as ours; nullopt: none, as far as the window goes. What is
    // urgent comes first, and whatever the window.
    std::optional<PieceIndex> pick(std::span<const PieceWord> theirs) noexcept;
    // The same among the taken ones and without a window: for asking a second neighbour.
    std::optional<PieceIndex> pick_again(std::span<const PieceWord> theirs) noexcept;

    void take(PieceIndex piece) noexcept { open_.erase(piece); }
    // An answer that won't come. No effect on what is held.
    void put_back(PieceIndex piece) noexcept;
    // False when it was held already.
    bool hold(PieceIndex piece) noexcept;
    // It is gone from the disk: missing again.
    void lose(PieceIndex piece) noexcept;

    // Where the image is being read: windows start there, and go round at the end. At most 8 are kept, the latest.
    void read_at(PieceIndex piece);
    // Somebody waits for these now.
    void urge(PieceRange range);

    std::uint32_t window() const noexcept { return window_; }
    void set_window(std::uint32_t pieces) noexcept { window_ = pieces == 0 ? 1 : pieces; }
    bool window_covers_all() const noexcept { return window_ >= held_.size(); }

private:
    struct Best;
    std::optional<PieceIndex> pick_urgent(std::span<const PieceWord> theirs) noexcept;
    void look_ahead(std::span<const PieceWord> theirs, PieceIndex from, std::uint32_t window, Best& best) noexcept;
    void sample(std::span<const PieceWord> theirs, Best& best) noexcept;
    void consider(PieceWord candidates, std::size_t word, Best& best) noexcept;

    PieceSet held_;
    PieceSet open_;
    std::vector<std::uint8_t> holders_;
    std::vector<PieceIndex> readers_;
    std::vector<PieceIndex> urgent_;
    std::uint32_t window_;
    SwarmRandom random_;
};

}  // namespace entrepot

#include "swarm/peer/super_seed.hpp"

#include <algorithm>
#include <limits>

namespace entrepot {

namespace {

constexpr std::uint32_t compared_pieces = 256;
constexpr auto most_copies = std::numeric_limits<std::uint8_t>::max();

}  // namespace

SuperSeed::SuperSeed(
    const PieceLayout& layout, const SeedPolicy& policy, SeedLinks& links, PieceIndex first, std::uint64_t seed
)
    : layout_{layout}, policy_{policy}, links_{links}, random_{seed}, copies_(layout.pieces(), 0), first_{first}
{
}

std::span<PieceWord> SuperSeed::theirs(NeighbourSlot neighbour) noexcept
{
    const auto words = words_for(layout_.pieces());
    return std::span{have_}.subspan(neighbour * words, words);
}

std::optional<NeighbourSlot> SuperSeed::add_neighbour()
{
    auto free = std::ranges::find(viewers_, false, &Viewer::present);
    if (free == viewers_.end()) {
        if (viewers_.size() == most_neighbours) return std::nullopt;
        viewers_.emplace_back();
        have_.resize(have_.size() + words_for(layout_.pieces()));
        free = viewers_.end() - 1;
    }
    free->present = true;
    ++present_;
    const auto neighbour = static_cast<NeighbourSlot>(free - viewers_.begin());
    show_more(neighbour);
    return neighbour;
}

void SuperSeed::remove_neighbour(NeighbourSlot neighbour)
{
    auto& viewer = viewers_[neighbour];
    for (const auto piece : viewer.shown) {
        if (copies_[piece] != 0) --copies_[piece];
        shown_bytes_ -= layout_.bytes_of(piece);
        if (copies_[piece] == 0) returned_.push_back(piece);
    }
    std::ranges::fill(theirs(neighbour), PieceWord{0});
    viewer = {};
    --present_;
}

void SuperSeed::has(NeighbourSlot neighbour, std::span<const PieceRange> ranges)
{
    auto& viewer = viewers_[neighbour];
    const auto words = theirs(neighbour);
    for (const auto range : ranges) {
        for (auto piece = range.first; piece < range.first + range.count; ++piece) {
            auto& word = words[piece / pieces_of_word];
            const auto bit = PieceWord{1} << (piece % pieces_of_word);
            if ((word & bit) != 0) continue;
            word |= bit;
            ++viewer.pieces;
            const auto shown = std::ranges::find(viewer.shown, piece);
            if (shown != viewer.shown.end())
                viewer.shown.erase(shown);
            else if (copies_[piece] != most_copies)
                ++copies_[piece];
        }
    }
    show_more(neighbour);
}

void SuperSeed::sent(NeighbourSlot neighbour, PieceIndex piece)
{
    sent_bytes_ += layout_.bytes_of(piece);
    auto& viewer = viewers_[neighbour];
    const auto shown = std::ranges::find(viewer.shown, piece);
    if (shown == viewer.shown.end()) return;
    viewer.shown.erase(shown);
    // It counts as theirs from now on: their announcement comes when it has arrived.
    theirs(neighbour)[piece / pieces_of_word] |= PieceWord{1} << (piece % pieces_of_word);
    ++viewer.pieces;
    show_more(neighbour);
}

void SuperSeed::show_more(NeighbourSlot neighbour)
{
    auto& viewer = viewers_[neighbour];
    boost::container::small_vector<PieceRange, 4> ranges;
    while (viewer.shown.size() < policy_.shown_pieces) {
        const auto piece = next_for(neighbour);
        if (!piece) break;
        viewer.shown.push_back(*piece);
        if (copies_[*piece] != most_copies) ++copies_[*piece];
        shown_bytes_ += layout_.bytes_of(*piece);
        ranges.push_back({.first = *piece, .count = 1});
    }
    if (!ranges.empty()) links_.reveal(neighbour, ranges);
}

bool SuperSeed::lacks(NeighbourSlot neighbour, PieceIndex piece) noexcept
{
    return !contains(theirs(neighbour), piece) &&
           std::ranges::find(viewers_[neighbour].shown, piece) == viewers_[neighbour].shown.end();
}

std::optional<PieceIndex> SuperSeed::next_for(NeighbourSlot neighbour)
{
    if (const auto piece = returned_for(neighbour)) return piece;
    while (shown_once_ < layout_.pieces()) {
        const auto piece = (first_ + shown_once_) % layout_.pieces();
        if (copies_[piece] == 0 && !lacks(neighbour, piece)) break;
        ++shown_once_;
        if (copies_[piece] == 0) return piece;
    }
    const auto offered = policy_.offered_copies * static_cast<double>(layout_.bytes());
    if (static_cast<double>(shown_bytes_) >= offered) return std::nullopt;
    return rarest_for(neighbour);
}

std::optional<PieceIndex> SuperSeed::returned_for(NeighbourSlot neighbour)
{
    std::erase_if(returned_, [this](PieceIndex piece) { return copies_[piece] != 0; });
    const auto found = std::ranges::find_if(returned_, [&](PieceIndex piece) { return lacks(neighbour, piece); });
    if (found == returned_.end()) return std::nullopt;
    const auto piece = *found;
    returned_.erase(found);
    return piece;
}

// Of a stretch of the image that begins anywhere.
std::optional<PieceIndex> SuperSeed::rarest_for(NeighbourSlot neighbour)
{
    std::optional<PieceIndex> rarest;
    if (viewers_[neighbour].pieces >= layout_.pieces()) return rarest;
    const auto start = random_.below(layout_.pieces());
    const auto all = layout_.pieces();
    for (std::uint32_t step = 0, compared = 0; step < all && compared < compared_pieces; ++step) {
        const auto piece = (start + step) % all;
        if (!lacks(neighbour, piece)) continue;
        ++compared;
        if (!rarest || copies_[piece] < copies_[*rarest]) rarest = piece;
    }
    return rarest;
}

}  // namespace entrepot

#include "swarm/picker/piece_picker.hpp"

#include <algorithm>
#include <limits>

namespace entrepot {

namespace {

// So many candidates are compared where there is no window. Among so many the rarest is nearly as rare as among all,
// and 40,000 pieces of a large image don't make a pick slow.
constexpr std::uint32_t sample_candidates = 128;
constexpr std::size_t most_readers = 8;

}  // namespace

struct PiecePicker::Best {
    PieceIndex piece = 0;
    std::uint32_t holders = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t ties = 0;
    std::uint32_t seen = 0;

    std::optional<PieceIndex> found() const noexcept { return seen == 0 ? std::nullopt : std::optional{piece}; }
};

PiecePicker::PiecePicker(std::uint32_t pieces, std::uint32_t window, std::uint64_t seed)
    : held_{pieces}, open_{pieces, true}, holders_(pieces, 0), window_{std::max(window, 1U)}, random_{seed}
{
}

void PiecePicker::add_holder(PieceIndex piece) noexcept
{
    if (holders_[piece] != std::numeric_limits<std::uint8_t>::max()) ++holders_[piece];
}

void PiecePicker::remove_holder(PieceIndex piece) noexcept
{
    if (holders_[piece] != 0) --holders_[piece];
}

std::optional<PieceIndex> PiecePicker::pick(std::span<const PieceWord> theirs) noexcept
{
    if (open_.empty()) return std::nullopt;
    if (!urgent_.empty()) {
        if (const auto urgent = pick_urgent(theirs)) return urgent;
    }
    Best best;
    if (window_covers_all()) {
        sample(theirs, best);
    } else if (readers_.empty()) {
        look_ahead(theirs, 0, window_, best);
    } else {
        const auto share = std::max(window_ / static_cast<std::uint32_t>(readers_.size()), 1U);
        for (const auto from : readers_) look_ahead(theirs, from, share, best);
    }
    return best.found();
}

std::optional<PieceIndex> PiecePicker::pick_again(std::span<const PieceWord> theirs) noexcept
{
    Best best;
    const auto held = held_.words();
    const auto open = open_.words();
    for (std::size_t at = 0; at < held.size() && best.seen < sample_candidates; ++at)
        consider(theirs[at] & ~held[at] & ~open[at], at, best);
    return best.found();
}

std::optional<PieceIndex> PiecePicker::pick_urgent(std::span<const PieceWord> theirs) noexcept
{
    std::erase_if(urgent_, [this](PieceIndex piece) { return held_.contains(piece); });
    for (const auto piece : urgent_) {
        if (open_.contains(piece) && contains(theirs, piece)) return piece;
    }
    return std::nullopt;
}

void PiecePicker::look_ahead(
    std::span<const PieceWord> theirs, PieceIndex from, std::uint32_t window, Best& best
) noexcept
{
    const auto held = held_.words();
    const auto open = open_.words();
    const auto words = held.size();
    // Counted from the first piece that is missing: a window that slides over gaps would leave what is common for ever.
    std::uint32_t left = window;
    bool begun = false;
    auto at = from / pieces_of_word;
    auto mask = ~PieceWord{0} << (from % pieces_of_word);
    for (std::size_t step = 0; step < words && left > 0; ++step) {
        const auto missing = ~held[at] & mask;
        if (!begun && missing != 0) {
            begun = true;
            mask &= ~PieceWord{0} << static_cast<std::uint32_t>(std::countr_zero(missing));
        }
        if (begun) {
            const auto width = static_cast<std::uint32_t>(std::popcount(mask));
            // The rest of the last word, without what is beyond the window.
            if (width > left) mask &= (mask & (~mask + 1)) * ((PieceWord{1} << left) - 1);
            consider(theirs[at] & open[at] & mask, at, best);
            left -= std::min(left, width);
        }
        mask = ~PieceWord{0};
        at = at + 1 == words ? 0 : at + 1;
    }
}

void PiecePicker::sample(std::span<const PieceWord> theirs, Best& best) noexcept
{
    const auto open = open_.words();
    auto at = random_.below(static_cast<std::uint32_t>(open.size()));
    for (std::size_t step = 0; step < open.size() && best.seen < sample_candidates; ++step) {
        consider(theirs[at] & open[at], at, best);
        at = at + 1 == open.size() ? 0 : at + 1;
    }
}

// Among equally rare ones each is as likely: neighbours with the same view would all choose the same one otherwise.
void PiecePicker::consider(PieceWord candidates, std::size_t word, Best& best) noexcept
{
    for_each_piece(candidates, word, [&](PieceIndex piece) {
        const std::uint32_t holders = holders_[piece];
        ++best.seen;
        if (holders > best.holders) return;
        best.ties = holders < best.holders ? 1 : best.ties + 1;
        if (best.ties == 1 || random_.below(best.ties) == 0) best.piece = piece;
        best.holders = holders;
    });
}

void PiecePicker::put_back(PieceIndex piece) noexcept
{
    if (!held_.contains(piece)) open_.insert(piece);
}

bool PiecePicker::hold(PieceIndex piece) noexcept
{
    open_.erase(piece);
    return held_.insert(piece);
}

void PiecePicker::lose(PieceIndex piece) noexcept
{
    if (held_.erase(piece)) open_.insert(piece);
}

void PiecePicker::read_at(PieceIndex piece)
{
    std::erase(readers_, piece);
    if (readers_.size() >= most_readers) readers_.erase(readers_.begin());
    readers_.push_back(piece);
}

void PiecePicker::urge(PieceRange range)
{
    for (auto piece = range.first; piece < range.first + range.count; ++piece) {
        if (!held_.contains(piece) && std::ranges::find(urgent_, piece) == urgent_.end()) urgent_.push_back(piece);
    }
}

}  // namespace entrepot

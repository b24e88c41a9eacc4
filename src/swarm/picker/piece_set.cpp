#include "swarm/picker/piece_set.hpp"

namespace entrepot {

PieceSet::PieceSet(std::uint32_t pieces, bool full)
    : size_{pieces}, count_{full ? pieces : 0}, words_(words_for(pieces), full ? ~PieceWord{0} : PieceWord{0})
{
    if (const auto rest = pieces % pieces_of_word; full && rest != 0) words_.back() = (PieceWord{1} << rest) - 1;
}

bool PieceSet::insert(PieceIndex piece) noexcept
{
    auto& word = words_[piece / pieces_of_word];
    const auto bit = PieceWord{1} << (piece % pieces_of_word);
    if ((word & bit) != 0) return false;
    word |= bit;
    ++count_;
    return true;
}

bool PieceSet::erase(PieceIndex piece) noexcept
{
    auto& word = words_[piece / pieces_of_word];
    const auto bit = PieceWord{1} << (piece % pieces_of_word);
    if ((word & bit) == 0) return false;
    word &= ~bit;
    --count_;
    return true;
}

std::vector<PieceRange> PieceSet::runs() const
{
    std::vector<PieceRange> found;
    for (std::size_t at = 0; at < words_.size(); ++at) {
        for_each_piece(words_[at], at, [&](PieceIndex piece) {
            if (!found.empty() && found.back().first + found.back().count == piece)
                ++found.back().count;
            else
                found.push_back({.first = piece, .count = 1});
        });
    }
    return found;
}

}  // namespace entrepot

#pragma once

#include "swarm/piece.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace entrepot {

// Sets of pieces as bits, 64 to a word. The words are open to see, because picking works on whole words.
using PieceWord = std::uint64_t;
inline constexpr std::uint32_t pieces_of_word = 64;

constexpr std::size_t words_for(std::uint32_t pieces) noexcept
{
    return (std::size_t{pieces} + pieces_of_word - 1) / pieces_of_word;
}

constexpr bool contains(std::span<const PieceWord> words, PieceIndex piece) noexcept
{
    return ((words[piece / pieces_of_word] >> (piece % pieces_of_word)) & 1U) != 0;
}

// Calls visit(piece) for each bit of the word at `index`, the lowest first.
template <class Visitor>
constexpr void for_each_piece(PieceWord word, std::size_t index, Visitor&& visit)
{
    const auto first = static_cast<PieceIndex>(index * pieces_of_word);
    for (; word != 0; word &= word - 1) visit(first + static_cast<PieceIndex>(std::countr_zero(word)));
}

// Calls visit(index, mask) for each word that has pieces of `range`.
template <class Visitor>
constexpr void for_each_word(PieceRange range, Visitor&& visit)
{
    const auto end = range.first + range.count;
    for (auto first = range.first; first < end;) {
        const auto bit = first % pieces_of_word;
        const auto width = std::min(pieces_of_word - bit, end - first);
        visit(std::size_t{first / pieces_of_word}, (~PieceWord{0} >> (pieces_of_word - width)) << bit);
        first += width;
    }
}

class PieceSet {
public:
    explicit PieceSet(std::uint32_t pieces, bool full = false);

    std::uint32_t size() const noexcept { return size_; }
    std::uint32_t count() const noexcept { return count_; }
    bool full() const noexcept { return count_ == size_; }
    bool empty() const noexcept { return count_ == 0; }
    bool contains(PieceIndex piece) const noexcept { return entrepot::contains(words_, piece); }
    std::span<const PieceWord> words() const noexcept { return words_; }

    // True when that changed anything. `piece` < size().
    bool insert(PieceIndex piece) noexcept;
    bool erase(PieceIndex piece) noexcept;

    // The maximal runs of what is in the set, in order.
    std::vector<PieceRange> runs() const;

private:
    std::uint32_t size_;
    std::uint32_t count_ = 0;
    std::vector<PieceWord> words_;
};

}  // namespace entrepot

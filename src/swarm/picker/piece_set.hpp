#pragma once

#include "swarm/piece.hpp"

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

#pragma once

#include "swarm/picker/piece_set.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace entrepot {

// What each neighbour has: a row of bits for each, one behind the other in memory.
class PieceRows {
public:
    explicit PieceRows(std::uint32_t pieces) : width_{words_for(pieces)} {}

    std::span<const PieceWord> operator[](std::size_t row) const noexcept
    {
        return std::span{words_}.subspan(row * width_, width_);
    }
    // An empty one, at the end.
    void add_row() { words_.resize(words_.size() + width_); }

    // Below, `range` lies within the row. visit(piece) is called for each piece that was not there, or that was.
    template <class Visitor>
    void insert(std::size_t row, PieceRange range, Visitor&& visit)
    {
        for_each_word(range, [&](std::size_t at, PieceWord mask) {
            auto& word = words_[row * width_ + at];
            const auto fresh = mask & ~word;
            word |= mask;
            for_each_piece(fresh, at, visit);
        });
    }
    template <class Visitor>
    void erase(std::size_t row, PieceRange range, Visitor&& visit)
    {
        for_each_word(range, [&](std::size_t at, PieceWord mask) {
            auto& word = words_[row * width_ + at];
            const auto gone = mask & word;
            word &= ~mask;
            for_each_piece(gone, at, visit);
        });
    }
    bool has_all(std::size_t row, PieceRange range) const noexcept
    {
        bool all = true;
        for_each_word(range, [&](std::size_t at, PieceWord mask) {
            all = all && (mask & ~words_[row * width_ + at]) == 0;
        });
        return all;
    }

private:
    std::size_t width_;
    std::vector<PieceWord> words_;
};

}  // namespace entrepot

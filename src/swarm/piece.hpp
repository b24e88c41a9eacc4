#pragma once

#include <compare>
#include <cstdint>

namespace entrepot {

// What a swarm counts in. A chunk is 256 KiB of one blob, its last one shorter: the unit that is hashed, asked for and
// sent. A piece is a run of chunks of one blob, as many as the image's descriptor says (1 to 64): the unit that is
// announced and picked. Both are numbered through all blobs of the image, in the order of its descriptor.
using ChunkIndex = std::uint32_t;
using PieceIndex = std::uint32_t;

inline constexpr std::uint64_t chunk_bytes = 256 * 1024;
inline constexpr std::uint32_t most_chunks_of_piece = 64;

struct PieceRange {
    PieceIndex first = 0;
    std::uint32_t count = 0;

    std::strong_ordering operator<=>(const PieceRange&) const noexcept = default;
};

struct ChunkSpan {
    ChunkIndex first = 0;
    std::uint32_t count = 0;

    std::strong_ordering operator<=>(const ChunkSpan&) const noexcept = default;
};

}  // namespace entrepot

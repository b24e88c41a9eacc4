#pragma once

#include "core/error.hpp"
#include "swarm/descriptor/described_blob.hpp"
#include "swarm/picker/piece_set.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace entrepot {

// The index file of one blob (docs/formats/chunk-store.md): what it is, the hashes of its chunks, and which of these
// are in its file, twice. Pure; safe from any thread. Parsers answer corrupt for anything that the encoders don't
// write.

// Chunks of one blob as a set, numbered within it.
using ChunkSet = PieceSet;

inline constexpr std::size_t chunk_index_head_bytes = 88;

// Where the parts of the index of a blob lie, in bytes. The blob has at most most_listed_chunks.
struct ChunkIndexShape {
    explicit ChunkIndexShape(const DescribedBlob& blob) noexcept
        : chunks{static_cast<std::uint32_t>(chunk_count(blob.size))},
          hashes_bytes{std::size_t{chunks} * sizeof(Sha256)},
          slots_offset{chunk_index_head_bytes + hashes_bytes},
          slot_bytes{8 + (std::size_t{chunks} + 7) / 8 + 8},
          bytes{slots_offset + 2 * slot_bytes}
    {
    }

    std::size_t slot_offset(std::uint64_t sequence) const noexcept
    {
        return slots_offset + (sequence % 2 == 0 ? 0 : slot_bytes);
    }

    std::uint32_t chunks;
    std::size_t hashes_bytes;
    std::size_t slots_offset;
    std::size_t slot_bytes;
    std::size_t bytes;  // of the whole file
};

// Which chunks are here. Each state that is written has the next sequence number, and takes the place of the one before
// the last: one of the two is whole, whenever the writer dies.
struct ChunkIndexSlot {
    std::uint64_t sequence = 0;
    ChunkSet here;
};

// A new index, with none of the chunks. `hashes` are as many as the blob has chunks.
std::string encode_chunk_index(const DescribedBlob& blob, std::span<const Sha256> hashes);
// One slot, for slot_offset(sequence).
std::string encode_chunk_index_slot(const DescribedBlob& blob, std::uint64_t sequence, const ChunkSet& here);

// Of the first chunk_index_head_bytes, or more. What it answers has at most most_listed_chunks.
Result<DescribedBlob> parse_chunk_index_head(std::span<const std::byte> bytes);
// Of both slots' bytes: the newer one of those that are whole.
Result<ChunkIndexSlot> parse_chunk_index_slots(const DescribedBlob& blob, std::span<const std::byte> bytes);

}  // namespace entrepot

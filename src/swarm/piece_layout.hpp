#pragma once

#include "core/error.hpp"
#include "swarm/piece.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace entrepot {

// How the blobs of an image are cut into chunks and pieces. Pieces never span blobs, so what is held because of one
// image counts for another with the same blob and the same cut. Immutable; safe from any thread.
class PieceLayout {
public:
    // Bounds of what others may describe to us: 2^20 pieces, 2^26 chunks (16 TiB).
    static constexpr std::uint32_t most_pieces = 1U << 20U;
    static constexpr std::uint32_t most_chunks = 1U << 26U;

    // `blob_sizes` in bytes, in the order of the image's descriptor; blobs of 0 bytes have no pieces.
    // size_invalid: a cut that is no power of two up to most_chunks_of_piece, or more pieces or chunks than the bounds.
    static Result<PieceLayout> of(std::span<const std::uint64_t> blob_sizes, std::uint32_t chunks_of_piece);

    // The cut for an image of so many bytes: the finest that leaves at most 4,096 pieces. More are not worth their
    // announcements, fewer make each hop longer (docs/decisions/0028-swarm-core.md).
    static std::uint32_t chunks_of_piece_for(std::uint64_t image_bytes) noexcept;

    std::uint32_t pieces() const noexcept { return pieces_; }
    std::uint32_t chunks() const noexcept { return chunks_; }
    std::uint64_t bytes() const noexcept { return bytes_; }
    // Whether all of a run, as a stranger names it, is of this image.
    bool contains(PieceRange range) const noexcept
    {
        return range.first < pieces_ && range.count <= pieces_ - range.first;
    }
    bool contains(ChunkSpan span) const noexcept { return span.first < chunks_ && span.count <= chunks_ - span.first; }
    std::uint32_t chunks_of_piece() const noexcept { return chunks_of_piece_; }
    // Of all but the last piece of each blob.
    std::uint64_t piece_bytes() const noexcept { return chunk_bytes * chunks_of_piece_; }
    std::uint32_t blobs() const noexcept { return static_cast<std::uint32_t>(blobs_.size()); }

    // Below, `piece` < pieces() and `blob` < blobs().
    std::uint32_t blob_of(PieceIndex piece) const noexcept;
    PieceRange pieces_of(std::uint32_t blob) const noexcept;
    ChunkSpan chunks_of(PieceIndex piece) const noexcept;
    std::uint64_t bytes_of(PieceIndex piece) const noexcept;
    // `chunk` < chunks(); the run lies within the image.
    PieceIndex piece_of_chunk(ChunkIndex chunk) const noexcept;
    std::uint64_t bytes_of_chunks(ChunkSpan span) const noexcept;
    std::uint64_t offset_in_blob(PieceIndex piece) const noexcept;

private:
    struct Blob {
        std::uint64_t bytes;
        PieceIndex first_piece;
        ChunkIndex first_chunk;
    };

    PieceLayout() = default;

    std::vector<Blob> blobs_;
    std::uint32_t chunks_of_piece_ = 1;
    std::uint32_t pieces_ = 0;
    std::uint32_t chunks_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace entrepot

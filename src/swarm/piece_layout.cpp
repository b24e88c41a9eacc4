#include "swarm/piece_layout.hpp"

#include <algorithm>
#include <bit>

namespace entrepot {

namespace {

constexpr std::uint64_t enough_pieces = 4096;

constexpr std::uint64_t ceiling(std::uint64_t value, std::uint64_t unit) noexcept
{
    return value / unit + (value % unit == 0 ? 0 : 1);
}

}  // namespace

Result<PieceLayout> PieceLayout::of(std::span<const std::uint64_t> blob_sizes, std::uint32_t chunks_of_piece)
{
    if (!std::has_single_bit(chunks_of_piece) || chunks_of_piece > most_chunks_of_piece)
        return fail(Errc::size_invalid, "a piece is 1, 2, 4, … or 64 chunks");
    PieceLayout layout;
    layout.chunks_of_piece_ = chunks_of_piece;
    layout.blobs_.reserve(blob_sizes.size());
    for (const auto size : blob_sizes) {
        const auto chunks = ceiling(size, chunk_bytes);
        const auto pieces = ceiling(chunks, chunks_of_piece);
        if (chunks > most_chunks - layout.chunks_ || pieces > most_pieces - layout.pieces_)
            return fail(Errc::size_invalid, "the image is too large, or cut too finely, for a swarm");
        layout.blobs_.push_back({.bytes = size, .first_piece = layout.pieces_, .first_chunk = layout.chunks_});
        layout.chunks_ += static_cast<std::uint32_t>(chunks);
        layout.pieces_ += static_cast<std::uint32_t>(pieces);
        layout.bytes_ += size;
    }
    return layout;
}

std::uint32_t PieceLayout::chunks_of_piece_for(std::uint64_t image_bytes) noexcept
{
    std::uint32_t chunks = 1;
    while (chunks < most_chunks_of_piece && image_bytes > enough_pieces * chunks * chunk_bytes) chunks *= 2;
    return chunks;
}

std::uint32_t PieceLayout::blob_of(PieceIndex piece) const noexcept
{
    // The last blob that begins at or before the piece; empty blobs before it begin at the same number.
    const auto after = std::ranges::upper_bound(blobs_, piece, {}, &Blob::first_piece);
    return static_cast<std::uint32_t>(after - blobs_.begin()) - 1;
}

PieceRange PieceLayout::pieces_of(std::uint32_t blob) const noexcept
{
    const auto first = blobs_[blob].first_piece;
    const auto end = blob + 1 < blobs_.size() ? blobs_[blob + 1].first_piece : pieces_;
    return {.first = first, .count = end - first};
}

ChunkSpan PieceLayout::chunks_of(PieceIndex piece) const noexcept
{
    const auto index = blob_of(piece);
    const auto& blob = blobs_[index];
    const auto first = blob.first_chunk + (piece - blob.first_piece) * chunks_of_piece_;
    const auto end = index + 1 < blobs_.size() ? blobs_[index + 1].first_chunk : chunks_;
    return {.first = first, .count = std::min(chunks_of_piece_, end - first)};
}

std::uint64_t PieceLayout::bytes_of(PieceIndex piece) const noexcept
{
    return std::min(piece_bytes(), blobs_[blob_of(piece)].bytes - offset_in_blob(piece));
}

PieceIndex PieceLayout::piece_of_chunk(ChunkIndex chunk) const noexcept
{
    const auto& blob = *(std::ranges::upper_bound(blobs_, chunk, {}, &Blob::first_chunk) - 1);
    return blob.first_piece + (chunk - blob.first_chunk) / chunks_of_piece_;
}

std::uint64_t PieceLayout::bytes_of_chunks(ChunkSpan span) const noexcept
{
    std::uint64_t bytes = 0;
    auto blob = std::ranges::upper_bound(blobs_, span.first, {}, &Blob::first_chunk) - 1;
    for (auto chunk = span.first; chunk < span.first + span.count;) {
        const auto next = blob + 1 < blobs_.end() ? (blob + 1)->first_chunk : chunks_;
        const auto end = std::min(next, span.first + span.count);
        const auto reach = std::min(std::uint64_t{end - blob->first_chunk} * chunk_bytes, blob->bytes);
        bytes += reach - std::min(std::uint64_t{chunk - blob->first_chunk} * chunk_bytes, reach);
        chunk = end;
        ++blob;
    }
    return bytes;
}

std::uint64_t PieceLayout::offset_in_blob(PieceIndex piece) const noexcept
{
    return (piece - blobs_[blob_of(piece)].first_piece) * piece_bytes();
}

}  // namespace entrepot

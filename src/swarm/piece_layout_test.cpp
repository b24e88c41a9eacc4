#include "swarm/piece_layout.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace entrepot {
namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;

PieceLayout layout_of(std::vector<std::uint64_t> sizes, std::uint32_t chunks)
{
    auto layout = PieceLayout::of(sizes, chunks);
    EXPECT_TRUE(layout.has_value());
    return *std::move(layout);
}

TEST(PieceLayout, CutsEachBlobForItself)
{
    // 1 MiB and a byte: two pieces of four chunks; a tiny one; an empty one, which has none; exactly one piece.
    const auto layout = layout_of({mebibyte + 1, 5, 0, mebibyte}, 4);
    EXPECT_EQ(layout.pieces(), 4U);
    EXPECT_EQ(layout.chunks(), 10U);
    EXPECT_EQ(layout.bytes(), 2 * mebibyte + 6);
    EXPECT_EQ(layout.bytes_of(0), mebibyte);
    EXPECT_EQ(layout.bytes_of(1), 1U);
    EXPECT_EQ(layout.bytes_of(2), 5U);
    EXPECT_EQ(layout.bytes_of(3), mebibyte);
    EXPECT_EQ(layout.blob_of(1), 0U);
    EXPECT_EQ(layout.blob_of(2), 1U);
    EXPECT_EQ(layout.blob_of(3), 3U);
    EXPECT_EQ(layout.offset_in_blob(1), mebibyte);
    EXPECT_EQ(layout.pieces_of(0), (PieceRange{.first = 0, .count = 2}));
    EXPECT_EQ(layout.pieces_of(2).count, 0U);
    EXPECT_EQ(layout.chunks_of(0), (ChunkSpan{.first = 0, .count = 4}));
    EXPECT_EQ(layout.chunks_of(1), (ChunkSpan{.first = 4, .count = 1}));
    EXPECT_EQ(layout.chunks_of(3), (ChunkSpan{.first = 6, .count = 4}));
}

TEST(PieceLayout, PiecesAndBytesAddUp)
{
    const auto layout = layout_of({7, 262'144, 262'145, 10 * mebibyte + 3, 0, 1}, 8);
    std::uint64_t bytes = 0;
    std::uint32_t chunks = 0;
    for (PieceIndex piece = 0; piece < layout.pieces(); ++piece) {
        bytes += layout.bytes_of(piece);
        EXPECT_EQ(layout.chunks_of(piece).first, chunks);
        chunks += layout.chunks_of(piece).count;
    }
    for (PieceIndex piece = 0; piece < layout.pieces(); ++piece) {
        const auto span = layout.chunks_of(piece);
        EXPECT_EQ(layout.piece_of_chunk(span.first), piece);
        EXPECT_EQ(layout.piece_of_chunk(span.first + span.count - 1), piece);
        EXPECT_EQ(layout.bytes_of_chunks(span), layout.bytes_of(piece));
    }
    EXPECT_EQ(layout.bytes_of_chunks({.first = 0, .count = layout.chunks()}), layout.bytes());
    EXPECT_EQ(bytes, layout.bytes());
    EXPECT_EQ(chunks, layout.chunks());
}

TEST(PieceLayout, RefusesWhatNoSwarmCanHave)
{
    for (const std::uint32_t chunks : {0U, 3U, 65U, 128U}) EXPECT_FALSE(PieceLayout::of({}, chunks).has_value());
    const std::vector<std::uint64_t> huge{~std::uint64_t{0}};
    EXPECT_EQ(PieceLayout::of(huge, 64).error().code(), Errc::size_invalid);
    const std::vector<std::uint64_t> many(PieceLayout::most_pieces + 1, 1);
    EXPECT_EQ(PieceLayout::of(many, 1).error().code(), Errc::size_invalid);
}

TEST(PieceLayout, CutFollowsTheImage)
{
    EXPECT_EQ(PieceLayout::chunks_of_piece_for(0), 1U);
    EXPECT_EQ(PieceLayout::chunks_of_piece_for(1024 * mebibyte), 1U);
    EXPECT_EQ(PieceLayout::chunks_of_piece_for(1024 * mebibyte + 1), 2U);
    EXPECT_EQ(PieceLayout::chunks_of_piece_for(3'000'000'000), 4U);
    EXPECT_EQ(PieceLayout::chunks_of_piece_for(~std::uint64_t{0}), most_chunks_of_piece);
}

}  // namespace
}  // namespace entrepot

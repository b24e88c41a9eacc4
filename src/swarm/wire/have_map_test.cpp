#include "swarm/wire/have_map.hpp"

#include "core/bytes.hpp"
#include "swarm/wire/frame_splitter.hpp"
#include "swarm/wire/peer_frames.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

constexpr auto handle = SwarmHandle{7};

std::vector<std::uint64_t> words_of(std::uint32_t pieces, std::span<const PieceRange> ranges)
{
    std::vector<std::uint64_t> words((pieces + 63) / 64);
    for (const auto& range : ranges) {
        for (std::uint32_t at = range.first; at < range.first + range.count; ++at)
            words[at / 64] |= std::uint64_t{1} << (at % 64);
    }
    return words;
}

// What a receiver makes of the frames: the words again. Every frame is read from its bytes.
std::vector<std::uint64_t> through_the_wire(std::uint32_t pieces, std::span<const HaveMapFrame> frames)
{
    std::vector<PieceRange> ranges;
    std::uint32_t covered = 0;
    for (const auto& frame : frames) {
        std::string bytes;
        append_frame(bytes, frame);
        EXPECT_LE(bytes.size(), WireLimits::control_frame);
        FrameSplitter splitter;
        splitter.feed(as_bytes(bytes));
        const auto item = splitter.next();
        const auto& whole = std::get<WholeFrame>(**item);
        const auto decoded = decode_peer_frame(whole.head, whole.body);
        EXPECT_TRUE(decoded) << decoded.error().message();
        if (!decoded) return {};
        const auto& map = std::get<HaveMapFrame>(**decoded);
        EXPECT_EQ(map, frame);
        EXPECT_EQ(map.start, covered);
        covered += map.count;
        std::uint32_t last_end = map.start;
        bool first = true;
        map.for_each_range([&](PieceRange range) {
            EXPECT_GT(range.count, 0U);
            EXPECT_TRUE(first ? range.first >= last_end : range.first > last_end) << "not a maximal run";
            last_end = range.first + range.count;
            first = false;
            ranges.push_back(range);
        });
        EXPECT_LE(last_end, map.start + map.count);
    }
    EXPECT_EQ(covered, pieces);
    return words_of(pieces, ranges);
}

TEST(HaveMap, SaysWhatWasPutIn)
{
    std::mt19937_64 random{1};
    for (int round = 0; round < 300; ++round) {
        const auto pieces = static_cast<std::uint32_t>(random() % 3000 + 1);
        std::vector<std::uint64_t> words((pieces + 63) / 64);
        // From sparse to dense, and in runs of all lengths.
        const auto longest = std::uint64_t{1} << (random() % 10);
        bool there = random() % 2 == 0;
        for (std::uint32_t at = 0; at < pieces; there = !there) {
            for (auto left = random() % longest + 1; left > 0 && at < pieces; --left, ++at)
                if (there) words[at / 64] |= std::uint64_t{1} << (at % 64);
        }
        EXPECT_EQ(through_the_wire(pieces, have_maps_of(handle, pieces, words)), words) << pieces;
    }
}

TEST(HaveMap, IsWrittenInTheShorterCoding)
{
    const auto full = have_maps_of(handle, 4096, words_of(4096, std::vector<PieceRange>{{0, 4096}}));
    ASSERT_EQ(full.size(), 1U);
    EXPECT_EQ(full[0].coding, MapCoding::runs);
    EXPECT_EQ(full[0].coded.size(), 3U);
    const std::vector<std::uint64_t> mixed(64, 0x5555'5555'5555'5555U);
    const auto bits = have_maps_of(handle, 4096, mixed);
    EXPECT_EQ(bits[0].coding, MapCoding::bits);
    EXPECT_EQ(bits[0].coded.size(), 512U);
    EXPECT_EQ(have_maps_of(handle, 1, words_of(1, std::vector<PieceRange>{{0, 1}}))[0].coding, MapCoding::bits);
}

TEST(HaveMap, OfNoPiecesIsNoFrame)
{
    EXPECT_TRUE(have_maps_of(handle, 0, {}).empty());
}

TEST(HaveMap, OfTheLargestImageIsFourFrames)
{
    std::mt19937_64 random{2};
    std::vector<std::uint64_t> words(WireLimits::pieces / 64);
    for (auto& word : words) word = random();
    const auto frames = have_maps_of(handle, WireLimits::pieces, words);
    EXPECT_EQ(frames.size(), 4U);
    EXPECT_EQ(through_the_wire(WireLimits::pieces, frames), words);
}

// A set may have more room than the image has pieces; what is in there is not spoken of.
TEST(HaveMap, SaysNothingBeyondTheLastPiece)
{
    for (const std::uint64_t word : {~std::uint64_t{0}, std::uint64_t{0xf555}}) {
        const std::vector<std::uint64_t> words{word, ~std::uint64_t{0}};
        const auto frames = have_maps_of(handle, 13, words);
        EXPECT_EQ(through_the_wire(13, frames), (std::vector<std::uint64_t>{word & 0x1fffU}));
    }
}

TEST(HaveMap, HasRunsAcrossItsOctets)
{
    const HaveMapFrame map{handle, 24, 0, 24, MapCoding::bits, std::string{"\x80\xff\x01", 3}};
    std::vector<PieceRange> ranges;
    map.for_each_range([&ranges](PieceRange range) { ranges.push_back(range); });
    EXPECT_EQ(ranges, (std::vector<PieceRange>{{7, 10}}));
}

}  // namespace
}  // namespace entrepot

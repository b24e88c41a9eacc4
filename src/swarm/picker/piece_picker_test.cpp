#include "swarm/picker/piece_picker.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace entrepot {
namespace {

TEST(PieceSet, KnowsItsRuns)
{
    PieceSet set{130};
    for (const PieceIndex piece : {0U, 1U, 63U, 64U, 65U, 129U}) EXPECT_TRUE(set.insert(piece));
    EXPECT_FALSE(set.insert(64));
    EXPECT_EQ(set.count(), 6U);
    const std::vector<PieceRange> runs{{0, 2}, {63, 3}, {129, 1}};
    EXPECT_EQ(set.runs(), runs);
    EXPECT_TRUE(set.erase(64));
    EXPECT_FALSE(set.erase(64));
    EXPECT_EQ(set.count(), 5U);
}

TEST(PieceSet, FullHasNothingBeyondItsEnd)
{
    for (const std::uint32_t size : {0U, 1U, 63U, 64U, 65U, 200U}) {
        const PieceSet set{size, true};
        EXPECT_TRUE(set.full());
        std::uint32_t bits = 0;
        for (const auto word : set.words()) bits += static_cast<std::uint32_t>(std::popcount(word));
        EXPECT_EQ(bits, size);
    }
}

TEST(PiecePicker, TakesTheRarest)
{
    PiecePicker picker{10, 10, 1};
    const PieceSet all{10, true};
    for (PieceIndex piece = 0; piece < 10; ++piece) {
        picker.add_holder(piece);
        if (piece != 7) picker.add_holder(piece);
    }
    EXPECT_EQ(picker.pick(all.words()), 7U);
}

TEST(PiecePicker, TakesOnlyWhatTheOtherHasAndNobodyWasAskedFor)
{
    PiecePicker picker{200, 200, 1};
    PieceSet theirs{200};
    theirs.insert(3);
    theirs.insert(150);
    picker.take(3);
    EXPECT_EQ(picker.pick(theirs.words()), 150U);
    picker.hold(150);
    EXPECT_EQ(picker.pick(theirs.words()), std::nullopt);
    picker.put_back(3);
    EXPECT_EQ(picker.pick(theirs.words()), 3U);
    picker.put_back(150);
    picker.take(3);
    EXPECT_EQ(picker.pick(theirs.words()), std::nullopt) << "what is held can't be put back";
}

TEST(PiecePicker, StaysInItsWindowUntilTheFirstGapIsFilled)
{
    PiecePicker picker{500, 70, 1};
    const PieceSet all{500, true};
    for (PieceIndex piece = 10; piece < 500; ++piece) picker.add_holder(piece);
    // 0 to 9 are the rarest; after them, 10 to 79 without 30, which someone else was asked for.
    picker.take(30);
    for (PieceIndex piece = 0; piece < 30; ++piece) picker.hold(piece);
    std::map<PieceIndex, int> picked;
    while (const auto piece = picker.pick(all.words())) {
        EXPECT_GE(*piece, 31U);
        EXPECT_LT(*piece, 100U);
        ++picked[*piece];
        picker.hold(*piece);
    }
    EXPECT_EQ(picked.size(), 69U);
    picker.hold(30);
    const auto next = picker.pick(all.words());
    ASSERT_TRUE(next.has_value());
    EXPECT_GE(*next, 100U);
}

TEST(PiecePicker, WindowsOfEveryWidthEndWhereTheyShould)
{
    for (std::uint32_t window = 1; window < 200; ++window) {
        for (const PieceIndex gap : {0U, 1U, 63U, 64U, 100U}) {
            PiecePicker picker{400, window, 1};
            const PieceSet all{400, true};
            for (PieceIndex piece = 0; piece < gap; ++piece) picker.hold(piece);
            std::uint32_t picked = 0;
            while (const auto piece = picker.pick(all.words())) {
                ASSERT_LT(*piece, gap + window);
                picker.take(*piece);
                ++picked;
            }
            ASSERT_EQ(picked, window) << "from " << gap;
        }
    }
}

TEST(PiecePicker, ReadersMoveTheWindow)
{
    PiecePicker picker{1000, 20, 1};
    const PieceSet all{1000, true};
    picker.read_at(500);
    const auto piece = picker.pick(all.words());
    ASSERT_TRUE(piece.has_value());
    EXPECT_GE(*piece, 500U);
    EXPECT_LT(*piece, 520U);
    picker.read_at(990);
    for (int round = 0; round < 20; ++round) {
        const auto next = picker.pick(all.words());
        ASSERT_TRUE(next.has_value());
        picker.take(*next);
        EXPECT_TRUE((*next >= 500 && *next < 510) || *next >= 990) << *next;
    }
}

TEST(PiecePicker, WhatIsUrgentComesFirstWhateverTheWindow)
{
    PiecePicker picker{1000, 10, 1};
    PieceSet theirs{1000, true};
    picker.urge({.first = 900, .count = 2});
    EXPECT_EQ(picker.pick(theirs.words()), 900U);
    picker.take(900);
    EXPECT_EQ(picker.pick(theirs.words()), 901U);
    picker.hold(900);
    picker.hold(901);
    EXPECT_LT(*picker.pick(theirs.words()), 10U);
}

TEST(PiecePicker, EqualOnesAreSpread)
{
    std::map<PieceIndex, int> first;
    const PieceSet all{64, true};
    for (std::uint64_t seed = 0; seed < 2'000; ++seed) ++first[*PiecePicker{64, 64, seed}.pick(all.words())];
    EXPECT_EQ(first.size(), 64U);
    for (const auto& [piece, count] : first) EXPECT_LT(count, 80) << piece;
}

TEST(PiecePicker, WhatIsLostIsMissingAgain)
{
    PiecePicker picker{5, 5, 1};
    const PieceSet all{5, true};
    for (PieceIndex piece = 0; piece < 5; ++piece) EXPECT_TRUE(picker.hold(piece));
    EXPECT_FALSE(picker.hold(2));
    EXPECT_EQ(picker.missing(), 0U);
    picker.lose(2);
    EXPECT_EQ(picker.missing(), 1U);
    EXPECT_EQ(picker.pick(all.words()), 2U);
}

}  // namespace
}  // namespace entrepot

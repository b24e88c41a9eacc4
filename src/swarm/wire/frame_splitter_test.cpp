#include "swarm/wire/frame_splitter.hpp"

#include "core/bytes.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

constexpr auto handle = SwarmHandle{7};

// What came out, as text: "HAVE 14", "DATA 6", the bytes, "end".
std::vector<std::string> read_all_items(FrameSplitter& splitter, std::string& bytes)
{
    std::vector<std::string> items;
    for (;;) {
        const auto item = splitter.next();
        if (!item) {
            items.push_back(item.error().message());
            return items;
        }
        if (!*item) return items;
        if (const auto* whole = std::get_if<WholeFrame>(&**item)) {
            items.push_back(std::string{name_of(whole->head.type)} + " " + to_hex(whole->body));
        } else if (const auto* data = std::get_if<DataFrame>(&**item)) {
            items.push_back("DATA " + std::to_string(data->bytes));
        } else if (const auto* part = std::get_if<DataBytes>(&**item)) {
            EXPECT_FALSE(part->bytes.empty());
            bytes += as_text(part->bytes);
        } else {
            items.push_back("end");
        }
    }
}

std::string stream()
{
    std::string bytes;
    append_frame(bytes, PingFrame{1});
    append_frame(bytes, LeaveFrame{handle});
    append_frame(bytes, DataFrame{handle, 5, {0, 2}, 300});
    bytes += std::string(300, 'x');
    append_frame(bytes, HaveFrame{handle, 3, {{1, 2}}});
    append_frame(bytes, JoinFrame{handle, {}, std::string(100, 't')});
    append_frame(bytes, DataFrame{handle, 6, {0, 1}, 1});
    bytes += "y";
    append_frame(bytes, LeaveFrame{handle});
    return bytes;
}

TEST(FrameSplitter, FindsTheSameFramesWhereverBytesAreCut)
{
    const auto all = stream();
    FrameSplitter whole;
    std::string expected_bytes;
    whole.feed(as_bytes(all));
    const auto expected = read_all_items(whole, expected_bytes);
    EXPECT_EQ(expected.size(), 9U);
    EXPECT_EQ(expected_bytes, std::string(300, 'x') + "y");
    EXPECT_TRUE(whole.between_frames());

    for (std::size_t step = 1; step <= all.size(); ++step) {
        FrameSplitter splitter;
        std::vector<std::string> items;
        std::string bytes;
        for (std::size_t at = 0; at < all.size(); at += step) {
            const std::string part = all.substr(at, step);
            splitter.feed(as_bytes(part));
            std::ranges::move(read_all_items(splitter, bytes), std::back_inserter(items));
        }
        EXPECT_EQ(items, expected) << step;
        EXPECT_EQ(bytes, expected_bytes) << step;
        EXPECT_TRUE(splitter.between_frames()) << step;
    }
}

TEST(FrameSplitter, KnowsWhetherAFrameIsWaitingForItsRest)
{
    const auto all = stream();
    std::size_t ends = 0;
    for (std::size_t size = 0; size <= all.size(); ++size) {
        FrameSplitter splitter;
        std::string bytes;
        splitter.feed(as_bytes(std::string_view{all}.substr(0, size)));
        read_all_items(splitter, bytes);
        ends += splitter.between_frames() ? 1 : 0;
    }
    EXPECT_EQ(ends, 8U) << "before the first of seven frames and behind each";
}

// No copies where a frame has come in one piece, and never of DATA's bytes.
TEST(FrameSplitter, GivesOutTheBytesThatItWasFed)
{
    const auto all = stream();
    const auto* begin = as_bytes(all).data();
    const auto* end = begin + all.size();
    FrameSplitter splitter;
    splitter.feed(as_bytes(all));
    for (;;) {
        const auto item = splitter.next();
        ASSERT_TRUE(item);
        if (!*item) break;
        if (const auto* whole = std::get_if<WholeFrame>(&**item)) {
            EXPECT_TRUE(whole->body.data() >= begin && whole->body.data() <= end);
        } else if (const auto* part = std::get_if<DataBytes>(&**item)) {
            EXPECT_TRUE(part->bytes.data() >= begin && part->bytes.data() < end);
        }
    }
}

TEST(FrameSplitter, TakesTheLongestData)
{
    std::string head;
    append_frame(head, DataFrame{handle, 5, {0, most_chunks_of_piece}, WireLimits::data_bytes});
    FrameSplitter splitter;
    std::string bytes;
    splitter.feed(as_bytes(head));
    EXPECT_EQ(read_all_items(splitter, bytes), std::vector<std::string>{"DATA 16777216"});
    const std::string part(1 << 20, 'x');
    for (int round = 0; round < 16; ++round) {
        std::string came;
        splitter.feed(as_bytes(part));
        const auto items = read_all_items(splitter, came);
        EXPECT_EQ(came, part);
        EXPECT_EQ(items.size(), round == 15 ? 1U : 0U);
    }
    EXPECT_TRUE(splitter.between_frames());
}

TEST(FrameSplitter, TakesTheLongestFrameThatIsNoData)
{
    std::string bytes{"\xfc\xff\x00\x00\x3e\x00\x07\x00", 8};
    bytes.resize(WireLimits::control_frame, 'x');
    for (const std::size_t cut : {std::size_t{3}, std::size_t{8}, std::size_t{5000}, bytes.size()}) {
        FrameSplitter splitter;
        std::string none;
        splitter.feed(as_bytes(std::string_view{bytes}.substr(0, cut)));
        auto items = read_all_items(splitter, none);
        splitter.feed(as_bytes(std::string_view{bytes}.substr(cut)));
        std::ranges::move(read_all_items(splitter, none), std::back_inserter(items));
        ASSERT_EQ(items.size(), 1U);
        EXPECT_TRUE(items[0].starts_with("unknown frame 7878"));
    }
}

TEST(FrameSplitter, StaysBrokenOnceItIs)
{
    std::string bytes{"\xfd\xff\x00\x00\x15\x00\x07\x00", 8};
    FrameSplitter splitter;
    splitter.feed(as_bytes(bytes));
    EXPECT_EQ(splitter.next().error().message(), "HAVE: length: too large");
    EXPECT_EQ(splitter.next().error().code(), Errc::bad_request);
    EXPECT_FALSE(splitter.between_frames());
}

}  // namespace
}  // namespace entrepot

#include "cli/sse_reader.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace entrepot {
namespace {

std::vector<SseEvent> read(SseReader& reader, std::string_view text, std::size_t piece)
{
    std::vector<SseEvent> events;
    for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
        reader.take(text.substr(0, piece), [&](const SseEvent& event) { events.push_back(event); });
    }
    return events;
}

TEST(SseReader, reads_events_whatever_pieces_they_come_in)
{
    const std::string_view text =
        "retry: 2000\n\n: a comment\nid: 1\ndata: one\n\nevent: gap\r\ndata: a\r\ndata:b\r\n\r\n"
        "id: 9\n\ndata: three\n\ndata: not whole";
    for (std::size_t piece = 1; piece < text.size(); ++piece) {
        SseReader reader;
        const auto events = read(reader, text, piece);
        ASSERT_EQ(events.size(), 3U) << piece;
        EXPECT_EQ(events[0].data, "one");
        EXPECT_EQ(events[0].last_id, "1");
        EXPECT_EQ(events[0].name, "");
        EXPECT_EQ(events[1].name, "gap");
        EXPECT_EQ(events[1].data, "a\nb");
        EXPECT_EQ(events[2].last_id, "9");
        EXPECT_EQ(reader.last_id(), "9");
    }
}

}  // namespace
}  // namespace entrepot

// Versions, limits and lists of the frames; what each looks like is in wire_vectors_test.cpp.
#include "core/bytes.hpp"
#include "swarm/wire/control_frames.hpp"
#include "swarm/wire/frame_splitter.hpp"
#include "swarm/wire/peer_frames.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

constexpr auto handle = SwarmHandle{7};

// What a peer of version 1 makes of a connection's bytes; it passes over what it doesn't know.
Result<std::vector<PeerFrame>> read_frames(std::string_view bytes)
{
    FrameSplitter splitter;
    splitter.feed(as_bytes(bytes));
    std::vector<PeerFrame> frames;
    for (;;) {
        TRY(const auto item, splitter.next());
        if (!item) return frames;
        if (const auto* whole = std::get_if<WholeFrame>(&*item)) {
            TRY(auto frame, decode_peer_frame(whole->head, whole->body));
            if (frame) frames.push_back(*std::move(frame));
        } else if (const auto* data = std::get_if<DataFrame>(&*item)) {
            frames.emplace_back(*data);
        }
    }
}

// A frame as a newer version may write it: `added` behind the fields that we know.
template <class Frame>
std::string grown(const Frame& frame, std::string_view added)
{
    std::string bytes;
    append_frame(bytes, frame);
    bytes += added;
    const auto length = bytes.size() - 4;
    for (std::size_t at = 0; at < 4; ++at) bytes[at] = static_cast<char>(length >> (8 * at) & 0xffU);
    return bytes;
}

std::string unknown_frame(std::uint8_t flags)
{
    std::string bytes{"\x0a\x00\x00\x00\x3e\x00\x07\x00 news!", 14};
    bytes[5] = static_cast<char>(flags);
    return bytes;
}

TEST(WireVersions, TheHighestThatBothSpeakIsUsed)
{
    EXPECT_EQ(common_version({1, 1}, {1, 2}), 1);
    EXPECT_EQ(common_version({1, 4}, {2, 3}), 3);
    EXPECT_EQ(common_version({2, 4}, {4, 9}), 4);
    EXPECT_EQ(common_version({1, 1}, {2, 3}), std::nullopt);
    EXPECT_EQ(common_version({4, 4}, {2, 3}), std::nullopt);
}

TEST(WireVersions, ASenderOfVersion2IsUnderstood)
{
    const HelloFrame hello{.versions = {1, 2}, .zone = "a", .name = "n", .max_credit = 1};
    const HaveFrame have{handle, 9, {{1, 2}}};
    const RequestFrame request{handle, 1, 0, {{0, 4}}};
    const auto bytes = grown(hello, "a field of version 2") + unknown_frame(0) +
                       grown(have, std::string_view{"\0", 1}) + unknown_frame(0xfe) +
                       grown(request, std::string(60'000, '!')) + grown(LeaveFrame{handle}, "why");
    const auto frames = read_frames(bytes);
    ASSERT_TRUE(frames) << frames.error().message();
    EXPECT_EQ(*frames, (std::vector<PeerFrame>{hello, have, request, LeaveFrame{handle}}));
    EXPECT_EQ(common_version(spoken_versions, std::get<HelloFrame>(frames->front()).versions), 1);
}

TEST(WireVersions, WhatMustBeUnderstoodEndsTheConnection)
{
    const auto frames = read_frames(unknown_frame(0) + unknown_frame(must_understand));
    ASSERT_FALSE(frames);
    EXPECT_EQ(frames.error().code(), Errc::bad_request);
}

// A known type is understood, whatever its flags.
TEST(WireVersions, WhatIsKnownMayHaveToBeUnderstood)
{
    std::string bytes;
    append_frame(bytes, LeaveFrame{handle});
    bytes[5] = '\xff';
    EXPECT_EQ(*read_frames(bytes), (std::vector<PeerFrame>{LeaveFrame{handle}}));
}

TEST(WireFrames, AnnouncementsAreSplitWhereTheyAreTooLong)
{
    std::vector<PieceRange> ranges;
    for (std::uint32_t at = 0; at < 2 * WireLimits::have_ranges + 1; ++at) ranges.push_back({at * 2, 1});
    std::string bytes;
    append_have(bytes, handle, 12, ranges);
    const auto frames = read_frames(bytes);
    ASSERT_TRUE(frames);
    ASSERT_EQ(frames->size(), 3U);
    std::vector<PieceRange> read;
    for (const auto& frame : *frames) {
        const auto& have = std::get<HaveFrame>(frame);
        EXPECT_EQ(have.load, 12);
        read.insert(read.end(), have.ranges.begin(), have.ranges.end());
    }
    EXPECT_EQ(read, ranges);
    bytes.clear();
    append_have(bytes, handle, 12, {});
    EXPECT_TRUE(bytes.empty());
}

TEST(WireFrames, AFewRangesNeedNoHeap)
{
    std::string bytes;
    append_have(bytes, handle, 0, std::vector<PieceRange>{{1, 1}, {3, 1}, {5, 1}, {7, 1}, {9, 1}, {11, 1}});
    const auto frames = read_frames(bytes);
    ASSERT_TRUE(frames);
    const auto& have = std::get<HaveFrame>(frames->front());
    const auto* inside = reinterpret_cast<const char*>(&have);
    const auto* first = reinterpret_cast<const char*>(have.ranges.data());
    EXPECT_TRUE(first >= inside && first < inside + sizeof(have));
}

PeerEntry longest_entry()
{
    PeerEntry entry{.zone = std::string(WireLimits::zone, 'z'), .progress = 1000, .seed = true};
    entry.endpoint = {{0x20, 1}, 65535};
    return entry;
}

template <class Frame>
void fits(const Frame& frame)
{
    std::string bytes;
    append_frame(bytes, frame);
    EXPECT_LE(bytes.size(), WireLimits::control_frame) << name_of(Frame::type);
    const FrameHead head{Frame::type, 0, SwarmHandle{static_cast<std::uint8_t>(bytes[6])}};
    const auto body = as_bytes(bytes).subspan(frame_head_bytes);
    if constexpr (std::is_constructible_v<PeerFrame, Frame>) {
        const auto read = decode_peer_frame(head, body);
        ASSERT_TRUE(read) << read.error().message();
        EXPECT_EQ(*read, PeerFrame{frame});
    } else {
        const auto read = decode_control_frame(head, body);
        ASSERT_TRUE(read) << read.error().message();
        EXPECT_EQ(*read, ControlFrame{frame});
    }
}

void control_fits(const ControlFrame& frame)
{
    std::string bytes;
    append_frame(bytes, frame);
    EXPECT_LE(bytes.size(), WireLimits::control_frame);
    FrameSplitter splitter;
    splitter.feed(as_bytes(bytes));
    const auto item = splitter.next();
    ASSERT_TRUE(item && *item);
    const auto& whole = std::get<WholeFrame>(**item);
    const auto read = decode_control_frame(whole.head, whole.body);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(*read, frame);
}

TEST(WireFrames, TheLargestThereMayBeAreReadAsTheyWereWritten)
{
    fits(HelloFrame{
        .zone = std::string(WireLimits::zone, 'z'), .name = std::string(WireLimits::node_name, 'n'), .max_credit = ~0U
    });
    fits(ByeFrame{ByeReason::silence, std::string(WireLimits::text, 't')});
    fits(JoinFrame{handle, {}, std::string(WireLimits::ticket, '\0')});
    HaveFrame have{.handle = handle, .load = 65535};
    have.ranges.assign(WireLimits::have_ranges, PieceRange{0, WireLimits::pieces});
    fits(have);
    RequestFrame request{.handle = handle, .id = ~0U, .priority = 255};
    request.ranges.assign(WireLimits::request_ranges, ChunkSpan{WireLimits::chunks - 64, 64});
    fits(request);
    fits(SuggestFrame{handle, std::vector<PeerEntry>(WireLimits::suggestions, longest_entry())});
    fits(BundleFrame{
        handle, BundlePart::config, ~0UL - WireLimits::bundle_bytes, ~0UL, std::string(WireLimits::bundle_bytes, 'b')
    });
    control_fits(RegisterFrame{
        .name = std::string(WireLimits::node_name, 'n'), .zone = std::string(WireLimits::zone, 'z'), .up = ~0UL
    });
    control_fits(RenewFrame{std::string(WireLimits::certificate_request, 'r')});
    control_fits(CertificateFrame{std::string(WireLimits::certificate, 'c'), std::string(WireLimits::authorities, 'a')}
    );
    control_fits(TicketKeysFrame{std::vector<TicketPublicKey>(WireLimits::ticket_keys)});
    control_fits(AnnounceFrame{.handle = handle, .ticket = std::string(WireLimits::ticket, '\xff')});
    control_fits(NeighboursFrame{handle, true, std::vector<PeerEntry>(WireLimits::neighbours, longest_entry())});
    control_fits(ProgressFrame{std::vector<SwarmProgress>(WireLimits::progress_items, SwarmProgress{handle})});
    control_fits(RefillFrame{handle, RefillReason::few, std::vector<NodeId>(WireLimits::dropped_neighbours)});
    control_fits(TicketFrame{handle, std::string(WireLimits::ticket, '\xff')});
    control_fits(RevokeFrame{RevokedKind::swarms, ~0UL, std::vector<Sha256>(WireLimits::revoked)});
    control_fits(PreheatFrame{
        .repository = std::string(WireLimits::repository, 'r'), .token = std::string(WireLimits::token, 't')
    });
    control_fits(PreheatProgressFrame{.message = std::string(WireLimits::text, 'm')});
}

TEST(WireFrames, EndpointsOfZerosHaveNoAddress)
{
    EXPECT_FALSE(PeerEndpoint{}.has_address());
    EXPECT_FALSE((PeerEndpoint{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 1}.has_address()));
    EXPECT_TRUE((PeerEndpoint{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10}, 1}.has_address()));
    EXPECT_TRUE((PeerEndpoint{{0x20, 1}, 1}.has_address()));
}

TEST(WireFrames, TextsFromElsewhereAreMadeToFit)
{
    EXPECT_EQ(wire_text("no room\nleft\xff", 256), "no room?left?");
    EXPECT_EQ(wire_text("voilà", 6), "voilà");
    EXPECT_EQ(wire_text("voilà", 5), "voil");
    EXPECT_EQ(wire_text("x", 0), "");
    fits(ByeFrame{ByeReason::other, wire_text(std::string(1000, '\t'), WireLimits::text)});
}

TEST(WireFrames, DataIsNotReadLikeTheOthers)
{
    EXPECT_EQ(decode_peer_frame({FrameType::data, 0, handle}, {}).error().code(), Errc::bad_request);
}

}  // namespace
}  // namespace entrepot

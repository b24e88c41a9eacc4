#pragma once

#include "swarm/wire/field_io.hpp"
#include "swarm/wire/peer_frames.hpp"

#include <cstdint>

namespace entrepot {

// The fields of the frames between peers, in the order of the wire: visit_fields(io, value) writes them with a
// FieldWriter and reads them with a FieldReader. What a newer version adds goes to the end.

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<VersionSpan> versions)
{
    io.number("versions", versions.least, std::uint16_t{1});
    io.number("versions", versions.most);
    io.require("versions", versions.least <= versions.most, "the lowest is above the highest");
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<PeerEntry> peer)
{
    io.bytes32("peers", peer.node);
    io.endpoint("peers", peer.endpoint, false);
    io.template text<std::uint8_t>("peers", peer.zone, WireLimits::zone);
    io.number("peers", peer.progress, std::uint16_t{0}, WireLimits::permille);
    io.flags("peers", peer.seed);
}
// Of the shortest entry: IPv4, no zone.
inline constexpr std::size_t least_peer_entry_bytes = 32 + 7 + 1 + 2 + 1;

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<PieceRange> range)
{
    io.number("ranges", range.first, 0U, WireLimits::pieces - 1);
    io.number("ranges", range.count, 1U, WireLimits::pieces);
    io.require("ranges", io.failed() || range.count <= WireLimits::pieces - range.first, "go beyond the largest image");
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<ChunkSpan> range)
{
    io.number("ranges", range.first, 0U, WireLimits::chunks - 1);
    io.template narrow<std::uint16_t>("ranges", range.count, 1, std::uint16_t{most_chunks_of_piece});
    io.require("ranges", io.failed() || range.count <= WireLimits::chunks - range.first, "go beyond the largest image");
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<HelloFrame> frame)
{
    visit_fields(io, frame.versions);
    io.bytes32("node", frame.node);
    io.number("capabilities", frame.capabilities.bits);
    io.number("plane", frame.plane);
    io.template text<std::uint8_t>("zone", frame.zone, WireLimits::zone);
    io.template text<std::uint8_t>("name", frame.name, WireLimits::node_name);
    io.number("credit", frame.max_credit);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<ByeFrame> frame)
{
    io.reason("reason", frame.reason, ByeReason::silence);
    io.template text<std::uint16_t>("text", frame.text, WireLimits::text);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<PingFrame> frame)
{
    io.number("token", frame.token);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<PongFrame> frame)
{
    io.number("token", frame.token);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<JoinFrame> frame)
{
    io.bytes32("swarm", frame.swarm);
    io.template blob<std::uint16_t>("ticket", frame.ticket, WireLimits::ticket);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<JoinOkFrame> frame)
{
    io.handle("of", frame.of);
    io.flags("flags", frame.joins, frame.complete);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<DenyFrame> frame)
{
    io.handle("of", frame.of);
    io.reason("code", frame.code, DenyCode::full);
    io.number("retry", frame.retry_ms);
}

template <class Io>
void visit_fields(Io&, typename Io::template Ref<LeaveFrame>)
{
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<HaveMapFrame> frame)
{
    io.number("pieces", frame.pieces, 1U, WireLimits::pieces);
    io.number("start", frame.start, 0U, WireLimits::pieces - 1);
    io.number("count", frame.count, 1U, WireLimits::map_pieces);
    io.require(
        "count",
        io.failed() || (frame.start < frame.pieces && frame.count <= frame.pieces - frame.start),
        "goes beyond the image"
    );
    io.choice("coding", frame.coding, MapCoding::runs);
    io.template blob<std::uint16_t>("map", frame.coded, WireLimits::map_pieces / 8, 1);
    const char* wrong = io.failed() ? nullptr : wrong_with_coded_pieces(frame.coding, frame.count, frame.coded);
    io.require("map", wrong == nullptr, wrong);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<HaveFrame> frame)
{
    io.number("load", frame.load);
    io.template list<std::uint16_t>("ranges", frame.ranges, 1, WireLimits::have_ranges, 8, [&io](auto& range) {
        visit_fields(io, range);
    });
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<InterestFrame> frame)
{
    io.boolean("interested", frame.interested);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<RequestFrame> frame)
{
    io.number("id", frame.id);
    io.number("priority", frame.priority);
    io.template list<std::uint8_t>("ranges", frame.ranges, 1, WireLimits::request_ranges, 6, [&io](auto& range) {
        visit_fields(io, range);
    });
}

// DATA's head, behind which its bytes are: how long it is stands in it, so that it can grow as well.
inline constexpr std::uint16_t least_data_head_bytes = 12;
inline constexpr std::uint16_t most_data_head_bytes = 256;

inline void visit_fields(FieldWriter& io, const DataFrame& frame)
{
    io.number("request", frame.request);
    visit_fields(io, frame.extent);
    io.number("head", least_data_head_bytes);
    io.require("bytes", frame.bytes >= frame.extent.count, "are fewer than chunks");
    io.require("bytes", frame.bytes <= frame.extent.count * chunk_bytes, "are more than the chunks hold");
}

// `frame.bytes` is what the body has from its start on, and becomes what it has behind the head. `head` is set to the
// head's length.
inline void visit_fields(FieldReader& io, DataFrame& frame, std::uint16_t& head)
{
    io.number("request", frame.request);
    visit_fields(io, frame.extent);
    io.number("head", head, least_data_head_bytes, most_data_head_bytes);
    io.require("head", head < frame.bytes, "leaves no bytes");
    if (io.failed()) return;
    frame.bytes -= head;
    io.require("bytes", frame.bytes >= frame.extent.count, "are fewer than chunks");
    io.require("bytes", frame.bytes <= frame.extent.count * chunk_bytes, "are more than the chunks hold");
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<BusyFrame> frame)
{
    io.number("request", frame.request);
    io.number("retry", frame.retry_ms);
    io.number("load", frame.load);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<CancelFrame> frame)
{
    io.number("request", frame.request);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<CreditFrame> frame)
{
    io.number("bytes", frame.bytes);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<RateFrame> frame)
{
    io.number("rate", frame.bytes_per_second);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<SuggestFrame> frame)
{
    io.template list<std::uint8_t>(
        "peers",
        frame.peers,
        0,
        WireLimits::suggestions,
        least_peer_entry_bytes,
        [&io](auto& peer) { visit_fields(io, peer); }
    );
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<GetBundleFrame> frame)
{
    io.choice("part", frame.part, BundlePart::config);
    io.number("offset", frame.offset);
    io.number("length", frame.length, 1U, WireLimits::bundle_request);
}

template <class Io>
void visit_fields(Io& io, typename Io::template Ref<BundleFrame> frame)
{
    io.choice("part", frame.part, BundlePart::config);
    io.number("offset", frame.offset);
    io.number("total", frame.total);
    io.template blob<std::uint16_t>("bytes", frame.bytes, WireLimits::bundle_bytes);
    io.require(
        "bytes",
        io.failed() || (frame.bytes.size() <= frame.total && frame.offset <= frame.total - frame.bytes.size()),
        "go beyond the part"
    );
}

}  // namespace entrepot

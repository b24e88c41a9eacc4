#include "swarm/wire/frame_codec.hpp"
#include "swarm/wire/peer_fields.hpp"

#include <algorithm>

namespace entrepot {

template <class Frame>
void append_frame(std::string& into, const Frame& frame)
{
    append_small_frame(into, frame);
}

template <>
void append_frame(std::string& into, const DataFrame& frame)
{
    assert(frame.handle != SwarmHandle::connection);
    append_head(into, FrameType::data, frame.handle, least_data_head_bytes + frame.bytes);
    FieldWriter io{into};
    visit_fields(io, frame);
}

template void append_frame(std::string&, const HelloFrame&);
template void append_frame(std::string&, const ByeFrame&);
template void append_frame(std::string&, const PingFrame&);
template void append_frame(std::string&, const PongFrame&);
template void append_frame(std::string&, const JoinFrame&);
template void append_frame(std::string&, const JoinOkFrame&);
template void append_frame(std::string&, const DenyFrame&);
template void append_frame(std::string&, const LeaveFrame&);
template void append_frame(std::string&, const HaveMapFrame&);
template void append_frame(std::string&, const HaveFrame&);
template void append_frame(std::string&, const InterestFrame&);
template void append_frame(std::string&, const RequestFrame&);
template void append_frame(std::string&, const BusyFrame&);
template void append_frame(std::string&, const CancelFrame&);
template void append_frame(std::string&, const CreditFrame&);
template void append_frame(std::string&, const RateFrame&);
template void append_frame(std::string&, const SuggestFrame&);
template void append_frame(std::string&, const GetBundleFrame&);
template void append_frame(std::string&, const BundleFrame&);

void append_frame(std::string& into, const PeerFrame& frame)
{
    std::visit([&into](const auto& one) { append_frame(into, one); }, frame);
}

void append_have(std::string& into, SwarmHandle handle, std::uint16_t load, std::span<const PieceRange> ranges)
{
    HaveFrame frame{.handle = handle, .load = load};
    while (!ranges.empty()) {
        const auto count = std::min(ranges.size(), WireLimits::have_ranges);
        frame.ranges.assign(ranges.begin(), ranges.begin() + static_cast<std::ptrdiff_t>(count));
        append_frame(into, frame);
        ranges = ranges.subspan(count);
    }
}

Result<std::optional<PeerFrame>> decode_peer_frame(const FrameHead& head, std::span<const std::byte> body)
{
    if (head.type == FrameType::data) return fail(Errc::bad_request, "DATA: not taken from the stream");
    return decode_frame_of<PeerFrame>(head, body);
}

}  // namespace entrepot

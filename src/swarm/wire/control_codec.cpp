#include "swarm/wire/control_fields.hpp"
#include "swarm/wire/frame_codec.hpp"

namespace entrepot {

void append_frame(std::string& into, const ControlFrame& frame)
{
    std::visit([&into](const auto& one) { append_small_frame(into, one); }, frame);
}

Result<std::optional<ControlFrame>> decode_control_frame(const FrameHead& head, std::span<const std::byte> body)
{
    return decode_frame_of<ControlFrame>(head, body);
}

}  // namespace entrepot

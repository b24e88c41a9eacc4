#pragma once

#include "swarm/wire/field_io.hpp"

#include <fmt/format.h>

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace entrepot {

// What the codecs of both families share. For the codecs alone.

// A frame that is about a swarm, not about the connection.
template <class Frame>
concept FrameOfSwarm = requires(const Frame& frame) { frame.handle; };

template <class Frame>
SwarmHandle handle_of([[maybe_unused]] const Frame& frame) noexcept
{
    if constexpr (FrameOfSwarm<Frame>)
        return frame.handle;
    else
        return SwarmHandle::connection;
}

// length | type | flags | handle, for a body of `body` bytes.
inline void append_head(std::string& into, FrameType type, SwarmHandle handle, std::uint32_t body)
{
    FieldWriter io{into};
    io.number("length", body + counted_head_bytes);
    io.number("type", static_cast<std::uint8_t>(type));
    io.number("flags", std::uint8_t{0});
    io.number("handle", static_cast<std::uint16_t>(handle));
}

template <class Frame>
void append_small_frame(std::string& into, const Frame& frame)
{
    assert((handle_of(frame) != SwarmHandle::connection) == FrameOfSwarm<Frame>);
    const auto start = into.size();
    append_head(into, Frame::type, handle_of(frame), 0);
    FieldWriter io{into};
    visit_fields(io, frame);
    const auto size = into.size() - start;
    assert(size <= WireLimits::control_frame);
    for (std::size_t at = 0; at < sizeof(std::uint32_t); ++at)
        into[start + at] = static_cast<char>((size - sizeof(std::uint32_t)) >> (8 * at) & 0xffU);
}

template <class Family, class Frame>
Result<std::optional<Family>> decode_as(const FrameHead& head, std::span<const std::byte> body)
{
    Result<std::optional<Family>> answer{std::in_place, std::in_place, std::in_place_type<Frame>};
    auto& frame = std::get<Frame>(**answer);
    FieldReader io{body};
    if constexpr (FrameOfSwarm<Frame>) {
        io.require("handle", head.handle != SwarmHandle::connection, "is that of the connection");
        frame.handle = head.handle;
    } else {
        io.require("handle", head.handle == SwarmHandle::connection, "is not that of the connection");
    }
    visit_fields(io, frame);
    if (io.failed()) return std::unexpected{io.error(head.type)};
    return answer;
}

template <class Family>
using FrameDecoder = Result<std::optional<Family>> (*)(const FrameHead&, std::span<const std::byte>);
template <class Family>
using FrameDecoders = std::array<FrameDecoder<Family>, 256>;

// By type; nullptr for those that the family doesn't know. DATA is none of them: it is never whole.
template <class Family>
struct FrameDecodersOf;
template <class... Frames>
struct FrameDecodersOf<std::variant<Frames...>> {
    using Family = std::variant<Frames...>;

    static constexpr FrameDecoders<Family> make()
    {
        FrameDecoders<Family> decoders{};
        (add<Frames>(decoders), ...);
        return decoders;
    }

private:
    template <class Frame>
    static constexpr void add(FrameDecoders<Family>& decoders)
    {
        if constexpr (Frame::type != FrameType::data)
            decoders[static_cast<std::size_t>(Frame::type)] = &decode_as<Family, Frame>;
    }
};

template <class Family>
Result<std::optional<Family>> decode_frame_of(const FrameHead& head, std::span<const std::byte> body)
{
    static constexpr auto decoders = FrameDecodersOf<Family>::make();
    if (const auto decoder = decoders[static_cast<std::size_t>(head.type)]) return decoder(head, body);
    if ((head.flags & must_understand) == 0) return std::optional<Family>{};
    return fail(
        Errc::bad_request,
        fmt::format("frame of type 0x{:02x}: must be understood, and is not known here", std::to_underlying(head.type))
    );
}

}  // namespace entrepot

#pragma once

#include "swarm/wire/wire_values.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace entrepot {

// The second field of every frame. Numbers are never used again for something else.
enum class FrameType : std::uint8_t {
    // on every connection
    hello = 0x01,
    bye = 0x02,
    ping = 0x03,
    pong = 0x04,
    // between peers
    join = 0x10,
    join_ok = 0x11,
    deny = 0x12,
    leave = 0x13,
    have_map = 0x14,
    have = 0x15,
    interest = 0x16,
    request = 0x17,
    data = 0x18,
    busy = 0x19,
    cancel = 0x1a,
    credit = 0x1b,
    suggest = 0x1c,
    rate = 0x1d,
    get_bundle = 0x20,
    bundle = 0x21,
    // between agent and tracker
    reg = 0x40,  // REGISTER, which is a word of C++
    welcome = 0x41,
    limits = 0x42,
    renew = 0x43,
    certificate = 0x44,
    ticket_keys = 0x45,
    announce = 0x48,
    neighbours = 0x49,
    progress = 0x4a,
    refill = 0x4b,
    retire = 0x4c,
    ticket = 0x4d,
    revoke = 0x4e,
    report = 0x4f,
    preheat = 0x50,
    preheat_progress = 0x51,
    holders = 0x52,
    moved = 0x53,
    instances = 0x54,
};

// As the specification writes it: "HAVE_MAP"; "unknown frame" for what it doesn't know.
std::string_view name_of(FrameType type) noexcept;

// Bit 0 of the flags: who does not know the type must not go on. The other bits mean nothing yet.
inline constexpr std::uint8_t must_understand = 0x01;

// length u32 | type u8 | flags u8 | handle u16
inline constexpr std::size_t frame_head_bytes = 8;
// What the length counts besides the body.
inline constexpr std::uint32_t counted_head_bytes = 4;

// What stands before a frame's body, but for its length.
struct FrameHead {
    FrameType type{};  // may be a value without a name
    std::uint8_t flags = 0;
    SwarmHandle handle = SwarmHandle::connection;  // in the numbering of its sender

    bool operator==(const FrameHead&) const noexcept = default;
};

}  // namespace entrepot

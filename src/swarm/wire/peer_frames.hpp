#pragma once

#include "core/error.hpp"
#include "swarm/wire/frame_type.hpp"
#include "swarm/wire/have_map.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace entrepot {

// The frames between two peers, or an agent and a seed (docs/formats/swarm-wire.md). Values: append_frame() writes one
// behind what a buffer holds, decode_peer_frame() reads one. A frame without `handle` is about the connection. Texts
// are UTF-8 without control characters.

// ---- on every connection

// The first frame of either side.
struct HelloFrame {
    static constexpr FrameType type = FrameType::hello;
    VersionSpan versions = spoken_versions;
    NodeId node{};
    CapabilitySet capabilities{};
    std::uint8_t plane = 0;        // of the network that the connection belongs to
    std::string zone{};            // WireLimits::zone
    std::string name{};            // WireLimits::node_name
    std::uint32_t max_credit = 0;  // the first CREDIT

    bool operator==(const HelloFrame&) const noexcept = default;
};

enum class ByeReason : std::uint8_t {
    other = 0,      // and whatever a newer sender may say
    idle = 1,       // nothing to exchange
    shutdown = 2,   // the sender stops
    version = 3,    // no common one
    protocol = 4,   // a frame that is none, or that may not come here
    identity = 5,   // the node id is not the certificate's
    harm = 6,       // bad chunks, or more than was asked for
    full = 7,       // too many connections
    duplicate = 8,  // there is another connection between both
    silence = 9,    // no answer in time
};
// The last frame of either side: it closes behind it.
struct ByeFrame {
    static constexpr FrameType type = FrameType::bye;
    ByeReason reason{};
    std::string text{};  // for the other side's log; WireLimits::text

    bool operator==(const ByeFrame&) const noexcept = default;
};

struct PingFrame {
    static constexpr FrameType type = FrameType::ping;
    std::uint64_t token = 0;

    bool operator==(const PingFrame&) const noexcept = default;
};
struct PongFrame {
    static constexpr FrameType type = FrameType::pong;
    std::uint64_t token = 0;  // the PING's

    bool operator==(const PongFrame&) const noexcept = default;
};

// ---- who speaks of what

// "I call this swarm `handle`, and this is my right to it."
struct JoinFrame {
    static constexpr FrameType type = FrameType::join;
    SwarmHandle handle{};
    SwarmId swarm{};
    std::string ticket{};  // bytes; WireLimits::ticket

    bool operator==(const JoinFrame&) const noexcept = default;
};
struct JoinOkFrame {
    static constexpr FrameType type = FrameType::join_ok;
    SwarmHandle of{};       // the JOIN's, so in the receiver's numbering
    bool joins = false;     // the sender is in the swarm itself: its own JOIN has come or follows
    bool complete = false;  // it has the whole image: expect no HAVE_MAP

    bool operator==(const JoinOkFrame&) const noexcept = default;
};

enum class DenyCode : std::uint8_t {
    other = 0,    // and whatever a newer sender may say
    ticket = 1,   // none, or not a valid one for this node and swarm
    expired = 2,  // it was valid
    revoked = 3,
    unknown = 4,  // nothing of this swarm is here
    full = 5,     // too many neighbours in this swarm
};
// To a JOIN, or later, when the right to the swarm has ended.
struct DenyFrame {
    static constexpr FrameType type = FrameType::deny;
    SwarmHandle of{};  // in the receiver's numbering
    DenyCode code{};
    std::uint32_t retry_ms = 0;  // when asking again may help; 0: never

    bool operator==(const DenyFrame&) const noexcept = default;
};
// The sender uses the handle no longer.
struct LeaveFrame {
    static constexpr FrameType type = FrameType::leave;
    SwarmHandle handle{};

    bool operator==(const LeaveFrame&) const noexcept = default;
};

// ---- what is where

// Pieces that have come to be there. HaveMapFrame says what was there before.
struct HaveFrame {
    static constexpr FrameType type = FrameType::have;
    SwarmHandle handle{};
    std::uint16_t load = 0;  // milliseconds that a request sent now would wait at the sender
    boost::container::small_vector<PieceRange, 6> ranges{};  // 1 to WireLimits::have_ranges, none of them empty

    bool operator==(const HaveFrame&) const noexcept = default;
};
// Whether the sender would ask the receiver for pieces.
struct InterestFrame {
    static constexpr FrameType type = FrameType::interest;
    SwarmHandle handle{};
    bool interested = false;

    bool operator==(const InterestFrame&) const noexcept = default;
};

// ---- bytes

struct RequestFrame {
    static constexpr FrameType type = FrameType::request;
    SwarmHandle handle{};
    RequestId id = 0;
    std::uint8_t priority = 0;  // higher goes first
    // 1 to WireLimits::request_ranges, each of 1 to most_chunks_of_piece chunks; no chunk twice.
    boost::container::small_vector<ChunkSpan, 6> ranges{};

    bool operator==(const RequestFrame&) const noexcept = default;
};
// The head of a frame behind which `bytes` bytes follow, those of `extent`, without gaps.
struct DataFrame {
    static constexpr FrameType type = FrameType::data;
    SwarmHandle handle{};
    RequestId request = 0;
    ChunkSpan extent{};       // 1 to most_chunks_of_piece chunks
    std::uint32_t bytes = 0;  // at least 1, at most chunk_bytes for each chunk

    bool operator==(const DataFrame&) const noexcept = default;
};
// What has not come yet of a request will not come.
struct BusyFrame {
    static constexpr FrameType type = FrameType::busy;
    SwarmHandle handle{};
    RequestId request = 0;
    std::uint32_t retry_ms = 0;  // when asking again makes sense; 0: never
    std::uint16_t load = 0;      // as in HAVE

    bool operator==(const BusyFrame&) const noexcept = default;
};
// What has not been sent yet of a request is not wanted.
struct CancelFrame {
    static constexpr FrameType type = FrameType::cancel;
    SwarmHandle handle{};
    RequestId request = 0;

    bool operator==(const CancelFrame&) const noexcept = default;
};
// How many bytes that are requested and neither sent nor refused the sender accepts on this connection.
struct CreditFrame {
    static constexpr FrameType type = FrameType::credit;
    std::uint32_t bytes = 0;

    bool operator==(const CreditFrame&) const noexcept = default;
};
// How fast the sender would like to be sent to.
struct RateFrame {
    static constexpr FrameType type = FrameType::rate;
    std::uint64_t bytes_per_second = no_rate_limit;

    bool operator==(const RateFrame&) const noexcept = default;
};
// Other members of the swarm.
struct SuggestFrame {
    static constexpr FrameType type = FrameType::suggest;
    SwarmHandle handle{};
    std::vector<PeerEntry> peers{};  // WireLimits::suggestions

    bool operator==(const SuggestFrame&) const noexcept = default;
};

// ---- what describes an image

enum class BundlePart : std::uint8_t { descriptor = 1, hash_lists = 2, manifest = 3, config = 4 };

struct GetBundleFrame {
    static constexpr FrameType type = FrameType::get_bundle;
    SwarmHandle handle{};
    BundlePart part = BundlePart::descriptor;
    std::uint64_t offset = 0;
    std::uint32_t length = 0;  // 1 to WireLimits::bundle_request

    bool operator==(const GetBundleFrame&) const noexcept = default;
};
struct BundleFrame {
    static constexpr FrameType type = FrameType::bundle;
    SwarmHandle handle{};
    BundlePart part = BundlePart::descriptor;
    std::uint64_t offset = 0;
    std::uint64_t total = 0;  // bytes of the part; 0: the sender doesn't have it
    std::string bytes{};      // WireLimits::bundle_bytes; offset + bytes <= total

    bool operator==(const BundleFrame&) const noexcept = default;
};

using PeerFrame = std::variant<
    HelloFrame,
    ByeFrame,
    PingFrame,
    PongFrame,
    JoinFrame,
    JoinOkFrame,
    DenyFrame,
    LeaveFrame,
    HaveMapFrame,
    HaveFrame,
    InterestFrame,
    RequestFrame,
    DataFrame,
    BusyFrame,
    CancelFrame,
    CreditFrame,
    RateFrame,
    SuggestFrame,
    GetBundleFrame,
    BundleFrame>;

// Writes `frame` behind what `into` holds. Total for values within the bounds above, which are asserted. Of a DataFrame
// only the head is written: its bytes are the caller's to send next.
template <class Frame>
void append_frame(std::string& into, const Frame& frame);
void append_frame(std::string& into, const PeerFrame& frame);

// Announces `ranges` in as many HAVE frames as it takes; none for no ranges.
void append_have(std::string& into, SwarmHandle handle, std::uint16_t load, std::span<const PieceRange> ranges);

// The frame that `head` and `body` make. nullopt: of a type that we don't know, to be passed over. bad_request, with
// the names of frame and field: BYE(protocol) is due. DATA comes from the FrameSplitter alone, and is bad_request here.
Result<std::optional<PeerFrame>> decode_peer_frame(const FrameHead& head, std::span<const std::byte> body);

}  // namespace entrepot

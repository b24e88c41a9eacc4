#pragma once

#include "swarm/piece.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// The values that the frames of the swarm protocol are made of (docs/formats/swarm-wire.md). Plain values, no I/O.

// What one frame may hold. Bytes where nothing else is said.
struct WireLimits {
    static constexpr std::size_t control_frame = 64 * 1024;  // in all; every frame but DATA
    static constexpr std::size_t ticket = 4096;
    static constexpr std::size_t certificate_request = 16 * 1024;
    static constexpr std::size_t certificate = 16 * 1024;
    static constexpr std::size_t authorities = 32 * 1024;  // all of them together
    static constexpr std::size_t ticket_keys = 16;
    static constexpr std::size_t token = 8192;
    static constexpr std::size_t zone = 64;
    static constexpr std::size_t node_name = 253;
    static constexpr std::size_t repository = 255;
    static constexpr std::size_t text = 256;
    static constexpr std::size_t bundle_bytes = 60 * 1024;
    static constexpr std::uint32_t bundle_request = 16 * 1024 * 1024;
    static constexpr std::uint32_t pieces = 1U << 20U;      // of an image
    static constexpr std::uint32_t chunks = 1U << 26U;      // of an image
    static constexpr std::uint32_t map_pieces = 1U << 18U;  // of one HAVE_MAP
    static constexpr std::size_t have_ranges = 512;
    static constexpr std::size_t request_ranges = 64;
    static constexpr std::size_t suggestions = 32;
    static constexpr std::size_t neighbours = 64;
    static constexpr std::size_t progress_items = 1024;
    static constexpr std::size_t dropped_neighbours = 8;
    static constexpr std::size_t revoked = 512;
    static constexpr std::size_t instances = 32;
    static constexpr std::uint32_t data_bytes = most_chunks_of_piece * static_cast<std::uint32_t>(chunk_bytes);
    static constexpr std::uint16_t permille = 1000;
    static constexpr std::uint8_t percent = 100;
};

// 32 bytes that name something. The kinds are types of their own, so that none is taken for another.
template <class Kind>
struct Bytes32 {
    std::array<std::uint8_t, 32> bytes{};

    std::strong_ordering operator<=>(const Bytes32&) const noexcept = default;
};
using NodeId = Bytes32<struct NodeIdKind>;    // SHA-256 of the public key in a node's certificate (its SPKI, DER)
using SwarmId = Bytes32<struct SwarmIdKind>;  // SHA-256 of an image's descriptor
using Sha256 = Bytes32<struct Sha256Kind>;    // of a manifest, a blob or a chunk
// An Ed25519 public key (RFC 8032 section 5.1.5), which tickets are checked with.
using TicketPublicKey = Bytes32<struct TicketPublicKeyKind>;

// The number by which a side speaks of a swarm on one connection.
enum class SwarmHandle : std::uint16_t { connection = 0 };

// A request's number, given by who asks, unique among those that he has open on the connection.
using RequestId = std::uint32_t;

// The versions of the protocol that a side speaks: 1 <= least <= most.
struct VersionSpan {
    std::uint16_t least = 1;
    std::uint16_t most = 1;

    bool operator==(const VersionSpan&) const noexcept = default;
};
inline constexpr VersionSpan spoken_versions{1, 1};

// The version that both sides use: the highest that both speak. nullopt: there is none, and BYE(version) is due.
constexpr std::optional<std::uint16_t> common_version(VersionSpan ours, VersionSpan theirs) noexcept
{
    const auto highest = std::min(ours.most, theirs.most);
    if (highest < std::max(ours.least, theirs.least)) return std::nullopt;
    return highest;
}

// What a node offers, as bits. Bits that we don't know mean nothing to us.
enum class Capability : std::uint32_t {
    serves = 1U << 0U,    // answers REQUEST
    bundles = 1U << 1U,   // answers GET_BUNDLE
    exchange = 1U << 2U,  // takes SUGGEST
    seed = 1U << 3U,      // the registry, or a node that stands in for it: expect it to have everything
    moves = 1U << 4U,     // takes MOVED and INSTANCES; of agents, to trackers
};
struct CapabilitySet {
    std::uint32_t bits = 0;

    bool operator==(const CapabilitySet&) const noexcept = default;
    constexpr bool has(Capability one) const noexcept { return (bits & static_cast<std::uint32_t>(one)) != 0; }
    constexpr CapabilitySet with(Capability one) const noexcept { return {bits | static_cast<std::uint32_t>(one)}; }
};

// Where a node listens. IPv4 as IPv4-mapped IPv6, as in core/address.hpp. An address of zeros stands in REGISTER for
// the one that the connection comes from, and in NEIGHBOURS for that of the tracker's end of the control stream. Port 0
// is in REGISTER a node that listens nowhere; elsewhere the port is not 0.
struct PeerEndpoint {
    std::array<std::uint8_t, 16> address{};
    std::uint16_t port = 0;

    bool operator==(const PeerEndpoint&) const noexcept = default;
    bool is_v4() const noexcept;
    bool has_address() const noexcept;  // other than zeros
};

// `text` as frames may hold it: control characters and what is no UTF-8 become '?', and what is beyond `most` bytes is
// cut off. For texts that come from elsewhere, such as those of errors.
std::string wire_text(std::string_view text, std::size_t most);

// A node that another may connect to.
struct PeerEntry {
    NodeId node{};
    PeerEndpoint endpoint{};
    std::string zone{};          // WireLimits::zone
    std::uint16_t progress = 0;  // permille of the image's bytes that it has
    bool seed = false;

    bool operator==(const PeerEntry&) const noexcept = default;
};

// Bytes per second: 0 forbids, no_rate_limit does what it says.
inline constexpr std::uint64_t no_rate_limit = std::numeric_limits<std::uint64_t>::max();
struct NodeRates {
    std::uint64_t up = no_rate_limit;
    std::uint64_t down = no_rate_limit;
    std::uint64_t across_zones = no_rate_limit;  // up and down together

    bool operator==(const NodeRates&) const noexcept = default;
};

}  // namespace entrepot

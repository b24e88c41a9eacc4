#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace entrepot {

// Which way bytes went: to or from the registry, a node of our own zone, or one elsewhere. Nodes without a zone are
// all in one.
enum class TrafficClass : std::uint8_t { origin, zone, across };

// Bytes of chunks in one swarm.
struct SwarmTraffic {
    std::array<std::uint64_t, 3> in{};  // by TrafficClass
    std::uint64_t out = 0;

    bool operator==(const SwarmTraffic&) const noexcept = default;
};

// What a network has done since it began. Bytes of DATA are chunks alone; those of the wire are all that TLS made.
struct PeerNetworkCounters {
    static constexpr std::size_t bye_reasons = 10;  // by their number; what is above counts as `other`

    std::array<std::uint64_t, 3> data_in{};  // bytes, by TrafficClass
    std::array<std::uint64_t, 3> data_out{};
    std::uint64_t wire_in = 0;  // bytes, once the handshake is over
    std::uint64_t wire_out = 0;
    std::uint64_t frames_in = 0;  // of DATA
    std::uint64_t frames_out = 0;
    std::uint64_t handshakes_ok = 0;
    std::uint64_t handshakes_failed = 0;
    std::uint64_t dials_failed = 0;
    std::uint64_t connections = 0;   // open now
    std::uint64_t refused = 0;       // for want of room
    std::uint64_t cut = 0;           // for taking too long: a handshake, a chunk, a farewell, or reading nothing
    std::uint64_t stored = 0;        // chunks
    std::uint64_t false_chunks = 0;  // that didn't have their hash
    std::uint64_t not_stored = 0;    // chunks, for a failure of ours
    std::uint64_t not_read = 0;      // chunks that were asked for, likewise
    std::array<std::uint64_t, bye_reasons> byes_in{};
    std::array<std::uint64_t, bye_reasons> byes_out{};
};

}  // namespace entrepot

#pragma once

#include "core/error.hpp"
#include "swarm/peer/peer_policy.hpp"
#include "swarm/peer/super_seed.hpp"
#include "swarm/tracker/swarm_members.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

enum class ArrivalKind { at_once, spread };

// A rollout to be simulated: what is sent, to whom, over what, and what goes wrong. Rates in bytes a second, times in
// microseconds, shares from 0 to 1. docs/simulate.md describes the file.
struct Scenario {
    std::string name;
    std::uint64_t seed = 1;
    std::uint32_t nodes = 0;

    std::vector<std::uint64_t> layers;  // bytes
    std::uint32_t piece_chunks = 0;     // 0: as the image's size has it

    double up = 0;
    double down = 0;
    double origin_up = 0;  // of each instance
    std::uint32_t origins = 1;
    // What headers and records leave of a link.
    double goodput = 1;

    std::uint32_t zones = 1;
    std::vector<std::uint32_t> zone_sizes;  // nodes of each; empty: nodes take turns
    std::uint32_t cut_off = 0;              // zones, the last ones, that can't reach the registry
    double trunk = 0;                       // of each zone, in and out; 0: as wide as it takes
    // Bytes a second that a node exchanges with other zones; nullopt: without limit.
    std::optional<double> across;
    SwarmTime latency = 250;  // one way, within a zone
    SwarmTime cross_latency = 1000;
    // Of a node's message: reading it, deciding, writing the next.
    SwarmTime handling = 50;
    // Bytes a second at which chunks are verified.
    double verify = 1.2e9;
    // Token, manifest, ticket and the first contact with the tracker.
    SwarmTime fixed = 30'000;
    // TCP and TLS between two nodes, besides 2 round trips.
    SwarmTime handshake = 2'000;

    ArrivalKind arrivals = ArrivalKind::at_once;
    SwarmTime arrivals_over = 0;

    double dying = 0;
    SwarmTime dying_at = 0;
    double slow = 0;
    double slow_rate = 0.1;  // of up and down
    double silent = 0;       // announce everything, answer nothing
    double lying = 0;        // send something else than what was asked for
    // The nodes of the last zone that talk to the registry then.
    bool seeds_die = false;
    SwarmTime seeds_die_at = 0;
    bool tracker_dies = false;
    SwarmTime tracker_dies_at = 0;

    PeerPolicy peer;
    SeedPolicy origin;
    TrackerPolicy tracker;

    std::uint64_t image_bytes() const noexcept;
};

// YAML. bad_request: unknown keys, wrong values, with the key's name and line.
Result<Scenario> parse_scenario(std::string_view text);

}  // namespace entrepot

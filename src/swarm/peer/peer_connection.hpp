#pragma once

#include "swarm/peer/neighbour.hpp"
#include "swarm/peer/node_shell.hpp"
#include "swarm/wire/peer_frames.hpp"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace entrepot {

// A swarm in the numbering of a SwarmNode.
using SwarmIndex = std::uint32_t;

// What is asked of a neighbour and has not come: of each piece, which of its chunks (bit 0 is its first).
struct OpenRequest {
    struct Part {
        PieceIndex piece;
        std::uint64_t missing;
    };
    SwarmIndex swarm = 0;
    std::uint64_t bytes = 0;
    bool cancelled = false;
    boost::container::small_vector<Part, 2> parts;
};

// One swarm on one connection: the numbers that both sides have for it, and how far they have come with each other.
struct Membership {
    SwarmIndex swarm = 0;
    SwarmHandle ours = SwarmHandle::connection;    // connection: we have not joined
    SwarmHandle theirs = SwarmHandle::connection;  // connection: they have not, or were denied
    bool accepted = false;                         // they have said JOIN_OK to ours
    bool complete = false;                         // they have all, and send no HAVE_MAP
    bool interested = true;                        // they would ask us for pieces
    std::optional<NeighbourSlot> slot;             // once both have joined
    // That we have and they haven't heard: they have it themselves, so it can wait for what they want.
    std::vector<PieceRange> unsaid;
};

// What a node knows of a connection. Plain data: SwarmNode acts on it.
struct PeerConnection {
    NodeId node{};  // of the certificate
    bool opened_by_us = false;
    bool seed = false;                 // by its certificate: an instance of the registry
    bool across = false;               // by its HELLO: a node of another zone
    std::uint16_t zone = 0;            // in our numbering
    bool greeted = false;              // their HELLO has come
    std::uint32_t credit = 0;          // that they give
    std::uint64_t asked_bytes = 0;     // of them, open
    std::uint64_t promised_bytes = 0;  // to them: requested of us, not sent and not refused
    std::uint16_t harm = 0;            // false chunks
    SwarmTime heard = 0;
    SwarmTime pinged = 0;  // 0: no PING is open
    std::uint16_t last_handle = 0;
    RequestId last_request = 0;
    std::map<SwarmIndex, Membership> memberships;
    std::map<SwarmHandle, SwarmIndex> their_handles;
    std::map<RequestId, OpenRequest> requests;
};

}  // namespace entrepot

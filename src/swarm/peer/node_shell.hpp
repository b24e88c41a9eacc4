#pragma once

#include "swarm/peer/peer_policy.hpp"
#include "swarm/piece.hpp"
#include "swarm/wire/control_frames.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// A connection between two nodes, in the numbering of who owns the sockets; never used twice.
using ConnectionId = std::uint32_t;

// What a SwarmNode has others do. Called from inside the node's own functions: it must not call back. An
// implementation keeps what it is given and does it afterwards, in order.
class NodeShell {
public:
    virtual ~NodeShell() = default;

    // Bytes for a connection, behind all that was sent on it before.
    virtual void send(ConnectionId connection, std::string bytes) = 0;
    // When what was sent has left. closed() is not called for it.
    virtual void close(ConnectionId connection) = 0;
    // A node that a swarm wants to talk to and there is no connection to; opened() follows, or unreachable().
    virtual void connect(const PeerEntry& peer) = 0;
    // Whether that node may have this swarm's pieces: nullopt, or why not.
    virtual std::optional<DenyCode> refusal(const NodeId& peer, const SwarmId& swarm, std::string_view ticket) = 0;
    // There is something to send: next_upload().
    virtual void upload_ready() = 0;
    // Neighbours have nothing that is missing; the tracker may know others.
    virtual void starved(const SwarmId& swarm, RefillReason reason, std::optional<NodeId> dropped) = 0;
    // All of it is here.
    virtual void complete(const SwarmId& swarm) = 0;
    // A neighbour sent what the image's hashes do not allow.
    virtual void caught(const NodeId& peer, const SwarmId& swarm, ChunkSpan extent) = 0;
    // A neighbour says that it has got more of it.
    virtual void news(const SwarmId&) {}
    // wake() is wanted at this time; a call that was wanted earlier, and comes anyway, does no harm.
    virtual void wake_at(SwarmTime time) = 0;
};

}  // namespace entrepot

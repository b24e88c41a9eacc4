#include "swarm/peer/swarm_node_links.hpp"

#include <limits>

namespace entrepot {

SwarmSession& SwarmNode::Links::session() noexcept
{
    return *node_.swarms_.at(swarm_).session;
}

ConnectionId SwarmNode::Links::connection_at(NeighbourSlot neighbour) noexcept
{
    return session().connections[neighbour];
}

void SwarmNode::Links::announce(std::span<const PieceRange> ranges)
{
    const auto& peer = *session().peer;
    // Who was shown our holdings hears of what is new, also while his answer to our JOIN is on its way.
    for (auto& [id, connection] : node_.connections_) {
        const auto found = connection.memberships.find(swarm_);
        if (found == connection.memberships.end()) continue;
        auto& membership = found->second;
        if (membership.theirs == SwarmHandle::connection || membership.ours == SwarmHandle::connection) continue;
        if (!membership.interested) continue;
        membership.unsaid.insert(membership.unsaid.end(), ranges.begin(), ranges.end());
        // Half of what comes they have already, and a frame costs both sides more than what is in it. The registry
        // wants to know at once: it shows its pieces by what is where.
        const bool can_wait =
            membership.slot && !connection.seed && !peer.complete() && peer.has_all(*membership.slot, ranges);
        if (!can_wait) say(id, membership);
    }
}

void SwarmNode::Links::say_what_waits()
{
    for (auto& [id, connection] : node_.connections_) {
        const auto found = connection.memberships.find(swarm_);
        if (found != connection.memberships.end()) say(id, found->second);
    }
}

void SwarmNode::Links::say(ConnectionId id, Membership& membership)
{
    if (membership.unsaid.empty()) return;
    std::string bytes;
    append_have(bytes, membership.ours, node_.load_ms(), membership.unsaid);
    membership.unsaid.clear();
    node_.shell_.send(id, std::move(bytes));
}

void SwarmNode::Links::reveal(NeighbourSlot neighbour, std::span<const PieceRange> ranges)
{
    const auto id = connection_at(neighbour);
    std::string bytes;
    append_have(bytes, node_.find(id)->memberships.at(swarm_).ours, node_.load_ms(), ranges);
    node_.shell_.send(id, std::move(bytes));
}

// Small pieces travel together, large ones can be refused and cancelled one by one.
void SwarmNode::Links::ask(NeighbourSlot neighbour, std::span<const PieceIndex> pieces)
{
    const auto id = connection_at(neighbour);
    auto* const connection = node_.find(id);
    const auto& layout = session().layout;
    while (!pieces.empty()) {
        std::size_t count = 1;
        auto bytes = layout.bytes_of(pieces.front());
        while (count < pieces.size() && count < WireLimits::request_ranges) {
            bytes += layout.bytes_of(pieces[count]);
            if (bytes > layout.piece_bytes()) break;
            ++count;
        }
        request(id, *connection, pieces.first(count));
        pieces = pieces.subspan(count);
    }
}

void SwarmNode::Links::request(ConnectionId id, PeerConnection& connection, std::span<const PieceIndex> pieces)
{
    const auto& layout = session().layout;
    RequestFrame frame;
    frame.handle = connection.memberships.at(swarm_).ours;
    frame.id = ++connection.last_request;
    frame.priority = session().priority;
    OpenRequest open;
    open.swarm = swarm_;
    for (const auto piece : pieces) {
        const auto chunks = layout.chunks_of(piece);
        frame.ranges.push_back(chunks);
        open.bytes += layout.bytes_of(piece);
        open.parts.push_back({.piece = piece, .missing = ~std::uint64_t{0} >> (64 - chunks.count)});
    }
    if (connection.asked_bytes + open.bytes > connection.credit) {
        // As if it had said BUSY; but we are inside the peer that asks.
        const auto slot = *connection.memberships.at(swarm_).slot;
        for (const auto piece : pieces) node_.refused_.push_back({.swarm = swarm_, .slot = slot, .piece = piece});
        return;
    }
    connection.asked_bytes += open.bytes;
    connection.requests.emplace(frame.id, std::move(open));
    node_.send(id, frame);
}

void SwarmNode::Links::cancel(NeighbourSlot neighbour, PieceIndex piece)
{
    const auto id = connection_at(neighbour);
    auto* const connection = node_.find(id);
    for (auto& [number, open] : connection->requests) {
        // Others that are in the same request are still wanted.
        if (open.cancelled || open.swarm != swarm_ || open.parts.size() != 1 || open.parts.front().piece != piece)
            continue;
        open.cancelled = true;
        node_.send(id, CancelFrame{.handle = connection->memberships.at(swarm_).ours, .request = number});
        return;
    }
}

void SwarmNode::Links::rewire(std::optional<NeighbourSlot> useless)
{
    std::optional<NodeId> dropped;
    if (useless) {
        const auto id = connection_at(*useless);
        dropped = node_.find(id)->node;
        node_.useless_.emplace_back(id, swarm_);
    }
    node_.shell_.starved(session().id, useless ? RefillReason::idle : RefillReason::few, dropped);
}

void SwarmNode::Links::wake_at(SwarmTime time)
{
    node_.shell_.wake_at(time);
}

}  // namespace entrepot

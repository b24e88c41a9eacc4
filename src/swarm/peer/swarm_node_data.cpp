#include "swarm/peer/swarm_node.hpp"

#include "swarm/peer/swarm_node_links.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

void SwarmNode::heard(ConnectionId id, SwarmTime now) noexcept
{
    if (auto* const connection = find(id)) connection->heard = now;
}

// Too much of it ends the connection.
void SwarmNode::harm(ConnectionId id, PeerConnection& connection, const std::string& what, SwarmTime now)
{
    constexpr std::uint16_t harm_forgiven = 1;
    if (++connection.harm > harm_forgiven) bye(id, ByeReason::harm, what, now);
}

std::optional<SwarmId> SwarmNode::data_begins(ConnectionId id, const DataFrame& frame, SwarmTime now)
{
    auto* const connection = find(id);
    if (connection == nullptr) return std::nullopt;
    connection->heard = now;
    const auto swarm = expect(id, *connection, frame, now);
    settle(now);
    return swarm;
}

std::optional<SwarmId>
SwarmNode::expect(ConnectionId id, PeerConnection& connection, const DataFrame& frame, SwarmTime now)
{
    const auto open = connection.requests.find(frame.request);
    if (open == connection.requests.end()) {
        // Of a request that has ended it was on its way; another one there never was.
        if (frame.request > connection.last_request) harm(id, connection, "DATA that nobody asked for", now);
        return std::nullopt;
    }
    const auto& session = *swarms_.at(open->second.swarm).session;
    const auto& layout = session.layout;
    if (!layout.contains(frame.extent) || layout.bytes_of_chunks(frame.extent) != frame.bytes) {
        bye(id, ByeReason::protocol, "DATA: not as long as its chunks", now);
        return std::nullopt;
    }
    if (!awaits(open->second, layout, frame.extent)) {
        harm(id, connection, "DATA that the request was not about", now);
        return std::nullopt;
    }
    return session.id;
}

// All chunks of the run were asked for, and none has come.
bool SwarmNode::awaits(const OpenRequest& open, const PieceLayout& layout, ChunkSpan extent)
{
    for (auto chunk = extent.first; chunk < extent.first + extent.count; ++chunk) {
        const auto piece = layout.piece_of_chunk(chunk);
        const auto part = std::ranges::find(open.parts, piece, &OpenRequest::Part::piece);
        if (part == open.parts.end()) return false;
        if ((part->missing >> (chunk - layout.chunks_of(piece).first) & 1U) == 0) return false;
    }
    return true;
}

void SwarmNode::data_verified(ConnectionId id, const DataFrame& frame, bool good, SwarmTime now)
{
    auto* const connection = find(id);
    if (connection == nullptr) return;
    connection->heard = now;
    if (connection->across) across_.spent(frame.bytes, now);
    const auto found = connection->requests.find(frame.request);
    if (found == connection->requests.end()) return;
    auto& open = found->second;
    const auto swarm = open.swarm;
    auto& session = *swarms_.at(swarm).session;
    const auto slot = connection->memberships.at(swarm).slot;
    boost::container::small_vector<PieceIndex, 4> ended;
    const auto comes = [&](OpenRequest::Part& part) {
        const auto chunks = session.layout.chunks_of(part.piece);
        const auto from = std::max(chunks.first, frame.extent.first);
        const auto end = std::min(chunks.first + chunks.count, frame.extent.first + frame.extent.count);
        if (from >= end) return false;
        part.missing &= good ? ~((~std::uint64_t{0} >> (64 - (end - from))) << (from - chunks.first)) : 0;
        if (part.missing != 0) return false;
        ended.push_back(part.piece);
        return true;
    };
    open.parts.erase(std::remove_if(open.parts.begin(), open.parts.end(), comes), open.parts.end());
    for (const auto piece : ended) {
        connection->asked_bytes -= session.layout.bytes_of(piece);
        open.bytes -= session.layout.bytes_of(piece);
    }
    if (open.parts.empty()) connection->requests.erase(found);
    for (const auto piece : ended) {
        if (good)
            piece_came(swarm, slot, piece, now);
        else if (slot)
            session.peer->was_false(*slot, piece, now);
    }
    if (!good) {
        shell_.caught(connection->node, session.id, frame.extent);
        harm(id, *connection, "chunks without their hash", now);
    }
    settle(now);
}

}  // namespace entrepot

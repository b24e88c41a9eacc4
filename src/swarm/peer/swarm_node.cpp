#include "swarm/peer/swarm_node.hpp"

#include "swarm/peer/swarm_node_links.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

constexpr SwarmTime look_interval = 500 * swarm_millisecond;
constexpr std::uint16_t harm_forgiven = 1;

}  // namespace

SwarmNode::SwarmNode(
    NodeSettings settings, const PeerPolicy& peer_policy, const SeedPolicy& seed_policy, NodeShell& shell
)
    : settings_{std::move(settings)},
      peer_policy_{peer_policy},
      seed_policy_{seed_policy},
      shell_{shell},
      uploads_{0},
      random_{settings_.random_seed}
{
    bound_uploads();
}

SwarmNode::~SwarmNode() = default;

PeerConnection* SwarmNode::find(ConnectionId connection) noexcept
{
    const auto found = connections_.find(connection);
    return found == connections_.end() ? nullptr : &found->second;
}

std::optional<SwarmIndex> SwarmNode::index_of(const SwarmId& id) const noexcept
{
    const auto found = indices_.find(id);
    return found == indices_.end() ? std::nullopt : std::optional{found->second};
}

const SwarmSession* SwarmNode::find(const SwarmId& id) const noexcept
{
    const auto index = index_of(id);
    return index ? swarms_.at(*index).session.get() : nullptr;
}

// ---- swarms

SwarmNode::Part& SwarmNode::new_part(const SwarmId& id, PieceLayout layout, std::string ticket)
{
    const auto index = ++last_swarm_;
    indices_.emplace(id, index);
    auto& part = swarms_[index];
    part.session = std::make_unique<SwarmSession>(id, std::move(layout), std::move(ticket));
    part.links = std::make_unique<Links>(*this, index);
    largest_piece_ = std::max(largest_piece_, part.session->layout.piece_bytes());
    bound_uploads();
    return part;
}

void SwarmNode::add_swarm(
    const SwarmId& id, PieceLayout layout, const PieceSet& held, std::string ticket, SwarmTime now
)
{
    if (indices_.contains(id)) return;
    auto& part = new_part(id, std::move(layout), std::move(ticket));
    auto& session = *part.session;
    session.peer.emplace(session.layout, peer_policy_, *part.links, random_.next());
    for (PieceIndex piece = 0; piece < session.layout.pieces(); ++piece) {
        if (held.contains(piece)) session.peer->hold(piece);
    }
    session.peer->start(now);
    tell_if_complete(part);
}

void SwarmNode::add_seed(const SwarmId& id, PieceLayout layout, PieceIndex first)
{
    if (indices_.contains(id)) return;
    auto& part = new_part(id, std::move(layout), {});
    auto& session = *part.session;
    const auto up = settings_.up / static_cast<double>(swarm_second);
    session.seed.emplace(session.layout, seed_policy_, *part.links, up, first, random_.next());
    bound_uploads();
}

void SwarmNode::remove_swarm(const SwarmId& id, std::optional<DenyCode> why, SwarmTime now)
{
    const auto index = index_of(id);
    if (!index) return;
    for (auto& [connection_id, connection] : connections_) {
        const auto found = connection.memberships.find(*index);
        if (found == connection.memberships.end()) continue;
        if (why && found->second.theirs != SwarmHandle::connection)
            send(connection_id, DenyFrame{.of = found->second.theirs, .code = *why, .retry_ms = 0});
        leave(connection_id, connection, *index, now);
    }
    indices_.erase(id);
    wanted_.erase(id);
    swarms_.erase(*index);
}

void SwarmNode::set_ticket(const SwarmId& id, std::string ticket)
{
    if (const auto index = index_of(id)) swarms_.at(*index).session->ticket = std::move(ticket);
}

void SwarmNode::neighbours(const SwarmId& id, std::span<const PeerEntry> peers, SwarmTime now)
{
    const auto index = index_of(id);
    if (!index) return;
    for (const auto& peer : peers) {
        if (peer.node == settings_.id) continue;
        const auto known = by_node_.find(peer.node);
        if (known == by_node_.end()) {
            auto& wanted = wanted_[id];
            if (std::ranges::find(wanted, peer.node) == wanted.end()) wanted.push_back(peer.node);
            if (dialled_.insert(peer.node).second) shell_.connect(peer);
        } else if (auto& connection = connections_.at(known->second); connection.greeted) {
            join(known->second, connection, *index, now);
        }
    }
    settle(now);
}

void SwarmNode::unreachable(const NodeId& node)
{
    dialled_.erase(node);
    for (auto& [swarm, nodes] : wanted_) {
        if (std::erase(nodes, node) != 0) shell_.starved(swarm, RefillReason::few, node);
    }
}

void SwarmNode::read_at(const SwarmId& id, PieceIndex piece, SwarmTime now)
{
    const auto index = index_of(id);
    if (!index || !swarms_.at(*index).session->peer) return;
    swarms_.at(*index).session->peer->read_at(piece, now);
    settle(now);
}

void SwarmNode::urge(const SwarmId& id, PieceRange pieces, SwarmTime now)
{
    const auto index = index_of(id);
    if (!index || !swarms_.at(*index).session->peer) return;
    swarms_.at(*index).session->peer->urge(pieces, now);
    settle(now);
}

void SwarmNode::fetched(const SwarmId& id, PieceIndex piece, SwarmTime now)
{
    const auto index = index_of(id);
    if (!index || !swarms_.at(*index).session->peer) return;
    piece_came(*index, std::nullopt, piece, now);
    settle(now);
}

void SwarmNode::piece_came(SwarmIndex swarm, std::optional<NeighbourSlot> slot, PieceIndex piece, SwarmTime now)
{
    auto& part = swarms_.at(swarm);
    part.session->peer->arrived(slot, piece, now);
    tell_if_complete(part);
}

void SwarmNode::tell_if_complete(Part& part)
{
    auto& session = *part.session;
    if (session.told_complete || !session.complete()) return;
    session.told_complete = true;
    shell_.complete(session.id);
    const auto index = indices_.at(session.id);
    for (const auto id : std::vector<ConnectionId>{session.connections}) {
        auto* const connection = find(id);
        if (connection == nullptr) continue;
        // The registry has better things to do than to look at who has everything.
        if (connection->seed)
            useless_.emplace_back(id, index);
        else
            send(id, InterestFrame{.handle = connection->memberships.at(index).ours, .interested = false});
    }
}

// ---- membership

Membership& SwarmNode::enrol(PeerConnection& connection, SwarmIndex swarm)
{
    const auto [entry, fresh] = connection.memberships.try_emplace(swarm);
    if (fresh) {
        entry->second.swarm = swarm;
        ++swarms_.at(swarm).session->memberships;
    }
    return entry->second;
}

void SwarmNode::strike_off(PeerConnection& connection, SwarmIndex swarm)
{
    const auto found = connection.memberships.find(swarm);
    connection.their_handles.erase(found->second.theirs);
    connection.memberships.erase(found);
    --swarms_.at(swarm).session->memberships;
}

void SwarmNode::join(ConnectionId id, PeerConnection& connection, SwarmIndex swarm, SwarmTime now)
{
    const auto known = connection.memberships.find(swarm);
    if (known != connection.memberships.end() && known->second.ours != SwarmHandle::connection) return;
    if (known == connection.memberships.end() && !make_room(swarm, now)) return;
    auto& membership = enrol(connection, swarm);
    // Numbers are given in turn; 65,535 swarms on one connection would be needed for one that is not free.
    do {
        connection.last_handle = static_cast<std::uint16_t>(connection.last_handle % 65'535 + 1);
    } while (handle_in_use(connection, SwarmHandle{connection.last_handle}));
    membership.ours = SwarmHandle{connection.last_handle};
    const auto& session = *swarms_.at(swarm).session;
    send(id, JoinFrame{.handle = membership.ours, .swarm = session.id, .ticket = session.ticket});
    meet(id, connection, membership, now);
}

bool SwarmNode::handle_in_use(const PeerConnection& connection, SwarmHandle handle) noexcept
{
    return std::ranges::any_of(connection.memberships, [=](const auto& entry) { return entry.second.ours == handle; });
}

// Both have joined: they are neighbours.
void SwarmNode::meet(ConnectionId id, PeerConnection& connection, Membership& membership, SwarmTime now)
{
    if (membership.slot || !membership.accepted || membership.theirs == SwarmHandle::connection) return;
    auto& session = *swarms_.at(membership.swarm).session;
    const auto slot = free_slot(session, id);
    membership.slot = slot;
    // The seed shows pieces from within add_neighbour(), so the slot has its connection before.
    if (session.seed) {
        session.seed->add_neighbour(now);
        return;
    }
    session.peer->add_neighbour(connection.seed, now);
    if (membership.complete) {
        const PieceRange all{.first = 0, .count = session.layout.pieces()};
        session.peer->has(slot, std::span{&all, 1}, 0, now);
    }
    if (session.complete()) send(id, InterestFrame{.handle = membership.ours, .interested = false});
}

NeighbourSlot SwarmNode::free_slot(SwarmSession& session, ConnectionId id)
{
    auto free = std::ranges::find(session.connections, 0U);
    if (free == session.connections.end()) {
        session.connections.push_back(0);
        free = session.connections.end() - 1;
    }
    *free = id;
    return static_cast<NeighbourSlot>(free - session.connections.begin());
}

// What a neighbour was is over: in the swarm, not on the wire.
void SwarmNode::part_from(ConnectionId id, PeerConnection& connection, Membership& membership, SwarmTime now)
{
    const auto dropped = uploads_.drop_swarm(id, membership.swarm);
    connection.promised_bytes -= std::min(connection.promised_bytes, dropped);
    std::erase_if(connection.requests, [&](const auto& entry) {
        if (entry.second.swarm != membership.swarm) return false;
        connection.asked_bytes -= entry.second.bytes;
        return true;
    });
    if (!membership.slot) return;
    auto& session = *swarms_.at(membership.swarm).session;
    const auto slot = *std::exchange(membership.slot, std::nullopt);
    if (session.seed)
        session.seed->remove_neighbour(slot);
    else
        session.peer->remove_neighbour(slot, now);
    session.connections[slot] = 0;
}

void SwarmNode::leave(ConnectionId id, PeerConnection& connection, SwarmIndex swarm, SwarmTime now)
{
    const auto found = connection.memberships.find(swarm);
    if (found == connection.memberships.end()) return;
    auto& membership = found->second;
    part_from(id, connection, membership, now);
    if (membership.ours != SwarmHandle::connection) send(id, LeaveFrame{.handle = membership.ours});
    strike_off(connection, swarm);
}

// Who has most neighbours may still take one in place of one with whom nothing can be exchanged.
bool SwarmNode::make_room(SwarmIndex swarm, SwarmTime now)
{
    auto& session = *swarms_.at(swarm).session;
    const std::size_t most = session.seed ? SuperSeed::most_neighbours : settings_.most_neighbours;
    if (session.memberships < most) return true;
    const auto spare = session.seed ? session.seed->spare_neighbour() : session.peer->spare_neighbour();
    if (!spare) return false;
    const auto id = session.connections[*spare];
    leave(id, connections_.at(id), swarm, now);
    return true;
}

// ---- connections

void SwarmNode::opened(ConnectionId id, const NodeId& node, bool by_us, bool seed, SwarmTime now)
{
    dialled_.erase(node);
    auto& connection = connections_[id];
    connection.node = node;
    connection.opened_by_us = by_us;
    connection.seed = seed;
    connection.heard = now;
    HelloFrame hello;
    hello.node = settings_.id;
    hello.capabilities = settings_.capabilities;
    hello.plane = settings_.plane;
    hello.zone = settings_.zone;
    hello.name = settings_.name;
    hello.max_credit = settings_.credit;
    send(id, hello);
    if (look_at_ == 0) {
        look_at_ = now + look_interval;
        shell_.wake_at(look_at_);
    }
}

void SwarmNode::closed(ConnectionId id, SwarmTime now)
{
    forget(id, now);
    settle(now);
}

void SwarmNode::forget(ConnectionId id, SwarmTime now)
{
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    auto& connection = found->second;
    for (auto& [swarm, membership] : connection.memberships) part_from(id, connection, membership, now);
    uploads_.drop_link(id);
    const auto named = by_node_.find(connection.node);
    if (named != by_node_.end() && named->second == id) by_node_.erase(named);
    connections_.erase(found);
}

void SwarmNode::bye(ConnectionId id, ByeReason reason, const std::string& text, SwarmTime now)
{
    send(id, ByeFrame{.reason = reason, .text = wire_text(text, WireLimits::text)});
    shell_.close(id);
    forget(id, now);
}

void SwarmNode::broken(ConnectionId id, const std::string& why, SwarmTime now)
{
    if (find(id) == nullptr) return;
    bye(id, ByeReason::protocol, why, now);
    settle(now);
}

void SwarmNode::shut_down()
{
    while (!connections_.empty()) bye(connections_.begin()->first, ByeReason::shutdown, {}, 0);
}

// ---- data

void SwarmNode::heard(ConnectionId id, SwarmTime now) noexcept
{
    if (auto* const connection = find(id)) connection->heard = now;
}

// True when that was too much, and the connection has ended.
bool SwarmNode::harm(ConnectionId id, PeerConnection& connection, const std::string& what, SwarmTime now)
{
    if (++connection.harm <= harm_forgiven) return false;
    bye(id, ByeReason::harm, what, now);
    return true;
}

std::optional<SwarmId> SwarmNode::data_begins(ConnectionId id, const DataFrame& frame, SwarmTime now)
{
    auto* const connection = find(id);
    if (connection == nullptr) return std::nullopt;
    connection->heard = now;
    const auto open = connection->requests.find(frame.request);
    if (open == connection->requests.end()) {
        // Of a request that has ended it was on its way; another one there never was.
        if (frame.request > connection->last_request) harm(id, *connection, "DATA that nobody asked for", now);
        settle(now);
        return std::nullopt;
    }
    const auto& layout = swarms_.at(open->second.swarm).session->layout;
    const bool inside =
        frame.extent.first < layout.chunks() && frame.extent.count <= layout.chunks() - frame.extent.first;
    if (!inside || layout.bytes_of_chunks(frame.extent) != frame.bytes) {
        bye(id, ByeReason::protocol, "DATA: not as long as its chunks", now);
        settle(now);
        return std::nullopt;
    }
    if (!awaits(open->second, layout, frame.extent)) {
        harm(id, *connection, "DATA that the request was not about", now);
        settle(now);
        return std::nullopt;
    }
    return swarms_.at(open->second.swarm).session->id;
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

// ---- time

void SwarmNode::wake(SwarmTime now)
{
    for (auto& [index, part] : swarms_) {
        if (part.session->peer) part.session->peer->wake(now);
        if (part.session->seed && look_at_ != 0 && now >= look_at_) part.session->seed->wake(now);
    }
    if (look_at_ != 0 && now >= look_at_) look_after(now);
    settle(now);
}

// Silence is asked about, and then ends the connection: soon where answers are awaited.
void SwarmNode::look_after(SwarmTime now)
{
    std::vector<ConnectionId> silent;
    for (auto& [id, connection] : connections_) {
        const auto patience = connection.requests.empty() ? settings_.ping_idle_after : settings_.ping_after;
        if (connection.pinged != 0 && connection.heard >= connection.pinged) connection.pinged = 0;
        if (connection.pinged == 0 && now - connection.heard >= patience) {
            connection.pinged = now;
            send(id, PingFrame{.token = random_.next()});
        } else if (connection.pinged != 0 && now - connection.pinged >= settings_.silence) {
            silent.push_back(id);
        }
    }
    for (const auto id : silent) bye(id, ByeReason::silence, "no answer to PING", now);
    look_at_ = connections_.empty() ? 0 : now + look_interval;
    if (look_at_ != 0) shell_.wake_at(look_at_);
}

// What could not be done from inside a peer's own function.
void SwarmNode::settle(SwarmTime now)
{
    for (const auto& [id, swarm] : std::exchange(useless_, {})) {
        if (auto* const connection = find(id)) leave(id, *connection, swarm, now);
    }
    constexpr SwarmTime until_credit = 5 * swarm_millisecond;
    for (const auto& [swarm, slot, piece] : std::exchange(refused_, {})) {
        const auto found = swarms_.find(swarm);
        if (found != swarms_.end() && found->second.session->connections[slot] != 0)
            found->second.session->peer->refused(slot, piece, until_credit, 0, now);
    }
    if (!uploads_.empty()) shell_.upload_ready();
}

}  // namespace entrepot

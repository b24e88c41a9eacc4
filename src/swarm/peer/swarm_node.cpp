#include "swarm/peer/swarm_node.hpp"

#include "swarm/peer/swarm_node_links.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

constexpr SwarmTime look_interval = 500 * swarm_millisecond;

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
    session.peer->set_budget(across_);
    bound_uploads();
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
    for (auto& [connection_id, connection] : connections_) expel(connection_id, connection, *index, why, now);
    indices_.erase(id);
    wanted_.erase(id);
    swarms_.erase(*index);
    bound_uploads();
}

void SwarmNode::set_ticket(const SwarmId& id, std::string ticket)
{
    if (const auto index = index_of(id)) swarms_.at(*index).session->ticket = std::move(ticket);
}

void SwarmNode::set_priority(const SwarmId& id, std::uint8_t priority)
{
    if (const auto index = index_of(id)) swarms_.at(*index).session->priority = priority;
}

void SwarmNode::set_tracked(const SwarmId& id, bool tracked)
{
    if (const auto index = index_of(id); index && swarms_.at(*index).session->peer)
        swarms_.at(*index).session->peer->set_tracked(tracked);
}

void SwarmNode::deny(const NodeId& node, const SwarmId& id, DenyCode why, SwarmTime now)
{
    const auto index = index_of(id);
    const auto known = by_node_.find(node);
    if (!index || known == by_node_.end()) return;
    expel(known->second, connections_.at(known->second), *index, why, now);
    settle(now);
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

SwarmPeer* SwarmNode::peer_of(const SwarmId& id) noexcept
{
    const auto index = index_of(id);
    if (!index) return nullptr;
    auto& peer = swarms_.at(*index).session->peer;
    return peer ? &*peer : nullptr;
}

void SwarmNode::read_at(const SwarmId& id, PieceIndex piece, SwarmTime now)
{
    if (auto* const peer = peer_of(id)) peer->read_at(piece, now);
    settle(now);
}

void SwarmNode::urge(const SwarmId& id, PieceRange pieces, SwarmTime now)
{
    if (auto* const peer = peer_of(id)) peer->urge(pieces, now);
    settle(now);
}

void SwarmNode::fetched(const SwarmId& id, PieceIndex piece, SwarmTime now)
{
    if (peer_of(id) != nullptr) piece_came(*index_of(id), std::nullopt, piece, now);
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
    if (fresh) entry->second.swarm = swarm;
    return entry->second;
}

// On all connections, begun or established.
std::size_t SwarmNode::members_of(SwarmIndex swarm) const noexcept
{
    return static_cast<std::size_t>(std::ranges::count_if(connections_, [swarm](const auto& entry) {
        return entry.second.memberships.contains(swarm);
    }));
}

void SwarmNode::strike_off(PeerConnection& connection, SwarmIndex swarm)
{
    const auto found = connection.memberships.find(swarm);
    connection.their_handles.erase(found->second.theirs);
    connection.memberships.erase(found);
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
    // make_room() has seen to it that there is a slot.
    const auto slot = session.seed ? *session.seed->add_neighbour(now, connection.zone)
                                   : *session.peer->add_neighbour(connection.seed, now, connection.across);
    if (session.connections.size() <= slot) session.connections.resize(slot + 1U);
    session.connections[slot] = id;
    membership.slot = slot;
    if (session.seed) return session.seed->wake(now);
    if (membership.complete) {
        const PieceRange all{.first = 0, .count = session.layout.pieces()};
        session.peer->has(slot, std::span{&all, 1}, 0, now);
    }
    if (session.complete()) send(id, InterestFrame{.handle = membership.ours, .interested = false});
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
    membership.unsaid.clear();
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

void SwarmNode::expel(
    ConnectionId id, PeerConnection& connection, SwarmIndex swarm, std::optional<DenyCode> why, SwarmTime now
)
{
    const auto found = connection.memberships.find(swarm);
    if (found == connection.memberships.end()) return;
    if (why && found->second.theirs != SwarmHandle::connection)
        send(id, DenyFrame{.of = found->second.theirs, .code = *why, .retry_ms = 0});
    leave(id, connection, swarm, now);
}

// Who has most neighbours may still take one in place of one with whom nothing can be exchanged.
bool SwarmNode::make_room(SwarmIndex swarm, SwarmTime now)
{
    auto& session = *swarms_.at(swarm).session;
    const auto most = session.seed ? SuperSeed::most_neighbours
                                   : std::min<std::size_t>(settings_.most_neighbours, SwarmPeer::most_neighbours);
    if (members_of(swarm) < most) return true;
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
    for (const auto& [index, part] : swarms_) part.links->say_what_waits();
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

#include "swarm/peer/swarm_node.hpp"

#include "swarm/peer/swarm_node_links.hpp"

#include <algorithm>

namespace entrepot {

template <class Frame>
void SwarmNode::send(ConnectionId connection, const Frame& frame)
{
    std::string bytes;
    append_frame(bytes, frame);
    shell_.send(connection, std::move(bytes));
}

template void SwarmNode::send(ConnectionId, const HelloFrame&);
template void SwarmNode::send(ConnectionId, const ByeFrame&);
template void SwarmNode::send(ConnectionId, const PingFrame&);
template void SwarmNode::send(ConnectionId, const JoinFrame&);
template void SwarmNode::send(ConnectionId, const DenyFrame&);
template void SwarmNode::send(ConnectionId, const LeaveFrame&);
template void SwarmNode::send(ConnectionId, const InterestFrame&);
template void SwarmNode::send(ConnectionId, const RequestFrame&);
template void SwarmNode::send(ConnectionId, const BusyFrame&);
template void SwarmNode::send(ConnectionId, const CancelFrame&);

bool SwarmNode::received(ConnectionId id, const PeerFrame& frame, SwarmTime now)
{
    auto* const connection = find(id);
    if (connection == nullptr) return false;
    connection->heard = now;
    if (std::holds_alternative<ByeFrame>(frame)) {
        shell_.close(id);
        forget(id, now);
    } else if (std::holds_alternative<HelloFrame>(frame) == connection->greeted) {
        bye(id, ByeReason::protocol, connection->greeted ? "a second HELLO" : "no HELLO at first", now);
    } else {
        const auto act = [&]<class Frame>(const Frame& one) {
            if constexpr (requires { on(id, *connection, one, now); }) on(id, *connection, one, now);
        };
        std::visit(act, frame);
    }
    settle(now);
    return find(id) != nullptr;
}

Membership* SwarmNode::membership_of(PeerConnection& connection, SwarmHandle theirs) noexcept
{
    const auto index = connection.their_handles.find(theirs);
    return index == connection.their_handles.end() ? nullptr : &connection.memberships.at(index->second);
}

void SwarmNode::on(ConnectionId id, PeerConnection& connection, const HelloFrame& frame, SwarmTime now)
{
    const auto version = common_version(spoken_versions, frame.versions);
    if (!version) return bye(id, ByeReason::version, {}, now);
    if (frame.node != connection.node) return bye(id, ByeReason::identity, {}, now);
    connection.greeted = true;
    connection.version = *version;
    connection.hello = frame;
    connection.credit = frame.max_credit;
    const auto [named, first] = by_node_.emplace(frame.node, id);
    if (!first && named->second != id) {
        // Both have opened one: that of the node with the smaller id stays, on both sides.
        const bool ours_stays = settings_.id < frame.node;
        const auto goes = connection.opened_by_us == ours_stays ? named->second : id;
        // What we joined on the one that goes we want on the other.
        for (const auto& [swarm, membership] : connections_.at(goes).memberships) {
            if (membership.ours != SwarmHandle::connection)
                wanted_[swarms_.at(swarm).session->id].push_back(frame.node);
        }
        if (goes == named->second) named->second = id;
        bye(goes, ByeReason::duplicate, {}, now);
        if (goes == id) return;
    }
    for (auto& [swarm, nodes] : wanted_) {
        if (std::erase(nodes, frame.node) == 0) continue;
        if (const auto index = index_of(swarm)) join(id, connection, *index, now);
    }
}

void SwarmNode::on(ConnectionId id, PeerConnection&, const PingFrame& frame, SwarmTime)
{
    send(id, PongFrame{.token = frame.token});
}

void SwarmNode::on(ConnectionId id, PeerConnection& connection, const JoinFrame& frame, SwarmTime now)
{
    const auto deny = [&](DenyCode code, std::uint32_t retry_ms) {
        send(id, DenyFrame{.of = frame.handle, .code = code, .retry_ms = retry_ms});
    };
    constexpr std::uint32_t until_room = 1'000;
    if (connection.their_handles.contains(frame.handle))
        return bye(id, ByeReason::protocol, "JOIN: the handle is in use", now);
    // Who may not have it must not learn whether it is here: the right is asked for first.
    if (const auto refusal = shell_.refusal(connection.node, frame.swarm, frame.ticket)) return deny(*refusal, 0);
    const auto index = index_of(frame.swarm);
    if (!index) return deny(DenyCode::unknown, 0);
    auto known = connection.memberships.find(*index);
    if (known != connection.memberships.end() && known->second.theirs != SwarmHandle::connection)
        return bye(id, ByeReason::protocol, "JOIN: the swarm has a handle", now);
    if (known == connection.memberships.end() && !has_room(*index, now)) return deny(DenyCode::full, until_room);
    auto& membership = connection.memberships[*index];
    membership.swarm = *index;
    membership.theirs = frame.handle;
    connection.their_handles.emplace(frame.handle, *index);
    const auto& session = *swarms_.at(*index).session;
    const bool all = session.peer && session.complete();
    send(id, JoinOkFrame{.of = frame.handle, .joins = true, .complete = all});
    join(id, connection, *index, now);
    if (session.peer && !all) show_holdings(id, session, membership);
    meet(id, connection, membership, now);
}

void SwarmNode::show_holdings(ConnectionId id, const SwarmSession& session, const Membership& membership)
{
    const auto& held = session.peer->picker().held();
    if (held.empty()) return;
    for (const auto& map : have_maps_of(membership.ours, held.size(), held.words())) send(id, map);
}

void SwarmNode::on(ConnectionId id, PeerConnection& connection, const JoinOkFrame& frame, SwarmTime now)
{
    for (auto& [swarm, membership] : connection.memberships) {
        if (membership.ours != frame.of || membership.accepted) continue;
        membership.accepted = true;
        membership.complete = frame.complete;
        return meet(id, connection, membership, now);
    }
}

void SwarmNode::on(ConnectionId id, PeerConnection& connection, const DenyFrame& frame, SwarmTime now)
{
    for (auto& [swarm, membership] : connection.memberships) {
        if (membership.ours != frame.of) continue;
        membership.ours = SwarmHandle::connection;
        membership.accepted = false;
        part_from(id, connection, membership, now);
        connection.their_handles.erase(membership.theirs);
        const auto& session = *swarms_.at(swarm).session;
        if (session.peer && !session.complete()) shell_.starved(session.id, RefillReason::few, connection.node);
        connection.memberships.erase(swarm);
        return;
    }
}

void SwarmNode::on(ConnectionId id, PeerConnection& connection, const LeaveFrame& frame, SwarmTime now)
{
    auto* const membership = membership_of(connection, frame.handle);
    if (membership == nullptr) return;
    leave(id, connection, membership->swarm, now);
}

void SwarmNode::on(ConnectionId id, PeerConnection& connection, const HaveMapFrame& frame, SwarmTime now)
{
    auto* const membership = membership_of(connection, frame.handle);
    if (membership == nullptr || !membership->slot) return;
    auto& session = *swarms_.at(membership->swarm).session;
    if (frame.pieces != session.layout.pieces())
        return bye(id, ByeReason::protocol, "HAVE_MAP: the image has another number of pieces", now);
    std::vector<PieceRange> ranges;
    frame.for_each_range([&](PieceRange range) { ranges.push_back(range); });
    told(session, *membership, ranges, 0, now);
}

void SwarmNode::on(ConnectionId id, PeerConnection& connection, const HaveFrame& frame, SwarmTime now)
{
    auto* const membership = membership_of(connection, frame.handle);
    if (membership == nullptr || !membership->slot) return;
    auto& session = *swarms_.at(membership->swarm).session;
    const auto beyond = [&](PieceRange range) {
        return range.first >= session.layout.pieces() || range.count > session.layout.pieces() - range.first;
    };
    if (std::ranges::any_of(frame.ranges, beyond))
        return bye(id, ByeReason::protocol, "HAVE: pieces beyond the image", now);
    told(session, *membership, frame.ranges, frame.load * swarm_millisecond, now);
}

void SwarmNode::told(
    SwarmSession& session,
    const Membership& membership,
    std::span<const PieceRange> ranges,
    SwarmTime load,
    SwarmTime now
)
{
    if (session.seed)
        session.seed->has(*membership.slot, ranges, now);
    else
        session.peer->has(*membership.slot, ranges, load, now);
}

void SwarmNode::on(ConnectionId, PeerConnection& connection, const InterestFrame& frame, SwarmTime)
{
    if (auto* const membership = membership_of(connection, frame.handle)) membership->interested = frame.interested;
}

void SwarmNode::on(ConnectionId id, PeerConnection& connection, const RequestFrame& frame, SwarmTime now)
{
    auto* const membership = membership_of(connection, frame.handle);
    if (membership == nullptr) return;
    auto& session = *swarms_.at(membership->swarm).session;
    Upload upload{.link = id, .request = frame.id, .swarm = membership->swarm, .extents = {}, .bytes = 0};
    upload.rank = std::uint32_t{255} - frame.priority;
    bool here = true;
    for (const auto range : frame.ranges) {
        if (range.first >= session.layout.chunks() || range.count > session.layout.chunks() - range.first)
            return bye(id, ByeReason::protocol, "REQUEST: chunks beyond the image", now);
        for (auto chunk = range.first; chunk < range.first + range.count; ++chunk)
            here = here && session.has(session.layout.piece_of_chunk(chunk));
        upload.extents.push_back(range);
        upload.bytes += session.layout.bytes_of_chunks(range);
    }
    const bool within_credit = connection.promised_bytes + upload.bytes <= settings_.credit;
    if (here && within_credit && uploads_.offer(upload)) {
        connection.promised_bytes += upload.bytes;
        for (const auto range : frame.ranges) {
            if (session.seed && membership->slot)
                session.seed->asked(*membership->slot, session.layout.piece_of_chunk(range.first));
        }
        return;
    }
    const auto load = load_ms();
    // Half of the queue has gone by then, and whoever asks again finds a place.
    const std::uint32_t retry = here ? std::max<std::uint32_t>(load / 2U, 1) : 0;
    send(id, BusyFrame{.handle = membership->ours, .request = frame.id, .retry_ms = retry, .load = load});
}

void SwarmNode::on(ConnectionId, PeerConnection& connection, const BusyFrame& frame, SwarmTime now)
{
    const auto found = connection.requests.find(frame.request);
    if (found == connection.requests.end()) return;
    const auto open = std::move(found->second);
    connection.requests.erase(found);
    connection.asked_bytes -= open.bytes;
    const auto& membership = connection.memberships.at(open.swarm);
    if (open.cancelled || !membership.slot) return;
    // Never is a long time: it said that it has the piece, or we were told so by mistake.
    const SwarmTime retry = frame.retry_ms == 0 ? swarm_second : frame.retry_ms * swarm_millisecond;
    for (const auto& part : open.parts)
        swarms_.at(open.swarm)
            .session->peer->refused(*membership.slot, part.piece, retry, frame.load * swarm_millisecond, now);
}

void SwarmNode::on(ConnectionId id, PeerConnection& connection, const CancelFrame& frame, SwarmTime)
{
    auto* const membership = membership_of(connection, frame.handle);
    if (membership == nullptr) return;
    const auto bytes = uploads_.cancel(id, frame.request);
    if (!bytes) return;
    connection.promised_bytes -= std::min(connection.promised_bytes, *bytes);
    send(id, BusyFrame{.handle = membership->ours, .request = frame.request, .retry_ms = 0, .load = load_ms()});
}

void SwarmNode::on(ConnectionId, PeerConnection& connection, const CreditFrame& frame, SwarmTime)
{
    connection.credit = frame.bytes;
}

// We do not offer bundles: agents have these from the registry.
void SwarmNode::on(ConnectionId id, PeerConnection& connection, const GetBundleFrame& frame, SwarmTime)
{
    auto* const membership = membership_of(connection, frame.handle);
    if (membership == nullptr) return;
    send(id, BundleFrame{.handle = membership->ours, .part = frame.part, .offset = 0, .total = 0, .bytes = {}});
}

}  // namespace entrepot

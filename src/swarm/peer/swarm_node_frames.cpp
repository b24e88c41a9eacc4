#include "swarm/peer/swarm_node.hpp"

#include "swarm/peer/swarm_node_links.hpp"

#include <algorithm>

namespace entrepot {

namespace {

// Of one neighbour, waiting.
constexpr std::size_t most_requests = 256;

}  // namespace

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
    if (!common_version(spoken_versions, frame.versions)) return bye(id, ByeReason::version, {}, now);
    if (frame.node != connection.node) return bye(id, ByeReason::identity, {}, now);
    connection.greeted = true;
    connection.credit = frame.max_credit;
    connection.across = !connection.seed && frame.zone != settings_.zone;
    connection.zone = zone_number(frame.zone);
    const auto [named, first] = by_node_.emplace(frame.node, id);
    if (!first && named->second != id) {
        const auto before = named->second;
        auto& other = connections_.at(before);
        if (other.opened_by_us == connection.opened_by_us) {
            // Who opened both knows which came first; the other side waits for his word.
            if (connection.opened_by_us) bye(id, ByeReason::duplicate, {}, now);
            return;
        }
        // Both have opened one: that of the node with the smaller id stays, on both sides.
        const bool this_stays = connection.opened_by_us == (settings_.id < frame.node);
        for (const auto& [swarm, membership] : (this_stays ? other : connection).memberships)
            wanted_[swarms_.at(swarm).session->id].push_back(frame.node);
        if (this_stays) named->second = id;
        bye(this_stays ? before : id, ByeReason::duplicate, {}, now);
        if (!this_stays) return join_wanted(before, connections_.at(before), now);
    }
    join_wanted(id, connection, now);
}

// A seed keeps something for each: who invents zones gets no more than these.
std::uint16_t SwarmNode::zone_number(const std::string& zone)
{
    constexpr std::size_t most_zones = 64;
    const auto number = static_cast<std::uint16_t>(std::min(zones_.size(), most_zones - 1));
    if (zones_.size() < most_zones) return zones_.emplace(zone, number).first->second;
    const auto found = zones_.find(zone);
    return found == zones_.end() ? number : found->second;
}

void SwarmNode::join_wanted(ConnectionId id, PeerConnection& connection, SwarmTime now)
{
    for (auto& [swarm, nodes] : wanted_) {
        if (std::erase(nodes, connection.node) == 0) continue;
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
    if (known == connection.memberships.end() && !make_room(*index, now)) return deny(DenyCode::full, until_room);
    auto& membership = enrol(connection, *index);
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
        // One right is no swarm: theirs ends too, so that both begin anew.
        if (membership.theirs != SwarmHandle::connection)
            send(id, DenyFrame{.of = membership.theirs, .code = DenyCode::other, .retry_ms = frame.retry_ms});
        part_from(id, connection, membership, now);
        const auto& session = *swarms_.at(swarm).session;
        if (session.peer && !session.complete()) shell_.starved(session.id, RefillReason::few, connection.node);
        return strike_off(connection, SwarmIndex{swarm});
    }
}

void SwarmNode::on(ConnectionId id, PeerConnection& connection, const LeaveFrame& frame, SwarmTime now)
{
    auto* const membership = membership_of(connection, frame.handle);
    if (membership == nullptr) return;
    if (membership->ours == SwarmHandle::connection || membership->accepted)
        return leave(id, connection, membership->swarm, now);
    // Our own JOIN is on its way, and the answer to it will tell.
    part_from(id, connection, *membership, now);
    connection.their_handles.erase(membership->theirs);
    membership->theirs = SwarmHandle::connection;
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
    if (session.seed)
        session.seed->has(*membership->slot, ranges, now);
    else
        session.peer->has_only(*membership->slot, {.first = frame.start, .count = frame.count}, ranges, now);
}

void SwarmNode::on(ConnectionId id, PeerConnection& connection, const HaveFrame& frame, SwarmTime now)
{
    auto* const membership = membership_of(connection, frame.handle);
    if (membership == nullptr || !membership->slot) return;
    auto& session = *swarms_.at(membership->swarm).session;
    const auto inside = [&](PieceRange range) { return session.layout.contains(range); };
    if (!std::ranges::all_of(frame.ranges, inside))
        return bye(id, ByeReason::protocol, "HAVE: pieces beyond the image", now);
    shell_.news(session.id);
    if (session.seed)
        session.seed->has(*membership->slot, frame.ranges, now);
    else
        session.peer->has(*membership->slot, frame.ranges, frame.load * swarm_millisecond, now);
}

void SwarmNode::on(ConnectionId, PeerConnection& connection, const InterestFrame& frame, SwarmTime)
{
    auto* const membership = membership_of(connection, frame.handle);
    if (membership == nullptr) return;
    membership->interested = frame.interested;
    auto& session = *swarms_.at(membership->swarm).session;
    if (session.peer && membership->slot) session.peer->set_interest(*membership->slot, frame.interested);
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
        if (!session.layout.contains(range))
            return bye(id, ByeReason::protocol, "REQUEST: chunks beyond the image", now);
        for (auto chunk = range.first; chunk < range.first + range.count; ++chunk)
            here = here && session.has(session.layout.piece_of_chunk(chunk));
        upload.extents.push_back(range);
        upload.bytes += session.layout.bytes_of_chunks(range);
    }
    const bool within_credit = connection.promised_bytes + upload.bytes <= settings_.credit &&
                               uploads_.requests_of(id) < most_requests && upload.bytes <= WireLimits::data_bytes;
    const bool barred = connection.across && !session.seed && !across_.has_room(now);
    if (here && within_credit && !barred && uploads_.offer(upload)) {
        connection.promised_bytes += upload.bytes;
        for (const auto range : frame.ranges) {
            if (session.seed && membership->slot)
                session.seed->asked(*membership->slot, session.layout.piece_of_chunk(range.first));
        }
        return;
    }
    const auto load = load_ms();
    // Half of the queue has gone by then, and whoever asks again finds a place.
    constexpr std::uint32_t until_room = 100;
    const std::uint32_t retry = here ? std::max<std::uint32_t>(load / 2U, barred ? until_room : 1) : 0;
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
    auto& peer = *swarms_.at(open.swarm).session->peer;
    for (const auto& part : open.parts) {
        // Never: it does not have that any more.
        if (frame.retry_ms == 0)
            peer.lacks(*membership.slot, part.piece, now);
        else
            peer.refused(
                *membership.slot, part.piece, frame.retry_ms * swarm_millisecond, frame.load * swarm_millisecond, now
            );
    }
}

void SwarmNode::on(ConnectionId id, PeerConnection& connection, const CancelFrame& frame, SwarmTime now)
{
    auto* const membership = membership_of(connection, frame.handle);
    if (membership == nullptr) return;
    const auto upload = uploads_.cancel(id, frame.request);
    if (!upload) return;
    connection.promised_bytes -= std::min(connection.promised_bytes, upload->bytes);
    auto& session = *swarms_.at(membership->swarm).session;
    for (const auto extent : upload->extents) {
        if (session.seed && membership->slot)
            session.seed->unasked(*membership->slot, session.layout.piece_of_chunk(extent.first), now);
    }
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

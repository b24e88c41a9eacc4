#include "swarm/tracker/tracker_swarm.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace entrepot {

namespace {

constexpr std::ptrdiff_t most_known = 128;
// Who asks more often is not answered.
constexpr SwarmTime least_refill_interval = 50 * swarm_millisecond;

std::uint64_t weight(const NodeId& node, const NodeId& seed, const SwarmId& swarm) noexcept
{
    // Ids are hashes: any eight bytes of them are as random as all.
    const auto word = [](const auto& bytes) {
        std::uint64_t value = 0;
        for (std::size_t at = 0; at < 8; ++at) value = value << 8U | bytes.bytes[at];
        return value;
    };
    return SwarmRandom{word(node) ^ std::rotl(word(seed), 21) ^ std::rotl(word(swarm), 42)}.next();
}

}  // namespace

Tracker::Tracker(const TrackerSettings& settings, const TrackerPolicy& policy, TrackerShell& shell)
    : settings_{settings},
      policy_{policy},
      shell_{shell},
      limits_{.others = {.rates = settings.rates}},
      random_{settings.random_seed}
{
}

Tracker::~Tracker() = default;

void Tracker::send(ControlId stream, const ControlFrame& frame)
{
    std::string bytes;
    append_frame(bytes, frame);
    shell_.send(stream, std::move(bytes));
}

// ---- streams

NodeIndex Tracker::new_node()
{
    if (free_.empty()) {
        nodes_.emplace_back();
        return static_cast<NodeIndex>(nodes_.size() - 1);
    }
    const auto index = free_.back();
    free_.pop_back();
    return index;
}

void Tracker::opened(ControlId stream, const NodeId& node, const PeerEndpoint& from, SwarmTime now)
{
    const auto index = new_node();
    auto& fresh = nodes_[index];
    fresh.stream = stream;
    fresh.id = node;
    fresh.from = from;
    fresh.heard = now;
    by_stream_.emplace(stream, index);
}

void Tracker::closed(ControlId stream)
{
    forget(stream);
}

void Tracker::forget(ControlId stream)
{
    const auto found = by_stream_.find(stream);
    if (found == by_stream_.end()) return;
    const auto index = found->second;
    while (!nodes_[index].memberships.empty()) leave(index, nodes_[index].memberships.begin()->first);
    if (nodes_[index].is_aside()) --asides_;
    if (const auto known = by_id_.find(nodes_[index].id); known != by_id_.end() && known->second == index)
        by_id_.erase(known);
    by_stream_.erase(found);
    nodes_[index] = {};
    free_.push_back(index);
}

void Tracker::bye(ControlId stream, ByeReason reason, const std::string& text)
{
    send(stream, ByeFrame{.reason = reason, .text = wire_text(text, WireLimits::text)});
    shell_.close(stream);
    forget(stream);
}

void Tracker::broken(ControlId stream, const std::string& why)
{
    if (by_stream_.contains(stream)) bye(stream, ByeReason::protocol, why);
}

bool Tracker::received(ControlId stream, const ControlFrame& frame, SwarmTime now)
{
    const auto found = by_stream_.find(stream);
    if (found == by_stream_.end()) return false;
    const auto index = found->second;
    nodes_[index].heard = now;
    if (std::holds_alternative<ByeFrame>(frame)) {
        shell_.close(stream);
        forget(stream);
    } else if (std::holds_alternative<RegisterFrame>(frame) == nodes_[index].registered.has_value()) {
        bye(stream, ByeReason::protocol, "REGISTER comes first, and once");
    } else {
        const auto act = [&]<class Frame>(const Frame& one) {
            if constexpr (requires { on(index, one); }) on(index, one);
        };
        std::visit(act, frame);
    }
    return by_stream_.contains(stream);
}

void Tracker::look(SwarmTime now)
{
    std::vector<ControlId> silent;
    for (const auto& node : nodes_) {
        if (node.stream != 0 && now - node.heard >= settings_.silence) silent.push_back(node.stream);
    }
    for (const auto stream : silent) bye(stream, ByeReason::silence, {});
}

// ---- what agents say

void Tracker::on(NodeIndex index, const RegisterFrame& frame)
{
    auto& node = nodes_[index];
    if (!common_version(spoken_versions, frame.versions)) return bye(node.stream, ByeReason::version, {});
    if (!take_place(index, frame.aside)) return bye(node.stream, ByeReason::duplicate, "the node's own stream is here");
    node.registered = frame;
    if (!frame.endpoint.has_address()) node.registered->endpoint.address = node.from.address;
    node.zone = zone_number(frame.zone);
    WelcomeFrame welcome;
    welcome.epoch = settings_.epoch;
    welcome.report_ms = settings_.report_ms;
    const auto& limits = limits_.of(frame.zone);
    welcome.rates = limits.rates;
    send(node.stream, welcome);
    if (limits.polite) send(node.stream, limits);
    if (!ticket_keys_.empty()) send(node.stream, TicketKeysFrame{.keys = ticket_keys_});
    if (!instances_.empty() && node.takes_moves() && !frame.aside) send(node.stream, others());
}

// A node has one stream here: the latest, because the one before may be a half that it has lost already; but where its
// own one is here it needs none aside.
bool Tracker::take_place(NodeIndex index, bool aside)
{
    const auto before = by_id_.find(nodes_[index].id);
    if (before != by_id_.end()) {
        const auto& other = nodes_[before->second];
        if (aside && !other.is_aside()) return false;
        bye(other.stream, ByeReason::duplicate, {});
    }
    by_id_.emplace(nodes_[index].id, index);
    if (aside) ++asides_;
    return true;
}

void Tracker::on(NodeIndex index, const RenewFrame& frame)
{
    auto& node = nodes_[index];
    if (!std::exchange(node.renewing, true)) shell_.renewal(node.stream, node.id, frame.request);
}

std::uint16_t Tracker::zone_number(const std::string& zone)
{
    const auto found = zones_.find(zone);
    if (found != zones_.end()) return found->second;
    // Who invents zones gains nothing: all beyond the last number are one.
    const auto number = std::min<std::size_t>(zones_.size(), std::numeric_limits<std::uint16_t>::max());
    if (number == std::numeric_limits<std::uint16_t>::max()) return static_cast<std::uint16_t>(number);
    zones_.emplace(zone, static_cast<std::uint16_t>(number));
    return static_cast<std::uint16_t>(number);
}

Tracker::Swarm& Tracker::swarm_of(const SwarmId& id)
{
    return swarms_.try_emplace(id, id, policy_, random_.next()).first->second;
}

void Tracker::on(NodeIndex index, const AnnounceFrame& frame)
{
    auto& node = nodes_[index];
    const auto known = node.memberships.find(frame.handle);
    if (known != node.memberships.end()) {
        auto& membership = known->second;
        if (membership.swarm->id != frame.swarm)
            return bye(node.stream, ByeReason::protocol, "ANNOUNCE: the handle is another swarm's");
        note(node, membership, frame.progress);
        membership.seed = frame.seed;
        const auto* const owner = frame.here ? nullptr : elsewhere(frame.swarm);
        if (owner != nullptr && node.takes_moves()) {
            send(node.stream, MovedFrame{.handle = frame.handle, .control = *owner});
            return leave(index, frame.handle);
        }
        if (!membership.admitted) return;
        membership.swarm->members.report(index, node.zone, frame.progress, frame.neighbours);
        note_holder(index, membership, frame.progress == WireLimits::permille);
        return;
    }
    const auto same = [&](const auto& entry) { return entry.second.swarm->id == frame.swarm; };
    if (std::ranges::any_of(node.memberships, same))
        return bye(node.stream, ByeReason::protocol, "ANNOUNCE: the swarm has a handle");
    if (const auto* const owner = frame.here ? nullptr : elsewhere(frame.swarm); owner && node.takes_moves()) {
        send(node.stream, MovedFrame{.handle = frame.handle, .control = *owner});
        return;
    }
    if (node.memberships.size() >= settings_.most_swarms_of_node) {
        send(node.stream, RetireFrame{.handle = frame.handle});
        return;
    }
    auto& membership = node.memberships[frame.handle];
    membership.swarm = &swarm_of(frame.swarm);
    membership.progress = frame.progress;
    membership.seed = frame.seed;
    ++membership.swarm->announced;
    shell_.wants(node.stream, node.id, frame.handle, frame.swarm, frame.ticket);
}

void Tracker::admitted(
    ControlId stream, SwarmHandle handle, const SwarmId& swarm, std::string ticket, std::uint64_t right
)
{
    const auto found = by_stream_.find(stream);
    if (found == by_stream_.end()) return;
    const auto index = found->second;
    auto& node = nodes_[index];
    const auto entry = node.memberships.find(handle);
    if (entry == node.memberships.end() || entry->second.swarm->id != swarm) return;
    auto& membership = entry->second;
    send(node.stream, TicketFrame{.handle = handle, .ticket = std::move(ticket)});
    if (std::exchange(membership.admitted, true)) return;
    auto& members = membership.swarm->members;
    membership.swarm->handles.emplace(index, handle);
    membership.swarm->tallies.enter(membership.part, right, node.registered->zone, membership.progress, node.heard);
    members.report(index, node.zone, membership.progress, 0);
    note_holder(index, membership, membership.progress == WireLimits::permille);
    // Who has everything waits for others to come.
    if (membership.progress < WireLimits::permille) tell(index, handle, membership, members.for_newcomer(index));
}

void Tracker::refused(ControlId stream, SwarmHandle handle, const SwarmId& swarm)
{
    const auto found = by_stream_.find(stream);
    if (found == by_stream_.end()) return;
    const auto& memberships = nodes_[found->second].memberships;
    const auto entry = memberships.find(handle);
    if (entry == memberships.end() || entry->second.swarm->id != swarm) return;
    send(nodes_[found->second].stream, RetireFrame{.handle = handle});
    leave(found->second, handle);
}

void Tracker::renew(ControlId stream, SwarmHandle handle, std::string ticket)
{
    const auto found = by_stream_.find(stream);
    if (found != by_stream_.end() && nodes_[found->second].memberships.contains(handle))
        send(nodes_[found->second].stream, TicketFrame{.handle = handle, .ticket = std::move(ticket)});
}

void Tracker::certified(ControlId stream, std::string certificate, std::string authorities)
{
    const auto found = by_stream_.find(stream);
    if (found == by_stream_.end()) return;
    nodes_[found->second].renewing = false;
    send(stream, CertificateFrame{.certificate = std::move(certificate), .authorities = std::move(authorities)});
}

void Tracker::renewal_failed(ControlId stream)
{
    const auto found = by_stream_.find(stream);
    if (found != by_stream_.end()) nodes_[found->second].renewing = false;
}

void Tracker::for_each_member(
    const SwarmId& swarm, const std::function<void(ControlId, SwarmHandle, const NodeId&)>& visit
)
{
    const auto found = swarms_.find(swarm);
    if (found == swarms_.end()) return;
    // The visitor may refuse them.
    const auto handles = found->second.handles;
    for (const auto& [index, handle] : handles) visit(nodes_[index].stream, handle, nodes_[index].id);
}

void Tracker::tell(NodeIndex index, SwarmHandle handle, Membership& membership, const SwarmMembers::Choice& choice)
{
    const auto& node = nodes_[index];
    NeighboursFrame frame;
    frame.handle = handle;
    if (choice.seed) {
        if (const auto* const seed = seed_for(node, *membership.swarm)) frame.peers.push_back(*seed);
    }
    for (const auto other : choice.neighbours) {
        if (frame.peers.size() == WireLimits::neighbours) break;
        if (nodes_[other].registered->endpoint.port != 0) frame.peers.push_back(entry_of(other, *membership.swarm));
    }
    remember(membership, choice.neighbours);
    if (!frame.peers.empty()) send(node.stream, frame);
}

PeerEntry Tracker::entry_of(NodeIndex index, const Swarm& swarm) const
{
    const auto& node = nodes_[index];
    const auto& membership = node.memberships.at(swarm.handles.at(index));
    return {
        .node = node.id,
        .endpoint = node.registered->endpoint,
        .zone = node.registered->zone,
        .progress = membership.progress,
        .seed = false,
    };
}

// Each node has its own order of the instances, so their loads are even, and the same one while instances stay.
const PeerEntry* Tracker::seed_for(const Node& node, const Swarm& swarm) const noexcept
{
    const auto found = std::ranges::max_element(seeds_, {}, [&](const PeerEntry& seed) {
        return weight(node.id, seed.node, swarm.id);
    });
    return found == seeds_.end() ? nullptr : &*found;
}

void Tracker::on(NodeIndex index, const ProgressFrame& frame)
{
    auto& node = nodes_[index];
    for (const auto& item : frame.swarms) {
        const auto found = node.memberships.find(item.handle);
        if (found == node.memberships.end() || !found->second.admitted) continue;
        auto& membership = found->second;
        auto& swarm = *membership.swarm;
        note(node, membership, item);
        swarm.members.report(index, node.zone, item.progress, item.neighbours);
        // Its place with the registry goes to somebody who misses pieces.
        if (item.progress == WireLimits::permille) swarm.members.release_seed(index);
        note_holder(index, membership, item.progress == WireLimits::permille);
    }
}

void Tracker::on(NodeIndex index, const RefillFrame& frame)
{
    auto& node = nodes_[index];
    const auto found = node.memberships.find(frame.handle);
    if (found == node.memberships.end() || !found->second.admitted) return;
    auto& membership = found->second;
    if (node.heard - membership.refilled < least_refill_interval) return;
    membership.refilled = node.heard;
    std::vector<NodeIndex> dropped;
    bool from_seed = false;
    for (const auto& id : frame.dropped) {
        const auto other = by_id_.find(id);
        if (other != by_id_.end()) dropped.push_back(other->second);
        from_seed = from_seed || std::ranges::find(seeds_, id, &PeerEntry::node) != seeds_.end();
    }
    auto& members = membership.swarm->members;
    if (from_seed) members.release_seed(index);
    remember(membership, dropped);
    auto choice = members.for_starved(index, membership.known, !from_seed);
    if (choice.neighbours.empty() && !choice.seed) {
        // It knows everybody: somebody that it has lost may be there again.
        membership.known.clear();
        remember(membership, dropped);
        choice = members.for_starved(index, membership.known, !from_seed);
    }
    tell(index, frame.handle, membership, choice);
}

// The oldest may be named again: by then they have other things to offer.
void Tracker::remember(Membership& membership, std::span<const NodeIndex> nodes)
{
    auto& known = membership.known;
    known.insert(known.end(), nodes.begin(), nodes.end());
    if (std::ssize(known) > most_known) known.erase(known.begin(), known.end() - most_known);
}

void Tracker::on(NodeIndex index, const RetireFrame& frame)
{
    leave(index, frame.handle);
}

void Tracker::leave(NodeIndex index, SwarmHandle handle)
{
    auto& memberships = nodes_[index].memberships;
    const auto found = memberships.find(handle);
    if (found == memberships.end()) return;
    auto& swarm = *found->second.swarm;
    note_holder(index, found->second, false);
    swarm.tallies.leave(found->second.part, found->second.progress);
    swarm.members.leave(index);
    swarm.handles.erase(index);
    memberships.erase(found);
    if (--swarm.announced == 0) swarms_.erase(SwarmId{swarm.id});
}

void Tracker::on(NodeIndex index, const ReportFrame& frame)
{
    // Copied: the shell may have the node's streams closed afterwards, but nothing of ours goes while it is told.
    shell_.reported(nodes_[index].id, frame);
}

void Tracker::on(NodeIndex index, const PreheatProgressFrame& frame)
{
    shell_.preheat_progress(nodes_[index].id, frame);
}

void Tracker::on(NodeIndex index, const PingFrame& frame)
{
    send(nodes_[index].stream, PongFrame{.token = frame.token});
}

// ---- what the registry says

void Tracker::set_ticket_keys(std::vector<TicketPublicKey> keys)
{
    if (keys == ticket_keys_) return;
    ticket_keys_ = std::move(keys);
    for (const auto& node : nodes_) {
        if (node.registered) send(node.stream, TicketKeysFrame{.keys = ticket_keys_});
    }
}

void Tracker::revoke(const RevokeFrame& frame)
{
    for (NodeIndex index = 0; index < nodes_.size(); ++index) {
        auto& node = nodes_[index];
        if (node.stream == 0 || !node.registered) continue;
        send(node.stream, frame);
        if (frame.kind != RevokedKind::swarms) continue;
        std::vector<SwarmHandle> ends;
        for (const auto& [handle, membership] : node.memberships) {
            const auto revoked = [&](const Sha256& id) { return id.bytes == membership.swarm->id.bytes; };
            if (std::ranges::any_of(frame.ids, revoked)) ends.push_back(handle);
        }
        for (const auto handle : ends) {
            send(node.stream, RetireFrame{.handle = handle});
            leave(index, handle);
        }
    }
}

void Tracker::set_limits(SwarmLimits limits)
{
    const auto before = std::exchange(limits_, std::move(limits));
    for (const auto& node : nodes_) {
        if (!node.registered) continue;
        const auto& its = limits_.of(node.registered->zone);
        if (its != before.of(node.registered->zone)) send(node.stream, its);
    }
}

std::size_t Tracker::preheat(
    const PreheatFrame& frame, const std::function<bool(std::string_view name, std::string_view zone)>& which
)
{
    std::size_t told = 0;
    for (const auto& node : nodes_) {
        if (!node.registered || node.is_aside() || !which(node.registered->name, node.registered->zone)) continue;
        send(node.stream, frame);
        ++told;
    }
    return told;
}

}  // namespace entrepot

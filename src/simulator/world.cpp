#include "simulator/world.hpp"

#include "simulator/bound.hpp"
#include "simulator/world_node.hpp"

#include <algorithm>
#include <cmath>

namespace entrepot {

namespace {

constexpr SwarmTime report_interval = swarm_second;
constexpr SwarmTime death_noticed_after = 2 * swarm_second;
constexpr std::uint8_t falsehoods_forgiven = 1;
// A run ends when nobody needs more than so many times the bound.
constexpr SwarmTime patience = 20;

}  // namespace

World::World(const Scenario& scenario, const PieceLayout& layout)
    : scenario_{scenario},
      layout_{layout},
      tracker_{scenario, [this](auto node, auto others) { connect_to(node, others); }},
      random_{scenario.seed},
      trunks_out_(scenario.zones, 0),
      trunks_in_(scenario.zones, 0)
{
    add_nodes();
    plan_arrivals();
}

World::~World() = default;

void World::add_nodes()
{
    constexpr double a_microsecond = 1e-6;
    const auto rate = scenario_.goodput * a_microsecond;
    for (std::uint32_t index = 0; index < scenario_.origins; ++index) {
        auto node = std::make_unique<Node>(*this, index, 0, scenario_.origin_up * rate, scenario_.origin_up * rate);
        const auto first = static_cast<PieceIndex>(std::uint64_t{layout_.pieces()} * index / scenario_.origins);
        node->seed.emplace(layout_, scenario_.origin, *node, node->up, first, random_.next());
        node->present = true;
        node->uploads.set_limit(layout_.bytes());  // it is asked for no more than it shows
        nodes_.push_back(std::move(node));
    }
    const auto chance = [this](double share) { return static_cast<double>(random_.below(1'000'000)) < share * 1e6; };
    for (std::uint32_t index = 0; index < scenario_.nodes; ++index) {
        const bool slow = chance(scenario_.slow);
        const auto factor = rate * (slow ? scenario_.slow_rate : 1);
        const auto zone = zone_of(index);
        auto node = std::make_unique<Node>(
            *this, scenario_.origins + index, zone, scenario_.up * factor, scenario_.down * factor
        );
        node->peer.emplace(layout_, scenario_.peer, *node, random_.next());
        if (scenario_.across) node->across.set(static_cast<std::uint64_t>(*scenario_.across), 0);
        node->peer->set_budget(node->across);
        node->slow = slow;
        node->silent = chance(scenario_.silent);
        node->lying = chance(scenario_.lying);
        nodes_.push_back(std::move(node));
    }
}

// Nodes of all zones arrive mixed, however large these are.
std::uint16_t World::zone_of(std::uint32_t node) const noexcept
{
    if (scenario_.zone_sizes.empty()) return static_cast<std::uint16_t>(node % scenario_.zones);
    const auto prime = std::uint64_t{1'000'003};  // more than there can be nodes, so it divides none of their numbers
    auto place = node * prime % scenario_.nodes;
    std::uint16_t zone = 0;
    while (place >= scenario_.zone_sizes[zone]) place -= scenario_.zone_sizes[zone++];
    return zone;
}

void World::plan_arrivals()
{
    for (auto at = scenario_.origins; at < nodes_.size(); ++at) {
        SwarmTime time = 0;
        if (scenario_.arrivals == ArrivalKind::spread) {
            const auto share = static_cast<double>(random_.below(1'000'000)) / 1e6;
            time = static_cast<SwarmTime>(share * static_cast<double>(scenario_.arrivals_over));
        } else {
            time = random_.below(static_cast<std::uint32_t>(std::max<SwarmTime>(scenario_.arrivals_over, 1)));
        }
        nodes_[at]->outcome.arrived = time;
        events_.push(time, {.kind = Kind::arrive, .node = at});
        if (!nodes_[at]->silent) ++awaited_;
    }
    if (scenario_.dying > 0) events_.push(scenario_.dying_at, {.kind = Kind::die});
    if (scenario_.seeds_die) events_.push(scenario_.seeds_die_at, {.kind = Kind::behead});
}

Outcome World::run(const SimulationProgress& progress)
{
    constexpr std::uint64_t events_between_reports = 1 << 20;
    const auto bound = bound_of(scenario_, layout_);
    const auto latest = scenario_.arrivals_over + patience * bound;
    while (awaited_ > 0) {
        const auto next = events_.pop();
        if (!next || next->first > latest) break;
        now_ = next->first;
        happen(next->second);
        if (++handled_ % events_between_reports == 0 && progress) progress(now_, done_);
    }
    auto result = outcome();
    result.bound = bound;
    return result;
}

bool World::tracker_lives() const noexcept
{
    return !scenario_.tracker_dies || now_ < scenario_.tracker_dies_at;
}

void World::happen(const Event& event)
{
    auto& node = *nodes_[event.node];
    switch (event.kind) {
        case Kind::arrive: return arrive(node);
        case Kind::join: return join(node);
        case Kind::starve: return starve(node, event.a);
        case Kind::report: return report(node);
        case Kind::connect: return connect(node, *nodes_[event.a]);
        case Kind::have: return deliver_have(event);
        case Kind::ask: return deliver_ask(node, event);
        case Kind::data: return deliver_data(node, event);
        case Kind::die: return kill_some();
        case Kind::behead: return kill_seeds();
        case Kind::wake:
            if (node.present) node.peer->wake(now_);
            return;
        case Kind::reveal:
            if (node.present && node.link(event.slot, event.b) != nullptr)
                node.peer->has(event.slot, payloads_[event.a].ranges, payloads_[event.a].load, now_);
            return release(event.a);
        case Kind::cancel: node.uploads.cancel(event.b, event.a); return;
        case Kind::busy:
            if (auto* const link = node.link(event.slot, event.b); link != nullptr && node.present) {
                const auto load = nodes_[link->node]->load(now_);
                node.peer->refused(event.slot, event.a, std::max(load / 2, swarm_millisecond), load, now_);
            }
            return;
        case Kind::sent:
            node.sending = false;
            if (node.is_origin() && node.link(event.slot, event.b) != nullptr)
                node.seed->sent(event.slot, event.a, now_);
            return send_next(node);
        case Kind::drop:
            if (node.link(event.slot, event.b) != nullptr) drop(node, event.slot);
            return;
    }
}

void World::arrive(Node& node)
{
    if (node.outcome.died) return;
    node.present = true;
    if (node.silent) {
        for (PieceIndex piece = 0; piece < layout_.pieces(); ++piece) node.peer->hold(piece);
    }
    node.peer->start(now_ + scenario_.fixed);
    later(scenario_.fixed, {.kind = Kind::join, .node = node.index});
    later(scenario_.fixed + report_interval, {.kind = Kind::report, .node = node.index});
}

void World::join(Node& node)
{
    if (!tracker_lives() || !node.present) return;
    const std::uint16_t progress = node.silent ? 1000 : 0;
    tracker_.join(node.index, node.zone, progress, now_);
}

void World::starve(Node& node, std::uint32_t dropped)
{
    if (!tracker_lives() || !node.present) return;
    tracker_.starve(node.index, dropped == 0 ? std::nullopt : std::optional{dropped - 1}, now_);
}

void World::report(Node& node)
{
    if (!node.present) return;
    node.sample();
    if (tracker_lives()) {
        const auto progress = node.peer->held_bytes() * 1000 / std::max<std::uint64_t>(layout_.bytes(), 1);
        tracker_.report(node.index, static_cast<std::uint16_t>(progress), node.peer->neighbours(), now_);
    }
    if (!node.outcome.done) later(report_interval, {.kind = Kind::report, .node = node.index});
}

// The tracker's answer, and then TCP and TLS.
void World::connect_to(std::uint32_t node, std::span<const std::uint32_t> others)
{
    for (const auto other : others) {
        const auto turns = 4 * way(*nodes_[node], *nodes_[other]) + scenario_.handshake;
        later(scenario_.cross_latency + turns, {.kind = Kind::connect, .node = node, .a = other});
    }
}

bool World::make_room(Node& node)
{
    if (node.is_origin()) return node.seed->neighbours() < SuperSeed::most_neighbours;
    if (node.peer->neighbours() < scenario_.tracker.most_neighbours) return true;
    const auto spare = node.peer->spare_neighbour();
    if (!spare) return false;
    drop(node, *spare);
    return true;
}

void World::connect(Node& node, Node& other)
{
    if (!node.present || !other.present) return;
    const auto same = [&](const Node::Link& link) { return link.connection != 0 && link.node == other.index; };
    if (std::ranges::any_of(node.links, same) || !make_room(node)) return;
    if (other.is_origin() && node.zone + scenario_.cut_off >= scenario_.zones) {
        later(scenario_.peer.idle_until_rewire, {.kind = Kind::starve, .node = node.index, .a = other.index + 1});
        return;
    }
    if (!make_room(other)) {
        // DENY(full): the tracker names another.
        later(scenario_.peer.idle_until_rewire, {.kind = Kind::starve, .node = node.index});
        return;
    }
    const auto connection = ++connections_;
    const bool across = node.zone != other.zone;
    const auto here = *node.peer->add_neighbour(other.is_origin(), now_, across);
    const auto there =
        other.seed ? *other.seed->add_neighbour(now_, node.zone) : *other.peer->add_neighbour(false, now_, across);
    node.link_at(here, {.connection = connection, .node = other.index, .slot = there});
    other.link_at(there, {.connection = connection, .node = node.index, .slot = here});
    if (other.seed) other.seed->wake(now_);
    const auto show = [this](Node& from, Node& to, NeighbourSlot slot, std::uint32_t over) {
        if (from.is_origin()) return;
        const auto ranges = from.peer->picker().held().runs();
        const auto payload = keep(ranges, from.load(now_), 1);
        later(way(from, to), {.kind = Kind::reveal, .slot = slot, .node = to.index, .a = payload, .b = over});
    };
    if (!other.is_origin()) show(node, other, there, connection);
    show(other, node, here, connection);
}

void World::drop(Node& node, NeighbourSlot slot)
{
    const auto link = node.links[slot];
    auto& other = *nodes_[link.node];
    node.links[slot] = {};
    other.links[link.slot] = {};
    node.uploads.drop_link(link.connection);
    other.uploads.drop_link(link.connection);
    const auto forget = [this](Node& whose, NeighbourSlot at) {
        if (whose.is_origin())
            whose.seed->remove_neighbour(at);
        else
            whose.peer->remove_neighbour(at, now_);
    };
    forget(node, slot);
    forget(other, link.slot);
}

void World::deliver_have(const Event& event)
{
    const auto& from = *nodes_[event.node];
    for (const auto& link : from.links) {
        if (link.connection == 0 || nodes_[link.node]->zone != event.b) continue;
        auto& to = *nodes_[link.node];
        const auto& payload = payloads_[event.a];
        if (to.is_origin())
            to.seed->has(link.slot, payload.ranges, now_);
        else if (to.present && !to.silent)
            to.peer->has(link.slot, payload.ranges, payload.load, now_);
    }
    release(event.a);
}

void World::deliver_ask(Node& node, const Event& event)
{
    const auto* const link = node.link(event.slot, event.b);
    if (link != nullptr && node.present && !node.silent) {
        const auto back = way(node, *nodes_[link->node]);
        const bool barred = nodes_[link->node]->zone != node.zone && !node.across.has_room(now_);
        for (const auto range : payloads_[event.a].ranges) {
            const Upload upload{
                .link = event.b,
                .request = range.first,
                .swarm = event.slot,
                .extents = {},
                .bytes = layout_.bytes_of(range.first),
            };
            if (!barred && node.has(range.first) && node.uploads.offer(upload)) {
                if (node.seed) node.seed->asked(event.slot, range.first);
                continue;
            }
            later(back, {.kind = Kind::busy, .slot = link->slot, .node = link->node, .a = range.first, .b = event.b});
        }
        send_next(node);
    }
    release(event.a);
}

void World::send_next(Node& node)
{
    while (!node.sending && node.present) {
        const auto upload = node.uploads.next();
        if (!upload) return;
        const auto slot = static_cast<NeighbourSlot>(upload->swarm);
        const auto* const link = node.link(slot, upload->link);
        if (link == nullptr) continue;
        auto& to = *nodes_[link->node];
        const auto bytes = static_cast<double>(upload->bytes);
        const auto leave = now_ + static_cast<SwarmTime>(bytes / node.up);
        node.sending = true;
        node.sending_until = leave;
        node.outcome.sent += upload->bytes;
        const auto first_byte = now_ + way(node, to);
        to.down_until = std::max(to.down_until, first_byte) + static_cast<SwarmTime>(bytes / to.down);
        const auto here = std::max({to.down_until, leave + way(node, to), pass_trunks(node, to, bytes)});
        if (node.zone != to.zone && !node.is_origin()) node.across.spent(upload->bytes, now_);
        const auto verified = here + static_cast<SwarmTime>(bytes * 1e6 / scenario_.verify);
        const Event sent{.kind = Kind::sent, .slot = slot, .node = node.index, .a = upload->request, .b = upload->link};
        events_.push(leave, sent);
        events_.push(
            verified,
            {.kind = Kind::data,
             .false_data = node.lying,
             .slot = link->slot,
             .node = link->node,
             .a = upload->request,
             .b = upload->link}
        );
    }
}

// When it has passed those of both zones.
SwarmTime World::pass_trunks(const Node& from, const Node& to, double bytes) noexcept
{
    if (scenario_.trunk == 0 || from.zone == to.zone) return 0;
    constexpr double a_microsecond = 1e-6;
    const auto time = static_cast<SwarmTime>(bytes / (scenario_.trunk * scenario_.goodput * a_microsecond));
    auto& out = trunks_out_[from.zone];
    auto& in = trunks_in_[to.zone];
    out = std::max(out, now_) + time;
    in = std::max(in, now_) + time;
    return std::max(out, in) + way(from, to);
}

void World::deliver_data(Node& node, const Event& event)
{
    auto* const link = node.link(event.slot, event.b);
    if (link == nullptr || !node.present) return;
    const auto& from = *nodes_[link->node];
    const auto bytes = layout_.bytes_of(event.a);
    auto& outcome = node.outcome;
    if (event.false_data) {
        outcome.wasted += bytes;
        node.peer->was_false(event.slot, event.a, now_);
        if (tracker_lives()) tracker_.caught(node.index, from.index, now_);
        if (++link->falsehoods > falsehoods_forgiven) drop(node, event.slot);
        return;
    }
    (from.is_origin() ? outcome.from_origin : from.zone == node.zone ? outcome.from_zone : outcome.across) += bytes;
    if (from.zone != node.zone && !from.is_origin()) node.across.spent(bytes, now_);
    if (node.peer->picker().held().contains(event.a)) outcome.wasted += bytes;
    if (event.a == 0 && !outcome.first) outcome.first = now_;
    node.peer->arrived(event.slot, event.a, now_);
    if (node.peer->complete() && !outcome.done) finish(node);
}

void World::finish(Node& node)
{
    node.outcome.done = now_;
    ++done_;
    --awaited_;
    report(node);
    for (NeighbourSlot slot = 0; slot < node.links.size(); ++slot) {
        if (node.links[slot].connection != 0 && nodes_[node.links[slot].node]->is_origin()) drop(node, slot);
    }
}

void World::kill_some()
{
    for (auto at = scenario_.origins; at < nodes_.size(); ++at) {
        if (static_cast<double>(random_.below(1'000'000)) < scenario_.dying * 1e6) die(*nodes_[at]);
    }
}

void World::kill_seeds()
{
    for (auto at = scenario_.origins; at < nodes_.size(); ++at) {
        auto& node = *nodes_[at];
        const auto to_origin = [&](const Node::Link& link) {
            return link.connection != 0 && nodes_[link.node]->is_origin();
        };
        if (node.zone + 1U == scenario_.zones && std::ranges::any_of(node.links, to_origin)) die(node);
    }
}

// Others notice when its keep-alives stay away.
void World::die(Node& node)
{
    if (node.outcome.died) return;
    node.present = false;
    node.outcome.died = true;
    if (!node.outcome.done && !node.silent) --awaited_;
    for (NeighbourSlot slot = 0; slot < node.links.size(); ++slot) {
        const auto connection = node.links[slot].connection;
        if (connection != 0)
            later(death_noticed_after, {.kind = Kind::drop, .slot = slot, .node = node.index, .b = connection});
    }
    if (tracker_lives()) tracker_.leave(node.index);
}

SwarmTime World::way(const Node& from, const Node& to) const noexcept
{
    return (from.zone == to.zone ? scenario_.latency : scenario_.cross_latency) + scenario_.handling;
}

std::uint32_t World::keep(std::span<const PieceRange> ranges, SwarmTime load, std::uint32_t uses)
{
    if (free_payloads_.empty()) {
        free_payloads_.push_back(static_cast<std::uint32_t>(payloads_.size()));
        payloads_.emplace_back();
    }
    const auto at = free_payloads_.back();
    free_payloads_.pop_back();
    auto& payload = payloads_[at];
    payload.ranges.assign(ranges.begin(), ranges.end());
    payload.load = load;
    payload.uses = std::max(uses, 1U);
    return at;
}

void World::release(std::uint32_t payload)
{
    if (--payloads_[payload].uses == 0) free_payloads_.push_back(payload);
}

Outcome World::outcome() const
{
    Outcome result;
    result.ended = now_;
    result.image_bytes = layout_.bytes();
    std::uint64_t neighbours = 0;
    for (const auto& node : nodes_) {
        if (node->is_origin()) {
            result.origin_bytes += node->outcome.sent;
            continue;
        }
        auto one = node->outcome;
        one.ordinary = !node->slow && !node->silent && !node->lying;
        one.streamable = node->samples == 0 ? 1 : node->readable_sum / node->samples;
        result.nodes.push_back(one);
        const auto& counts = node->peer->counts();
        result.refusals += counts.refusals;
        result.timeouts += counts.timeouts;
        result.rewires += counts.rewires;
        neighbours += node->peer->neighbours();
        result.most_neighbours = std::max(result.most_neighbours, static_cast<std::uint32_t>(node->peer->neighbours()));
    }
    result.mean_neighbours =
        static_cast<double>(neighbours) / std::max<double>(static_cast<double>(scenario_.nodes), 1);
    result.events = handled_;
    result.requests = requests_;
    result.tracker_messages = tracker_.messages();
    return result;
}

Result<Outcome> simulate(const Scenario& scenario, const SimulationProgress& progress)
{
    const auto chunks =
        scenario.piece_chunks != 0 ? scenario.piece_chunks : PieceLayout::chunks_of_piece_for(scenario.image_bytes());
    TRY(const auto layout, PieceLayout::of(scenario.layers, chunks));
    return World{scenario, layout}.run(progress);
}

}  // namespace entrepot

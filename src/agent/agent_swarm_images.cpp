#include "agent/agent_swarm_state.hpp"
#include "core/bytes.hpp"
#include "core/log.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

// Of what a runtime waits for, and of what is fetched ahead.
constexpr std::uint8_t urgent_priority = 100;

std::uint8_t priority_of(const SwarmLife& life) noexcept
{
    return life.urgent ? urgent_priority : std::uint8_t{0};
}

std::uint64_t missing_bytes(const AgentImage& image)
{
    const auto& layout = image.descriptor().layout();
    const auto here = image.pieces();
    std::uint64_t missing = 0;
    for (PieceIndex piece = 0; piece < here.size(); ++piece) {
        if (!here.contains(piece)) missing += layout.bytes_of(piece);
    }
    return missing;
}

}  // namespace

SwarmLife* AgentSwarm::State::find(const SwarmId& id)
{
    const auto found = lives_.find(id);
    return found == lives_.end() ? nullptr : &found->second;
}

// ---- what the carrier is told

void AgentSwarm::State::bring(AgentImagePtr image, std::string ticket, bool urgent)
{
    if (stopping_) return;
    const auto id = image->descriptor().id();
    auto* known = find(id);
    if (known == nullptr) {
        make_room();
        auto& life = lives_[id];
        life.image = std::move(image);
        life.urgent = urgent;
        life.used = now();
        life.arrived = now();
        life.begun = now();
        life.missing = missing_bytes(*life.image);
        take_right(id, life, std::move(ticket));
        enter(id, life);
        return announce(id, life);
    }
    known->image = std::move(image);
    known->used = now();
    take_right(id, *known, std::move(ticket));
    if (!urgent || std::exchange(known->urgent, true)) return;
    if (network_) network_->act([&](SwarmNode& node, SwarmTime) { node.set_priority(id, priority_of(*known)); });
    announce(id, *known);
}

void AgentSwarm::State::ahead(const SwarmId& id, std::uint64_t rate)
{
    auto* const life = find(id);
    if (life == nullptr) return;
    life->rate = rate;
    apply_rates();
}

void AgentSwarm::State::leave_ahead(const SwarmId& id)
{
    const auto* const life = find(id);
    if (life == nullptr || life->urgent || life->image->complete()) return;
    leave(id, std::nullopt, true);
}

void AgentSwarm::State::urge(const SwarmId& id, ChunkSpan chunks)
{
    auto* const life = find(id);
    if (life == nullptr) return;
    life->used = now();
    const auto& layout = life->image->descriptor().layout();
    if (!network_ || chunks.count == 0 || !layout.contains(chunks)) return;
    const auto first = layout.piece_of_chunk(chunks.first);
    const auto last = layout.piece_of_chunk(chunks.first + chunks.count - 1);
    network_->act([&](SwarmNode& node, SwarmTime at) { node.urge(id, {.first = first, .count = last - first + 1}, at); }
    );
}

void AgentSwarm::State::came(const SwarmId& id, ChunkIndex chunk)
{
    auto* const life = find(id);
    if (life == nullptr || !life->image->has(chunk)) return;
    const auto& layout = life->image->descriptor().layout();
    life->from_registry += layout.bytes_of_chunks({.first = chunk, .count = 1});
    life->note_arrival(now());
    const auto piece = layout.piece_of_chunk(chunk);
    const auto* const session = network_ ? network_->node().find(id) : nullptr;
    if (session == nullptr || session->has(piece)) return;
    const auto whole = layout.chunks_of(piece);
    for (auto one = whole.first; one < whole.first + whole.count; ++one) {
        if (!life->image->has(one)) return;
    }
    network_->act([&](SwarmNode& node, SwarmTime at) { node.fetched(id, piece, at); });
}

// ---- begin and end

void AgentSwarm::State::enter(const SwarmId& id, const SwarmLife& life)
{
    if (!network_) return;
    network_->act([&](SwarmNode& node, SwarmTime at) {
        node.add_swarm(id, life.image->descriptor().layout(), life.image->pieces(), life.ticket, at);
        node.set_priority(id, priority_of(life));
        node.set_tracked(id, life.at != nullptr);
    });
}

// The one that holds longest stays.
void AgentSwarm::State::take_right(const SwarmId& id, SwarmLife& life, std::string ticket)
{
    const auto read = parse_ticket(as_bytes(ticket));
    if (life.right && (!read || read->ticket.ends() < life.right->ends())) return;
    life.right = read ? std::optional{read->ticket} : std::nullopt;
    life.ticket = std::move(ticket);
    if (network_) network_->act([&](SwarmNode& node, SwarmTime) { node.set_ticket(id, life.ticket); });
}

void AgentSwarm::State::leave(SwarmId id, std::optional<DenyCode> why, bool tell_tracker)
{
    const auto found = lives_.find(id);
    if (found == lives_.end()) return;
    if (auto* const stream = found->second.at) {
        if (tell_tracker) stream->send(RetireFrame{.handle = found->second.handle});
        stream->end(found->second.handle);
    }
    keep_counts(id);
    copies_.out_of_date(id, now());
    lives_.erase(found);
    if (network_) network_->act([&](SwarmNode& node, SwarmTime at) { node.remove_swarm(id, why, at); });
}

void AgentSwarm::State::make_room()
{
    while (!lives_.empty() && lives_.size() >= settings_.most_swarms) {
        const auto used = [](const auto& entry) { return entry.second.used; };
        const auto oldest = std::ranges::min_element(lives_, {}, used);
        ++counters_.lingered_out;
        leave(oldest->first, std::nullopt, true);
    }
}

// ---- what time brings about

void AgentSwarm::State::look_after()
{
    copies_.look(now());
    std::vector<SwarmId> over;
    for (const auto& [id, life] : lives_) {
        const bool unasked = now() - life.used >= settings_.linger;
        // What is missing may come yet: who waits for it brings another ticket.
        const bool nobody_may_ask =
            life.right && clock_.now() >= life.right->ends() + TicketVerifier::clock_skew && life.image->complete();
        if (unasked || nobody_may_ask) over.push_back(id);
    }
    for (const auto& id : over) {
        ++counters_.lingered_out;
        leave(id, std::nullopt, true);
    }
}

// Chunks may come because of another image that has the same blob, and be found damaged, and nobody says so.
void AgentSwarm::State::catch_up(const SwarmId& id, const SwarmLife& life)
{
    const auto* const session = network_ ? network_->node().find(id) : nullptr;
    if (session == nullptr || (session->complete() && life.image->complete())) return;
    const auto here = life.image->pieces();
    std::vector<PieceIndex> fresh;
    for (PieceIndex piece = 0; piece < here.size(); ++piece) {
        if (here.contains(piece) == session->has(piece)) continue;
        if (session->has(piece)) return begin_again(id, life);
        fresh.push_back(piece);
    }
    if (fresh.empty()) return;
    network_->act([&](SwarmNode& node, SwarmTime at) {
        for (const auto piece : fresh) node.fetched(id, piece, at);
    });
}

// What was told to be here isn't: a node can't take that back from its neighbours but by leaving them.
void AgentSwarm::State::begin_again(const SwarmId& id, const SwarmLife& life)
{
    ++counters_.began_again;
    keep_counts(id);
    network_->act([&](SwarmNode& node, SwarmTime at) { node.remove_swarm(id, std::nullopt, at); });
    enter(id, life);
    starved(id, RefillReason::few, std::nullopt);
}

void AgentSwarm::State::end_rights()
{
    for (const auto& right : desk_.ended(clock_.now())) {
        ++counters_.rights_ended;
        if (network_) {
            network_->act([&](SwarmNode& node, SwarmTime at) { node.deny(right.node, right.swarm, right.why, at); });
        }
    }
}

}  // namespace entrepot

#include "agent/agent_swarm_state.hpp"
#include "core/address.hpp"
#include "core/log.hpp"

#include <algorithm>
#include <utility>

// Several instances of the registry: the node's own stream goes to one of them, and what that one doesn't track is
// announced on streams aside to those that do (docs/decisions/0032-swarm-shards.md).
namespace entrepot {

namespace {

using namespace std::chrono_literals;

// Instances that don't agree on who tracks an image could send it to and fro.
constexpr unsigned most_moves = 4;
constexpr auto moves_memory = 10s;

std::string host_of(const PeerEndpoint& instance)
{
    return Address::of_bytes(instance.address).text();
}

}  // namespace

// ---- what trackers say

void AgentSwarm::State::on(TrackerStream& from, const MovedFrame& frame)
{
    SwarmId id;
    auto* const life = life_of(from, frame.handle, id);
    if (life == nullptr) return;
    unlist(id, *life);
    ++counters_.moved;
    if (now() - life->moved >= moves_memory) life->moves = 0;
    life->moved = now();
    life->owner = frame.control;
    life->here = ++life->moves > most_moves;
    life->here_since = now();
    announce(id, *life);
}

void AgentSwarm::State::on(const InstancesFrame& frame)
{
    others_ = frame.others;
    // One that has lost its power says nothing: streams to it would be there for a minute yet.
    std::vector<const TrackerStream*> gone;
    for (const auto& aside : asides_) {
        if (std::ranges::find(others_, *aside->aside()) == others_.end()) gone.push_back(aside.get());
    }
    for (const auto* const aside : gone) end_aside(*aside, true);
}

// ---- streams aside

// Where a swarm is to be announced; it may not be welcome there yet.
TrackerStream* AgentSwarm::State::stream_for(SwarmLife& life)
{
    if (life.owner && !life.here) {
        if (auto* const aside = stream_aside(*life.owner)) return aside;
        ++counters_.here;
        life.here = true;
        life.here_since = now();
    }
    return home_.get();
}

// nullptr: there are too many already.
TrackerStream* AgentSwarm::State::stream_aside(const PeerEndpoint& instance)
{
    const auto found = std::ranges::find(asides_, instance, [](const auto& one) { return *one->aside(); });
    if (found != asides_.end()) return found->get();
    if (stopping_ || !tls_ || asides_.size() >= settings_.most_asides) return nullptr;
    asides_.push_back(new_stream(instance, host_of(instance), instance.port));
    return asides_.back().get();
}

// What it was for is announced at home again: the tracker there may say that it is elsewhere by now. Where it was not
// reached at all it would say the same as before.
void AgentSwarm::State::end_aside(const TrackerStream& stream, bool reachable)
{
    const auto found = std::ranges::find(asides_, &stream, [](const auto& one) { return one.get(); });
    if (found == asides_.end()) return;
    auto ending = std::move(*found);
    asides_.erase(found);
    forget_stream(*ending);
    for (auto& [id, life] : lives_) {
        if (life.owner != ending->aside()) continue;
        life.owner.reset();
        if (!reachable) {
            ++counters_.here;
            life.here = true;
            life.here_since = now();
        }
        announce(id, life);
    }
    end_stream(std::move(ending));
}

void AgentSwarm::State::look_after_asides()
{
    std::vector<std::pair<const TrackerStream*, bool>> over;
    for (const auto& aside : asides_) {
        const auto needs = [&](const auto& entry) {
            return entry.second.owner == aside->aside() && !entry.second.here;
        };
        if (std::ranges::any_of(lives_, needs)) aside->used = now();
        const bool unreached = !aside->welcome && now() - aside->opened >= settings_.aside_patience;
        if (unreached || now() - aside->used >= settings_.aside_linger) over.emplace_back(aside.get(), !unreached);
    }
    for (const auto& [aside, reachable] : over) {
        if (!reachable)
            log::info("an instance that tracks images is not reached", {{"host", host_of(*aside->aside())}});
        end_aside(*aside, reachable);
    }
    // The tracker at home says whether there is another one still.
    for (auto& [id, life] : lives_) {
        if (!life.here || life.at == nullptr || now() - life.here_since < settings_.here_time) continue;
        life.here = false;
        life.moves = 0;
        announce(id, life);
    }
}

// ---- another home

// When the node's own stream is gone and doesn't come back: one after the other, in no order, until one takes it. Any
// instance does, because certificates and tickets are of all of them. False: there is none to be tried now.
bool AgentSwarm::State::try_other_instance()
{
    // Those who have lost it together don't come together.
    const auto later = [this] { return now() + settings_.first_other * (7 + random_.below(7)) / 10; };
    if (!other_at_) other_at_ = later();
    if (others_.empty()) return false;
    if (now() < *other_at_) return true;
    other_at_ = later();
    const auto place = others_.begin() + random_.below(static_cast<std::uint32_t>(others_.size()));
    const auto instance = *place;
    others_.erase(place);
    auto elsewhere = *adopted_;
    elsewhere.control_host = host_of(instance);
    elsewhere.control_port = instance.port;
    if (const auto adopted = adopt(elsewhere); !adopted) {
        complain(adopted.error());
        return true;
    }
    ++counters_.moves;
    log::info(
        "another instance is this node's tracker",
        {{"host", elsewhere.control_host}, {"port", std::uint64_t{elsewhere.control_port}}}
    );
    return true;
}

}  // namespace entrepot

#include "swarm/tracker/swarm_tallies.hpp"

namespace entrepot {

void SwarmTallies::enter(
    SwarmPart& part, std::uint64_t right, const std::string& zone, std::uint16_t progress, SwarmTime now
)
{
    const auto known = tallies_.find({right, zone});
    const auto name = known != tallies_.end() || tallies_.size() < most ? zone : std::string{};
    auto& tally = tallies_[{right, name}];
    tally.right = right;
    tally.zone = name;
    ++tally.members;
    ++tally.percents[step(progress)];
    part = SwarmPart{.tally = &tally};
    part.since = now;
    if (progress == WireLimits::permille) part.complete_at = now;
}

void SwarmTallies::leave(SwarmPart& part, std::uint16_t progress)
{
    if (part.tally == nullptr) return;
    --part.tally->members;
    --part.tally->percents[step(progress)];
    part.tally = nullptr;
}

SwarmPace SwarmTallies::move(SwarmPart& part, std::uint16_t from, std::uint16_t to, std::uint64_t down, SwarmTime now)
{
    if (part.tally == nullptr || from == to) return {};
    --part.tally->percents[step(from)];
    ++part.tally->percents[step(to)];
    if (to != WireLimits::permille) {
        part.complete_at = 0;
        return {};
    }
    part.complete_at = now;
    const auto bytes = part.received.all();
    if (down == 0 || bytes == 0 || now <= part.since) return {};
    SwarmPace its;
    its.bound_seconds = static_cast<double>(bytes) / static_cast<double>(down);
    its.seconds = static_cast<double>(now - part.since) / static_cast<double>(swarm_second);
    part.tally->pace.add(its);
    return its;
}

void SwarmTallies::receive(SwarmPart& part, const SwarmReceived& more)
{
    part.received.add(more);
    if (part.tally != nullptr) part.tally->received.add(more);
}

std::vector<SwarmTally> SwarmTallies::all() const
{
    std::vector<SwarmTally> all;
    all.reserve(tallies_.size());
    for (const auto& [key, tally] : tallies_) all.push_back(tally);
    return all;
}

}  // namespace entrepot

#include "delivery/swarm_images.hpp"

#include "access/require.hpp"
#include "delivery/stored_bytes.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

namespace entrepot {
namespace {

// As NodeDesk has it.
const Permission list_all = need(ObjectKind::platform, "preheat-instance", "list");
const Permission pull = need(ObjectKind::project, "repository", "pull");

// A node that has nothing to say sends a ping every 30 seconds.
constexpr SwarmTime silent_after = 45 * swarm_second;

void add(SeenSwarm::Zone& sum, const SwarmGroup& group)
{
    const auto& tally = group.tally;
    sum.members += tally.members;
    sum.complete += tally.complete();
    for (std::size_t percent = 0; percent < tally.percents.size(); ++percent)
        sum.tenths[percent / 10] += tally.percents[percent];
    sum.received.add(tally.received);
    sum.rate += group.rate;
}

bool among(const std::optional<std::vector<std::uint64_t>>& visible, std::uint64_t repository)
{
    return !visible || std::ranges::find(*visible, repository) != visible->end();
}

SwarmNodeState state_of(const SwarmMember& member, SwarmTime now) noexcept
{
    if (now - member.heard >= silent_after) return SwarmNodeState::silent;
    return member.progress == WireLimits::permille ? SwarmNodeState::complete : SwarmNodeState::active;
}

SeenNode seen_node(const SwarmMember& member, const SwarmRoll& roll)
{
    const auto moment = [&](SwarmTime time) { return roll.at - (roll.taken - time); };
    SeenNode node;
    node.name = member.name;
    node.zone = member.zone;
    node.state = state_of(member, roll.taken);
    node.progress = member.progress;
    node.neighbours = member.part.neighbours;
    node.idle = member.part.idle;
    node.received = member.part.received;
    node.uploaded = member.part.uploaded;
    node.since = moment(member.part.since);
    node.complete_at = member.part.complete_at == 0 ? 0 : moment(member.part.complete_at);
    node.heard_at = moment(member.heard);
    return node;
}

// Who is farthest behind, and of these who has been at it longest.
bool is_slower(const SwarmMember* one, const SwarmMember* other) noexcept
{
    return std::tie(one->progress, one->part.since, one->name, one->node) <
           std::tie(other->progress, other->part.since, other->name, other->node);
}

}  // namespace

std::string_view name_of(SwarmImageState state) noexcept
{
    switch (state) {
        case SwarmImageState::idle: return "idle";
        case SwarmImageState::active: return "active";
        case SwarmImageState::complete: return "complete";
    }
    return {};
}

std::string_view name_of(SwarmNodeState state) noexcept
{
    switch (state) {
        case SwarmNodeState::active: return "active";
        case SwarmNodeState::complete: return "complete";
        case SwarmNodeState::silent: return "silent";
    }
    return {};
}

// ---- sums

SwarmImageState SeenSwarm::state() const noexcept
{
    if (all.members == 0) return SwarmImageState::idle;
    return all.complete == all.members ? SwarmImageState::complete : SwarmImageState::active;
}

std::uint32_t SeenSwarm::half_way() const noexcept
{
    std::uint32_t further = 0;
    for (auto percent = static_cast<std::uint32_t>(percents.size()); percent > 0; --percent) {
        further += percents[percent - 1];
        if (further > 0 && 2 * further >= all.members) return percent - 1;
    }
    return 0;
}

std::optional<double> SeenSwarm::efficiency() const noexcept
{
    if (pace.seconds <= 0) return std::nullopt;
    return pace.bound_seconds / pace.seconds;
}

std::optional<std::uint64_t> SeenSwarm::seconds_left() const noexcept
{
    if (state() != SwarmImageState::active || all.rate == 0) return std::nullopt;
    std::uint64_t missing = 0;  // hundredths of the image
    for (std::uint64_t percent = 0; percent < percents.size(); ++percent)
        missing += percents[percent] * (percents.size() - 1 - percent);
    const auto bytes = static_cast<double>(missing) * static_cast<double>(image->size) / 100;
    const auto seconds = bytes / static_cast<double>(all.rate);
    return static_cast<std::uint64_t>(std::ceil(seconds));
}

// ---- rights

std::string_view SwarmImages::instance() const noexcept
{
    return view_ == nullptr ? std::string_view{} : std::string_view{view_->instance()};
}

SwarmPicturePtr SwarmImages::picture() const
{
    return view_ == nullptr ? std::make_shared<const SwarmPicture>() : view_->picture();
}

bool SwarmImages::may(const Caller& caller, Sight sight, const std::string& repository) const
{
    // Of a project that isn't there, who creates projects may pull.
    const auto project = policy_.project(std::string_view{repository}.substr(0, repository.find('/')));
    if (!project || !policy_.may(caller, repository, Action::pull)) return false;
    const ObjectRef object{.kind = ObjectKind::repository, .id = project->id, .name = repository};
    return sight == Sight::image || policy_.granted(caller, object).has(pull);
}

std::optional<std::vector<std::uint64_t>>
SwarmImages::visible(const Caller& caller, Sight sight, const SwarmImageView& image) const
{
    if (policy_.may(caller, list_all, the_platform)) return std::nullopt;
    std::vector<std::uint64_t> ids;
    for (const auto& repository : image.repositories) {
        if (!repository.name.empty() && may(caller, sight, repository.name)) ids.push_back(repository.id);
    }
    return ids;
}

SeenSwarm::Repository SwarmImages::called(const std::string& name) const
{
    SeenSwarm::Repository repository{.tenant{}, .name = name};
    const auto project = policy_.project(std::string_view{name}.substr(0, name.find('/')));
    const auto tenant = project ? policy_.tenant(project->tenant_id) : nullptr;
    if (tenant) repository.tenant = tenant->name;
    return repository;
}

std::optional<SeenSwarm> SwarmImages::seen(const Caller& caller, const SwarmImageViewPtr& image) const
{
    const auto ids = visible(caller, Sight::image, *image);
    if (ids && ids->empty()) return std::nullopt;
    SeenSwarm swarm;
    swarm.image = image;
    for (const auto& repository : image->repositories) {
        if (!repository.name.empty() && among(ids, repository.id))
            swarm.repositories.push_back(called(repository.name));
    }
    std::map<std::string, SeenSwarm::Zone, std::less<>> zones;
    for (const auto& group : image->groups) {
        if (!among(ids, group.tally.right)) continue;
        auto& zone = zones[group.tally.zone];
        zone.zone = group.tally.zone;
        add(zone, group);
        add(swarm.all, group);
        swarm.pace.add(group.tally.pace);
        for (std::size_t percent = 0; percent < swarm.percents.size(); ++percent)
            swarm.percents[percent] += group.tally.percents[percent];
    }
    for (auto& [name, zone] : zones) swarm.zones.push_back(std::move(zone));
    return swarm;
}

std::vector<SeenSwarm> SwarmImages::seen(const Caller& caller, const SwarmPicture& picture) const
{
    std::vector<SeenSwarm> swarms;
    for (const auto& image : picture.images) {
        if (auto swarm = seen(caller, image)) swarms.push_back(*std::move(swarm));
    }
    return swarms;
}

Result<SeenSwarm> SwarmImages::find(const Caller& caller, const Digest& manifest) const
{
    for (const auto& image : picture()->images) {
        if (named_by(image->manifest) != manifest) continue;
        if (auto swarm = seen(caller, image)) return *std::move(swarm);
    }
    return fail(Errc::not_found, "there is no such image under way");
}

// ---- nodes

Task<SeenNodes> SwarmImages::nodes(Caller caller, Digest manifest, SwarmNodeQuery query) const
{
    CO_TRY(const auto swarm, find(caller, manifest));
    const auto ids = visible(caller, Sight::nodes, *swarm.image);
    if (ids && ids->empty())
        co_return fail(Errc::denied, "who takes part is told only to those who were given the right to pull");
    CO_TRY(const auto roll, co_await view_->roll(swarm.image->swarm));
    std::vector<const SwarmMember*> wanted;
    for (const auto& member : roll->members) {
        if (!among(ids, member.right)) continue;
        if (!query.zone.empty() && member.zone != query.zone) continue;
        if (!query.name.empty() && member.name != query.name) continue;
        if (query.state && state_of(member, roll->taken) != *query.state) continue;
        wanted.push_back(&member);
    }
    const auto begin = std::min(query.offset, wanted.size());
    const auto end = begin + std::min(query.limit, wanted.size() - begin);
    std::ranges::partial_sort(wanted, wanted.begin() + static_cast<std::ptrdiff_t>(end), is_slower);
    SeenNodes seen;
    seen.total = wanted.size();
    for (auto at = begin; at < end; ++at) seen.nodes.push_back(seen_node(*wanted[at], *roll));
    co_return seen;
}

Task<std::optional<SeenNode>> SwarmImages::slowest(Caller caller, SwarmImageViewPtr image) const
{
    const auto ids = visible(caller, Sight::nodes, *image);
    if (ids && ids->empty()) co_return std::nullopt;
    const auto roll = co_await view_->roll(image->swarm);
    if (!roll) co_return std::nullopt;
    const SwarmMember* slowest = nullptr;
    for (const auto& member : (*roll)->members) {
        if (member.progress == WireLimits::permille || !among(ids, member.right)) continue;
        if (slowest == nullptr || is_slower(&member, slowest)) slowest = &member;
    }
    if (slowest == nullptr) co_return std::nullopt;
    co_return seen_node(*slowest, **roll);
}

}  // namespace entrepot

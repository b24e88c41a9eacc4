#include "events/webhooks/webhook_dispatch.hpp"

#include "access/decision.hpp"
#include "access/glob.hpp"
#include "events/webhooks/webhook_job.hpp"
#include "events/webhooks/webhook_types.hpp"
#include "events/webhooks/webhooks.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace entrepot {
namespace {

constexpr std::int32_t most_attempts = 8;
constexpr std::size_t longest_parameters = std::size_t{60} << 10U;

bool changes_policies(const EventPtr& event)
{
    const bool switches =
        event->type == event_type::configuration_updated && event->details.contains("notification_enable");
    return switches || event->type.starts_with("webhook.") || event->type == event_type::project_deleted;
}

bool is_about(const WebhookPolicy& policy, const Event& event)
{
    // What happened before there was the policy is not for it, though it may be read later.
    if (event.at < policy.created_at) return false;
    if (!policy.repositories.empty()) {
        const std::string_view full = event.repository;
        const auto name = policy.project_id == 0 ? full : below_project(full);
        if (event.repository.empty() || !glob_matches(policy.repositories, name)) return false;
    }
    return policy.tags.empty() || (!event.tag.empty() && glob_matches(policy.tags, event.tag));
}

// The first of the event's types that the policy asks for.
const WebhookType* wanted_type(const WebhookPolicy& policy, const std::vector<const WebhookType*>& types)
{
    const auto wanted = [&](const WebhookType* type) {
        return std::ranges::find(policy.event_types, type->name) != policy.event_types.end();
    };
    const auto found = std::ranges::find_if(types, wanted);
    return found == types.end() ? nullptr : *found;
}

NewJob
delivery_of(const WebhookPolicy& policy, std::size_t target, const WebhookType& type, const Event& event, Micros now)
{
    WebhookJob job{
        .policy_id = policy.id,
        .target = target,
        .address = policy.targets[target].address,
        .type = std::string{type.name},
        .event = event
    };
    NewJob delivery;
    delivery.kind = Webhooks::job_kind;
    delivery.subject_id = policy.id;
    delivery.tenant_id = event.tenant_id;
    delivery.project_id = policy.project_id;
    delivery.priority = 3;
    delivery.trigger = "event";
    delivery.parameters = webhook_job_text(job);
    if (delivery.parameters.size() > longest_parameters) {
        job.event.details = "{}";
        delivery.parameters = webhook_job_text(job);
    }
    delivery.most_attempts = most_attempts;
    delivery.actor = {0, now};
    return delivery;
}

}  // namespace

std::int64_t WebhookDispatch::behind() const noexcept
{
    return std::max<std::int64_t>(parts_.tail.range().newest - cursor_.read(), 0);
}

Task<> WebhookDispatch::take_policies()
{
    if (policies_known_) co_return Result<>{};
    CO_TRY(auto enabled, co_await parts_.catalog.enabled());
    policies_.clear();
    for (auto& policy : enabled) policies_[policy.project_id].push_back(std::move(policy));
    policies_known_ = true;
    co_return Result<>{};
}

// Those of its project, and those of the installation.
std::vector<const WebhookPolicy*> WebhookDispatch::policies_about(const Event& event) const
{
    std::vector<const WebhookPolicy*> found;
    for (const auto project : std::set{std::int64_t{0}, event.project_id}) {
        const auto policies = policies_.find(project);
        if (policies == policies_.end()) continue;
        for (const auto& policy : policies->second) {
            if (is_about(policy, event)) found.push_back(&policy);
        }
    }
    return found;
}

WebhookDispatch::Matches WebhookDispatch::match(const std::vector<EventPtr>& events) const
{
    Matches matches;
    if (policies_.empty()) return matches;
    std::map<std::pair<std::int64_t, std::string>, Micros> last;
    const auto now = parts_.clock.now();
    for (const auto& event : events) {
        const auto policies = policies_about(*event);
        if (policies.empty()) continue;
        const auto types = webhook_types_of(*event);
        for (const auto* policy : policies) {
            const auto* type = wanted_type(*policy, types);
            if (type == nullptr) continue;
            for (std::size_t target = 0; target < policy->targets.size(); ++target) {
                matches.jobs.push_back(delivery_of(*policy, target, *type, *event, now));
            }
            last[{policy->id, std::string{type->name}}] = event->at;
        }
    }
    for (const auto& [key, at] : last) matches.triggers.push_back({key.first, key.second, at});
    return matches;
}

Task<> WebhookDispatch::hand_over(std::int64_t to, Matches matches)
{
    const auto count = matches.jobs.size();
    const auto write = [&](std::string name, std::int64_t from) {
        return parts_.log.advance(std::move(name), from, to, std::move(matches.jobs));
    };
    CO_TRY(const bool written, co_await cursor_.move(to, count != 0, write));
    if (!written) co_return Result<>{};
    dispatched_.fetch_add(count, std::memory_order_relaxed);
    if (!matches.triggers.empty()) CO_CHECK(co_await parts_.catalog.triggered(std::move(matches.triggers)));
    co_return Result<>{};
}

Task<> WebhookDispatch::run()
{
    while (true) {
        CO_TRY(const auto read, co_await cursor_.find());
        CO_TRY(auto events, co_await parts_.tail.read(read, EventCursor::events_at_once));
        if (events.empty()) co_return co_await cursor_.pass(read);
        CO_CHECK(co_await take_policies());
        // Up to the next change of policies by what they are now.
        const auto change = std::ranges::find_if(events, changes_policies);
        const bool changed = change != events.end();
        if (changed) events.erase(change + 1, events.end());
        CO_CHECK(co_await hand_over(events.back()->sequence, match(events)));
        if (changed) policies_known_ = false;
    }
}

}  // namespace entrepot

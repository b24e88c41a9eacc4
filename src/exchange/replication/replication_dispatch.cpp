#include "exchange/replication/replication_dispatch.hpp"

#include "exchange/replication/replication_filter.hpp"
#include "exchange/replication_job.hpp"
#include "oci/json_fields.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace entrepot {

namespace json = boost::json;

namespace {

constexpr std::int32_t most_attempts = 8;
constexpr std::size_t references_at_once = 200;

json::object details_of(const Event& event)
{
    return parse_object(event.details).value_or(json::object{});
}

// Of pushes objects with what each was before, of deletions names.
std::vector<std::string> tags_in(const json::object& details)
{
    std::vector<std::string> tags;
    const auto* list = find_array(details, "tags");
    if (list == nullptr) return tags;
    for (const auto& entry : *list) {
        if (tags.size() == references_at_once) break;
        std::string_view name;
        if (entry.is_object()) name = find_text(entry.get_object(), "name");
        if (entry.is_string()) name = entry.get_string();
        if (!name.empty()) tags.emplace_back(name);
    }
    return tags;
}

bool brings_an_artifact(std::string_view type) noexcept
{
    return type == event_type::artifact_pushed || type == event_type::artifact_copied ||
           type == event_type::artifact_restored;
}

}  // namespace

std::optional<ReplicationEvent> ReplicationDispatch::change_in(const Event& event)
{
    const bool tag_deleted = event.type == event_type::tag_deleted;
    const bool tag_created = event.type == event_type::tag_created;
    const bool deleted = event.type == event_type::artifact_deleted;
    const bool brought = brings_an_artifact(event.type);
    if (!tag_deleted && !tag_created && !deleted && !brought) return std::nullopt;
    ReplicationEvent change{.sequence = event.sequence, .at = event.at, .repository = event.repository};
    change.digest = event.digest;
    change.bytes = event.size;
    change.removal = tag_deleted || deleted;
    const auto details = details_of(event);
    if (tag_deleted || tag_created) {
        if (!event.tag.empty()) change.references.push_back(event.tag);
    } else {
        change.references = tags_in(details);
    }
    // What refers to something goes by itself when it comes later; other manifests without a tag go along with what
    // names them.
    const auto subject = find_text(details, "subject");
    if (brought && change.references.empty() && !subject.empty() && find_text(details, "change") != "repeated") {
        change.references.push_back(event.digest);
        change.subject = subject;
    }
    if (change.references.empty()) return std::nullopt;
    return change;
}

std::optional<ReplicationEvent>
ReplicationDispatch::concern_of(const ReplicationPolicy& policy, const Event& event, const ReplicationEvent& change)
{
    const bool here_is_the_source = policy.source_id == 0 && policy.target_id != 0;
    if (!policy.enabled || !here_is_the_source || event.at < policy.created_at) return std::nullopt;
    // A tenant's policy follows its own projects alone.
    if (policy.tenant_id != 0 && event.tenant_id != policy.tenant_id) return std::nullopt;
    if (change.removal && !policy.replicates_deletion) return std::nullopt;
    if (!change.subject.empty() && !policy.with_referrers) return std::nullopt;
    const auto details = details_of(event);
    const auto* from = details.if_contains("replicated_from");
    if (from != nullptr && from->is_int64() && from->as_int64() == policy.target_id) return std::nullopt;
    const ReplicationFilterSet filters{policy};
    // Labels come after the push: it is the scheduled and manual executions that know them.
    if (!filters.wants_repository(event.repository) || filters.asks_for_labels()) return std::nullopt;
    auto concern = change;
    if (change.subject.empty()) {
        std::erase_if(concern.references, [&](const std::string& tag) { return !filters.wants_tag(tag); });
    }
    if (concern.references.empty()) return std::nullopt;
    return concern;
}

std::vector<NewJob>
ReplicationDispatch::match(const std::vector<Event>& events, const std::vector<ReplicationPolicy>& policies) const
{
    std::vector<NewJob> jobs;
    for (const auto& event : events) {
        const auto change = change_in(event);
        if (!change) continue;
        for (const auto& policy : policies) {
            const auto concern = concern_of(policy, event, *change);
            if (!concern) continue;
            NewJob job;
            job.kind = ReplicationOrder::kind;
            job.subject_id = policy.id;
            job.tenant_id = policy.tenant_id;
            job.priority = policy.priority;
            job.trigger = "event";
            job.parameters = concern->parameters(policy.id);
            job.most_attempts = most_attempts;
            job.actor = {.user_id = 0, .at = parts_.clock.now()};
            jobs.push_back(std::move(job));
        }
    }
    return jobs;
}

Task<> ReplicationDispatch::hand_over(std::int64_t to, std::vector<NewJob> jobs)
{
    const auto count = jobs.size();
    const auto write = [&](std::string name, std::int64_t from) {
        return parts_.log.advance(std::move(name), from, to, std::move(jobs));
    };
    CO_TRY(const bool written, co_await cursor_.move(to, count != 0, write));
    if (written) dispatched_.fetch_add(count, std::memory_order_relaxed);
    co_return Result<>{};
}

Task<> ReplicationDispatch::run()
{
    return cursor_.follow(
        [this] { return parts_.catalog.event_based(); },
        [this](std::int64_t to, const std::vector<Event>& events, const std::vector<ReplicationPolicy>& policies) {
            return hand_over(to, match(events, policies));
        }
    );
}

}  // namespace entrepot

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

using namespace std::chrono_literals;

constexpr std::int64_t events_at_once = 200;
constexpr std::int64_t most_unwritten = 2'000;
constexpr auto longest_unwritten = 5s;
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
    const bool worth_writing =
        to > written_ && (to - written_ >= most_unwritten || parts_.clock.steady() - written_at_ >= longest_unwritten);
    if (count == 0 && !worth_writing) {
        read_ = to;
        co_return Result<>{};
    }
    auto done = co_await parts_.log.advance(consumer, written_, to, std::move(jobs));
    // Another instance was faster, or nobody knows: the log does.
    if (!done) written_ = -1;
    if (!done && done.error().code() == Errc::conflict) co_return Result<>{};
    CO_CHECK(std::move(done));
    written_ = read_ = to;
    written_at_ = parts_.clock.steady();
    dispatched_.fetch_add(count, std::memory_order_relaxed);
    co_return Result<>{};
}

Task<> ReplicationDispatch::run()
{
    CO_TRY(const auto range, co_await parts_.log.settle());
    while (true) {
        if (written_ < 0) {
            CO_TRY(written_, co_await parts_.log.cursor(consumer));
            read_ = written_;
            written_at_ = parts_.clock.steady();
        }
        if (read_ >= range.newest) {
            if (read_ > written_) co_return co_await hand_over(read_, {});
            co_return Result<>{};
        }
        CO_TRY(const auto policies, co_await parts_.catalog.event_based());
        if (policies.empty()) {
            CO_CHECK(co_await hand_over(range.newest, {}));
            continue;
        }
        CO_TRY(const auto events, co_await parts_.log.read(read_, events_at_once));
        if (events.empty()) co_return Result<>{};
        CO_CHECK(co_await hand_over(events.back().sequence, match(events, policies)));
    }
}

}  // namespace entrepot

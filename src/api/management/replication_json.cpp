#include "api/management/replication_json.hpp"

#include "api/management/json_append.hpp"
#include "api/management/registry_json.hpp"
#include "exchange/replication_job.hpp"

#include <charconv>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::int32_t minutes_of_hour = 60;

std::string_view trigger_of(const Job& job) noexcept
{
    if (job.trigger == "schedule") return "scheduled";
    return job.trigger == "event" ? "event_based" : "manual";
}

std::string_view status_of(const ReplicationExecution& execution) noexcept
{
    if (execution.unfinished()) return "InProgress";
    if (execution.job.state == JobState::stopped) return "Stopped";
    if (execution.job.state == JobState::failed || execution.tasks.failed > 0) return "Failed";
    return execution.tasks.stopped > 0 ? "Stopped" : "Succeed";
}

std::string_view status_of_task(JobState state) noexcept
{
    switch (state) {
        case JobState::waiting:
        case JobState::delayed: return "Pending";
        case JobState::running: return "InProgress";
        case JobState::succeeded: return "Succeed";
        case JobState::failed: return "Failed";
        case JobState::stopped: return "Stopped";
    }
    return "";
}

std::string time_or_none(Micros time)
{
    return time == 0 ? std::string{no_time} : rfc3339(time);
}

std::string clock_text(std::int32_t minutes)
{
    const auto two = [](std::int32_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
    return two(minutes / minutes_of_hour) + ":" + two(minutes % minutes_of_hour);
}

// "22:30"
Result<std::int32_t> minutes_in(std::string_view text)
{
    const auto part = [&](std::string_view digits, std::int32_t below) -> std::optional<std::int32_t> {
        std::int32_t number = -1;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (digits.size() != 2 || error != std::errc{} || end != digits.data() + 2) return std::nullopt;
        if (number < 0 || number >= below) return std::nullopt;
        return number;
    };
    const bool shaped = text.size() == 5 && text[2] == ':';
    const auto hours = shaped ? part(text.substr(0, 2), 24) : std::nullopt;
    const auto minutes = shaped ? part(text.substr(3), minutes_of_hour) : std::nullopt;
    if (hours && minutes) return *hours * minutes_of_hour + *minutes;
    return fail(Errc::bad_request, "a window's ends are times of the day, such as 22:30");
}

json::array texts_json(const std::vector<std::string>& texts)
{
    json::array list;
    for (const auto& text : texts) list.emplace_back(text);
    return list;
}

json::array filters_json(const std::vector<ReplicationFilter>& filters)
{
    json::array list;
    for (const auto& filter : filters) {
        json::object shown{{"type", filter.type}};
        if (filter.type == "label") {
            shown["value"] = texts_json(filter.values);
        } else {
            shown["value"] = filter.values.empty() ? std::string{} : filter.values.front();
        }
        if (filter.type != "resource") shown["decoration"] = filter.excludes ? "excludes" : "matches";
        list.push_back(std::move(shown));
    }
    return list;
}

json::object trigger_json(const ReplicationTrigger& trigger)
{
    json::object settings;
    settings["cron"] = trigger.cron;
    return {{"type", trigger.type}, {"trigger_settings", std::move(settings)}};
}

// A filter that is left empty is none, as in Harbor.
Result<std::optional<ReplicationFilter>> filter_in(const JsonBody& body)
{
    ReplicationFilter filter;
    TRY(filter.type, body.text("type"));
    TRY(const auto decoration, body.optional_text("decoration"));
    if (decoration && !decoration->empty() && *decoration != "matches" && *decoration != "excludes") {
        return fail(Errc::bad_request, "a filter's decoration is matches or excludes");
    }
    filter.excludes = decoration == "excludes";
    const auto* const value = body.raw().if_contains("value");
    if (value != nullptr && value->is_array()) {
        TRY(filter.values, body.texts("value"));
    } else if (body.has("value")) {
        TRY(auto text, body.text("value"));
        if (!text.empty()) filter.values.push_back(std::move(text));
    }
    if (filter.values.empty()) return std::nullopt;
    return filter;
}

Result<std::int64_t> endpoint_in(const JsonBody& body, std::string_view name)
{
    TRY(const auto endpoint, body.optional_object(name));
    if (!endpoint) return 0;
    TRY(const auto id, endpoint->optional_integer("id"));
    if (id.value_or(0) < 0) return fail(Errc::bad_request, std::string{name} + " has no such id");
    return id.value_or(0);
}

Result<ReplicationTrigger> trigger_in(const JsonBody& body)
{
    ReplicationTrigger trigger;
    TRY(const auto given, body.optional_object("trigger"));
    if (!given) return trigger;
    TRY(auto type, given->optional_text("type"));
    if (type && !type->empty()) trigger.type = *std::move(type);
    TRY(const auto settings, given->optional_object("trigger_settings"));
    if (!settings) return trigger;
    TRY(auto cron, settings->optional_text("cron"));
    trigger.cron = std::move(cron).value_or("");
    return trigger;
}

Result<DayWindow> window_in(const JsonBody& body)
{
    DayWindow window;
    TRY(const auto given, body.optional_object("window"));
    if (!given) return window;
    TRY(const auto from, given->text("from"));
    TRY(const auto until, given->text("until"));
    TRY(window.from, minutes_in(from));
    TRY(window.until, minutes_in(until));
    return window;
}

// A number that has to fit; what doesn't is refused by its limits.
Result<std::int32_t> small_number(const JsonBody& body, std::string_view name, std::int32_t absent)
{
    TRY(const auto number, body.optional_integer(name));
    constexpr std::int64_t far = 1'000'000;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(number.value_or(absent), -far, far));
}

Result<> read_flags(const JsonBody& body, ReplicationPolicy& policy)
{
    const auto flag = [&](std::string_view name, bool& into) -> Result<> {
        TRY(const auto given, body.optional_boolean(name));
        into = given.value_or(into);
        return {};
    };
    CHECK(flag("deletion", policy.replicates_deletion));  // what replicate_deletion was called once
    CHECK(flag("replicate_deletion", policy.replicates_deletion));
    CHECK(flag("override", policy.overrides));
    CHECK(flag("enabled", policy.enabled));
    CHECK(flag("copy_by_chunk", policy.by_chunks));
    CHECK(flag("single_active_replication", policy.single_active));
    CHECK(flag("confirm_all", policy.confirm_all));
    CHECK(flag("signed_only", policy.signed_only));
    return flag("with_referrers", policy.with_referrers);
}

// "shop/web:[v1,v2]"
std::string resource_text(std::string_view repository, const std::vector<std::string>& references)
{
    std::string text{repository};
    text += ":[";
    for (const auto& reference : references) text += (text.ends_with('[') ? "" : ",") + reference;
    return text + "]";
}

}  // namespace

json::object replication_policy_json(const ReplicationPolicy& policy, const RegistryEndpoint* there)
{
    const auto shown = [&](std::int64_t id) {
        if (id == 0) return local_registry_json();
        return there != nullptr && there->id == id ? registry_json(*there) : json::object{{"id", id}};
    };
    json::object object{
        {"id", policy.id},
        {"name", policy.name},
        {"description", policy.description},
        {"src_registry", shown(policy.source_id)},
        {"dest_registry", shown(policy.target_id)},
        {"dest_namespace", policy.namespace_there},
        {"dest_namespace_replace_count", policy.replaced_levels},
        {"trigger", trigger_json(policy.trigger)},
        {"filters", filters_json(policy.filters)},
        {"replicate_deletion", policy.replicates_deletion},
        {"deletion", policy.replicates_deletion},
        {"override", policy.overrides},
        {"enabled", policy.enabled},
        {"creation_time", rfc3339(policy.created_at)},
        {"update_time", rfc3339(policy.updated_at)},
        {"speed", policy.kilobytes_per_second},
        {"copy_by_chunk", policy.by_chunks},
        {"single_active_replication", policy.single_active},
        {"confirm_all", policy.confirm_all},
        {"platforms", texts_json(policy.platforms)},
        {"version_range", policy.version_range},
        {"signed_only", policy.signed_only},
        {"with_referrers", policy.with_referrers},
        {"priority", policy.priority},
        {"bytes_per_second", policy.bytes_per_second},
        {"tenant_id", policy.tenant_id},
        {"creator", policy.creator},
    };
    object["window"] = nullptr;
    if (policy.window.from != policy.window.until) {
        object["window"] =
            json::object{{"from", clock_text(policy.window.from)}, {"until", clock_text(policy.window.until)}};
    }
    return object;
}

Result<ReplicationPolicy> replication_policy_in(const JsonBody& body)
{
    ReplicationPolicy policy;
    TRY(policy.name, body.text("name"));
    TRY(auto description, body.optional_text("description"));
    policy.description = std::move(description).value_or("");
    TRY(policy.source_id, endpoint_in(body, "src_registry"));
    TRY(policy.target_id, endpoint_in(body, "dest_registry"));
    TRY(auto space, body.optional_text("dest_namespace"));
    policy.namespace_there = std::move(space).value_or("");
    TRY(policy.replaced_levels, small_number(body, "dest_namespace_replace_count", ReplicationPolicy::flatten_all));
    TRY(const auto filters, body.objects("filters"));
    for (const auto& given : filters) {
        TRY(auto filter, filter_in(given));
        if (filter) policy.filters.push_back(*std::move(filter));
    }
    TRY(policy.trigger, trigger_in(body));
    CHECK(read_flags(body, policy));
    TRY(const auto speed, body.optional_integer("speed"));
    if (speed.value_or(0) != 0) policy.kilobytes_per_second = *speed;
    TRY(policy.platforms, body.texts("platforms"));
    TRY(auto range, body.optional_text("version_range"));
    policy.version_range = std::move(range).value_or("");
    TRY(policy.priority, small_number(body, "priority", policy.priority));
    TRY(policy.window, window_in(body));
    TRY(const auto bytes, body.optional_integer("bytes_per_second"));
    policy.bytes_per_second = bytes.value_or(0);
    return policy;
}

json::object replication_execution_json(const ReplicationExecution& execution)
{
    const auto& job = execution.job;
    const auto& tasks = execution.tasks;
    const auto end = std::max(job.ended_at, tasks.last_end);
    return {
        {"id", job.id},
        {"policy_id", job.subject_id},
        {"status", status_of(execution)},
        {"status_text", job.state == JobState::failed ? job.result : std::string{}},
        {"trigger", trigger_of(job)},
        {"start_time", rfc3339(job.created_at)},
        {"end_time", time_or_none(execution.unfinished() ? 0 : end)},
        {"total", tasks.unfinished + tasks.succeeded + tasks.failed + tasks.stopped},
        {"succeed", tasks.succeeded},
        {"failed", tasks.failed},
        {"in_progress", tasks.unfinished},
        {"stopped", tasks.stopped},
    };
}

json::object replication_task_json(const Job& job)
{
    const auto task = ReplicationTask::parse(job.parameters).value_or(ReplicationTask{});
    const auto tally = ReplicationTally::parse(job.ended_at == 0 ? job.progress : job.result);
    return {
        {"id", job.id},
        {"execution_id", job.parent_id},
        {"job_id", std::to_string(job.id)},
        {"status", status_of_task(job.state)},
        {"operation", task.removal ? "deletion" : "copy"},
        {"resource_type", "image"},
        {"src_resource", resource_text(task.source_repository, task.references)},
        {"dst_resource", resource_text(task.target_repository, task.references)},
        {"start_time", rfc3339(job.started_at == 0 ? job.created_at : job.started_at)},
        {"end_time", time_or_none(job.ended_at)},
        {"copied", tally.copied},
        {"skipped", tally.skipped},
        {"failed", tally.failed},
        {"bytes", tally.bytes},
        {"error", tally.error},
    };
}

json::object replication_lag_json(const ReplicationLag& lag, Micros now)
{
    const auto age = lag.oldest == 0 ? 0 : std::max<Micros>(now - lag.oldest, 0);
    json::object shown{
        {"policy_id", lag.policy_id},
        {"seconds", age / 1'000'000},
        {"artifacts", lag.artifacts},
        {"bytes", lag.bytes},
        {"failed", lag.failed},
    };
    if (lag.oldest != 0) shown["oldest"] = rfc3339(lag.oldest);
    return shown;
}

json::object pending_copy_json(const PendingCopy& copy)
{
    return {
        {"repository", copy.repository},
        {"reference", copy.reference},
        {"operation", copy.removal ? "deletion" : "copy"},
        {"digest", copy.digest},
        {"bytes", copy.bytes},
        {"since", rfc3339(copy.since)},
        {"failures", copy.failures},
        {"last_error", copy.last_error},
    };
}

std::string_view outcome_of_status(std::string_view status) noexcept
{
    if (status == "InProgress") return "running";
    if (status == "Succeed") return "succeeded";
    if (status == "Failed") return "failed";
    return status == "Stopped" ? "stopped" : "";
}

std::vector<std::string> states_of_task_status(std::string_view status)
{
    if (status == "Pending") return {"waiting", "delayed"};
    const auto state = outcome_of_status(status);
    if (state.empty()) return {};
    return {std::string{state}};
}

std::string_view cause_of_trigger(std::string_view trigger) noexcept
{
    if (trigger == "manual") return "manual";
    if (trigger == "scheduled") return "schedule";
    return trigger == "event_based" ? "event" : "";
}

}  // namespace entrepot

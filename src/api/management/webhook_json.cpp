#include "api/management/webhook_json.hpp"

#include "api/management/json_append.hpp"
#include "events/webhooks/webhook_job.hpp"
#include "events/webhooks/webhook_types.hpp"

#include <set>

namespace entrepot {
namespace {

namespace json = boost::json;

// Harbor's words for how a job stands.
std::string_view status_of(const Job& job) noexcept
{
    switch (job.state) {
        case JobState::waiting: return "Pending";
        case JobState::delayed: return job.attempts > 0 ? "Scheduled" : "Pending";
        case JobState::running: return "Running";
        case JobState::succeeded: return "Success";
        case JobState::failed: return "Error";
        case JobState::stopped: return "Stopped";
    }
    return "";
}

std::string time_or_none(Micros time)
{
    return time == 0 ? std::string{no_time} : rfc3339(time);
}

Micros updated_at(const Job& job) noexcept
{
    return std::max({job.created_at, job.started_at, job.ended_at});
}

std::string_view circuit_state(const WebhookCircuit& circuit, Micros now) noexcept
{
    if (circuit.open_until == 0) return "closed";
    return circuit.open_until > now ? "open" : "half-open";
}

json::object target_json(const WebhookTarget& target, Micros now)
{
    json::object circuit{
        {"state", circuit_state(target.circuit, now)},
        {"failures", target.circuit.failures},
    };
    if (target.circuit.open_until != 0) circuit["retry_at"] = rfc3339(target.circuit.open_until);
    if (!target.circuit.last_error.empty()) circuit["last_error"] = target.circuit.last_error;
    return {
        {"type", target.type},
        {"address", target.address},
        {"skip_cert_verify", target.any_certificate},
        {"payload_format", target.format},
        {"has_auth_header", !target.auth_header.empty()},
        {"has_secret", !target.secret.empty()},
        {"circuit", std::move(circuit)},
    };
}

Result<WebhookTargetInput> target_in(const JsonBody& body)
{
    WebhookTargetInput target;
    TRY(target.type, body.text("type"));
    TRY(target.address, body.text("address"));
    TRY(auto format, body.optional_text("payload_format"));
    TRY(target.auth_header, body.optional_text("auth_header"));
    TRY(target.secret, body.optional_text("secret"));
    TRY(const auto any, body.optional_boolean("skip_cert_verify"));
    target.format = format && !format->empty() ? *std::move(format) : "Default";
    target.any_certificate = any.value_or(false);
    return target;
}

}  // namespace

json::object webhook_policy_json(const WebhookPolicy& policy, Micros now)
{
    json::array targets;
    for (const auto& target : policy.targets) targets.push_back(target_json(target, now));
    json::array types;
    for (const auto& type : policy.event_types) types.emplace_back(type);
    return {
        {"id", policy.id},
        {"name", policy.name},
        {"description", policy.description},
        {"project_id", policy.project_id},
        {"targets", std::move(targets)},
        {"event_types", std::move(types)},
        {"repositories", policy.repositories},
        {"tags", policy.tags},
        {"creator", policy.creator},
        {"creation_time", rfc3339(policy.created_at)},
        {"update_time", rfc3339(policy.updated_at)},
        {"enabled", policy.enabled},
    };
}

json::array webhook_triggers_json(const std::vector<Webhooks::Trigger>& triggers)
{
    json::array list;
    for (const auto& trigger : triggers) {
        list.push_back(json::object{
            {"policy_name", trigger.policy.name},
            {"event_type", trigger.last.event_type},
            {"enabled", trigger.policy.enabled},
            {"creation_time", rfc3339(trigger.policy.created_at)},
            {"last_trigger_time", time_or_none(trigger.last.at)},
        });
    }
    return list;
}

json::object webhook_job_json(const Job& job)
{
    const auto parsed = parse_webhook_job(job.parameters);
    return {
        {"id", job.id},
        {"policy_id", job.subject_id},
        {"event_type", parsed ? parsed->type : std::string{}},
        {"notify_type", "http"},
        {"status", status_of(job)},
        {"job_detail", parsed ? parsed->address : std::string{}},
        {"creation_time", rfc3339(job.created_at)},
        {"update_time", rfc3339(updated_at(job))},
    };
}

json::object webhook_execution_json(const Job& job)
{
    const auto parsed = parse_webhook_job(job.parameters);
    json::object attributes;
    if (parsed) {
        attributes["type"] = parsed->type;
        attributes["address"] = parsed->address;
        attributes["event_id"] = parsed->event.sequence;
        if (!parsed->event.repository.empty()) attributes["repository"] = parsed->event.repository;
    }
    const bool succeeded = job.state == JobState::succeeded;
    const bool failed = job.state == JobState::failed;
    const bool ended = job.ended_at != 0;
    json::object metrics{{"task_count", 1}};
    if (succeeded) metrics["success_task_count"] = 1;
    if (failed) metrics["error_task_count"] = 1;
    if (job.state == JobState::stopped) metrics["stopped_task_count"] = 1;
    if (job.state == JobState::running) metrics["running_task_count"] = 1;
    if (!ended && job.state != JobState::running) metrics["pending_task_count"] = 1;
    return {
        {"id", job.id},
        {"vendor_type", "WEBHOOK"},
        {"vendor_id", job.subject_id},
        {"status", status_of(job)},
        {"status_message", failed ? job.result : std::string{}},
        {"metrics", std::move(metrics)},
        {"trigger", job.trigger == "event" ? "EVENT" : "MANUAL"},
        {"extra_attrs", std::move(attributes)},
        {"start_time", rfc3339(job.created_at)},
        {"end_time", time_or_none(job.ended_at)},
    };
}

json::object webhook_task_json(const Job& job)
{
    return {
        {"id", job.id},
        {"execution_id", job.id},
        {"status", status_of(job)},
        {"status_message", job.state == JobState::failed ? job.result : std::string{}},
        {"run_count", job.attempts},
        {"extra_attrs", json::object{}},
        {"creation_time", rfc3339(job.created_at)},
        {"update_time", rfc3339(updated_at(job))},
        {"start_time", time_or_none(job.started_at)},
        {"end_time", time_or_none(job.ended_at)},
    };
}

json::object webhook_choices_json(bool of_system)
{
    json::array types;
    std::set<std::string_view> seen;
    for (const auto& type : webhook_types()) {
        if ((of_system || !type.system_only) && seen.insert(type.name).second) types.emplace_back(type.name);
    }
    return {
        {"event_type", std::move(types)},
        {"notify_type", {"http", "slack"}},
        {"payload_formats",
         {{{"notify_type", "http"}, {"formats", {"Default", "CloudEvents"}}},
          {{"notify_type", "slack"}, {"formats", json::array{"Default"}}}}},
    };
}

Result<WebhookPolicyInput> webhook_policy_in(const JsonBody& body)
{
    WebhookPolicyInput input;
    TRY(input.name, body.text("name"));
    TRY(auto description, body.optional_text("description"));
    TRY(const auto enabled, body.optional_boolean("enabled"));
    TRY(input.event_types, body.texts("event_types"));
    TRY(auto repositories, body.optional_text("repositories"));
    TRY(auto tags, body.optional_text("tags"));
    TRY(const auto targets, body.objects("targets"));
    for (const auto& entry : targets) {
        TRY(auto target, target_in(entry));
        input.targets.push_back(std::move(target));
    }
    input.description = std::move(description).value_or("");
    input.enabled = enabled.value_or(true);
    input.repositories = std::move(repositories).value_or("");
    input.tags = std::move(tags).value_or("");
    return input;
}

}  // namespace entrepot

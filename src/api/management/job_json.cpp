#include "api/management/job_json.hpp"

#include "api/management/job_types.hpp"
#include "core/clock.hpp"

#include <boost/json/parse.hpp>

namespace entrepot {

namespace json = boost::json;

namespace {

std::string_view state_name(JobState state) noexcept
{
    switch (state) {
        case JobState::waiting: return "waiting";
        case JobState::delayed: return "delayed";
        case JobState::running: return "running";
        case JobState::succeeded: return "succeeded";
        case JobState::failed: return "failed";
        case JobState::stopped: break;
    }
    return "stopped";
}

Micros last_change(const Job& job) noexcept
{
    if (job.ended_at != 0) return job.ended_at;
    return job.started_at != 0 ? job.started_at : job.created_at;
}

}  // namespace

json::value json_or_text(std::string_view text)
{
    boost::system::error_code failed;
    auto value = json::parse(text, failed);
    if (failed) return json::value(json::string_view{text.data(), text.size()});
    return value;
}

json::object job_json(const Job& job)
{
    json::object object{
        {"id", job.id},
        {"kind", job.kind},
        {"job_type", job_type_of(job.kind)},
        {"state", state_name(job.state)},
        {"trigger", job.trigger},
        {"priority", job.priority},
        {"attempts", job.attempts},
        {"most_attempts", job.most_attempts},
        {"lost_workers", job.losses},
        {"stop_requested", job.stop_requested},
        {"log_lines", job.log_lines},
        {"user_id", job.user_id},
        {"creation_time", rfc3339(job.created_at)},
    };
    const std::pair<const char*, std::int64_t> ids[] = {
        {"parent_id", job.parent_id},
        {"subject_id", job.subject_id},
        {"tenant_id", job.tenant_id},
        {"project_id", job.project_id},
    };
    for (const auto& [name, id] : ids) {
        if (id != 0) object[name] = id;
    }
    if (job.state == JobState::delayed) object["next_time"] = rfc3339(job.not_before);
    if (job.started_at != 0) object["start_time"] = rfc3339(job.started_at);
    if (job.ended_at != 0) object["end_time"] = rfc3339(job.ended_at);
    if (!job.worker.empty()) object["worker"] = job.worker;
    if (!job.progress.empty()) object["progress"] = json_or_text(job.progress);
    if (!job.result.empty()) object["result"] = json_or_text(job.result);
    return object;
}

std::string_view harbor_status(JobState state) noexcept
{
    switch (state) {
        case JobState::waiting: return "Pending";
        case JobState::delayed: return "Scheduled";
        case JobState::running: return "Running";
        case JobState::succeeded: return "Success";
        case JobState::failed: return "Error";
        case JobState::stopped: break;
    }
    return "Stopped";
}

json::object execution_json(const Job& job)
{
    return {
        {"id", job.id},
        {"job_name", job_type_of(job.kind)},
        {"job_kind", job.trigger == "schedule" ? "SCHEDULE" : "MANUAL"},
        {"job_parameters", job.parameters},
        {"job_status", harbor_status(job.state)},
        {"deleted", false},
        {"schedule", json::object{{"type", job.trigger == "schedule" ? "Schedule" : "Manual"}, {"cron", ""}}},
        {"creation_time", rfc3339(job.created_at)},
        {"update_time", rfc3339(last_change(job))},
    };
}

json::object schedule_json(const Schedule& schedule)
{
    json::object when{{"type", schedule.type}, {"cron", schedule.cron}};
    if (schedule.next_at != 0) when["next_scheduled_time"] = rfc3339(schedule.next_at);
    return {
        {"id", schedule.id},
        {"job_name", job_type_of(schedule.kind)},
        {"job_kind", "SCHEDULE"},
        {"job_parameters", schedule.parameters},
        {"job_status", "Scheduled"},
        {"deleted", false},
        {"schedule", std::move(when)},
        {"creation_time", rfc3339(schedule.created_at)},
        {"update_time", rfc3339(schedule.actor.at)},
    };
}

}  // namespace entrepot

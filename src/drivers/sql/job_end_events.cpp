#include "drivers/sql/job_end_events.hpp"

#include "drivers/sql/event_rows.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <utility>

namespace entrepot {

namespace {

namespace json = boost::json;

constexpr std::pair<std::string_view, std::string_view> told_kinds[] = {
    {"gc", event_type::garbage_collection_finished},
    {"retention", event_type::retention_finished},
};

json::object object_in(std::string_view text)
{
    boost::system::error_code error;
    auto value = json::parse(text, error);
    return !error && value.is_object() ? std::move(value).as_object() : json::object{};
}

std::string_view outcome_of(JobState state)
{
    switch (state) {
        case JobState::succeeded: return "Success";
        case JobState::stopped: return "Stopped";
        default: return "Error";
    }
}

}  // namespace

Result<> record_job_end(SqlSession& session, const Job& job)
{
    std::string_view type;
    for (const auto& [kind, told] : told_kinds) {
        if (job.kind == kind) type = told;
    }
    if (type.empty()) return {};
    const auto parameters = object_in(job.parameters);
    const auto* dry_run = parameters.if_contains("dry_run");
    if (dry_run && dry_run->is_bool() && dry_run->as_bool()) return {};

    auto event = event_in_project(type, {job.user_id, job.ended_at}, job.project_id);
    event.tenant_id = job.tenant_id;
    auto details = object_in(job.result);
    // Of what failed the result is a text.
    if (details.empty() && !job.result.empty()) details["error"] = job.result;
    details["status"] = outcome_of(job.state);
    details["job_id"] = job.id;
    details["trigger"] = job.trigger;
    if (job.subject_id != 0) details["policy_id"] = job.subject_id;
    set_details(event, details);
    return record_event(session, event);
}

}  // namespace entrepot

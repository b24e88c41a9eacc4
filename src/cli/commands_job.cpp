#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns job_columns{
    {"ID", "id"},
    {"KIND", "kind"},
    {"STATE", "state"},
    {"TRIGGER", "trigger"},
    {"ATTEMPTS", "attempts"},
    {"CREATED", "creation_time"},
    {"ENDED", "end_time"},
};
const CtlColumns job_card{
    {"ID", "id"},
    {"KIND", "kind"},
    {"STATE", "state"},
    {"TRIGGER", "trigger"},
    {"ATTEMPTS", "attempts"},
    {"AT MOST", "most_attempts"},
    {"LOST WORKERS", "lost_workers"},
    {"PRIORITY", "priority"},
    {"SUBJECT", "subject_id"},
    {"CREATED", "creation_time"},
    {"DUE", "next_time"},
    {"STARTED", "start_time"},
    {"ENDED", "end_time"},
    {"WORKER", "worker"},
    {"LOG LINES", "log_lines"},
    {"RESULT", "result"},
};
const CtlColumns queue_columns{
    {"QUEUE", "job_type"},
    {"WAITING", "count"},
    {"OLDEST (S)", "latency"},
    {"DELAYED", "delayed"},
    {"RUNNING", "running"},
    {"FAILED", "failed"},
    {"PAUSED", "paused"},
};

const CtlArgument id{.name = "id", .text = "the job's number"};
const CtlArgument type{.name = "queue", .text = "as `queue list` shows it, or all"};

Result<int> list_jobs(CtlRun& run)
{
    std::string conditions;
    for (const auto* name : {"kind", "state"}) {
        if (!run.has(name)) continue;
        conditions += fmt::format("{}{}={}", conditions.empty() ? "" : ",", name, run.value(name));
    }
    CHECK(run.print_list("jobs", job_columns, std::move(conditions)));
    return ctl_exit::success;
}

Result<int> list_queues(CtlRun& run)
{
    TRY(auto* const api, run.api());
    TRY(const auto queues, api->get("jobservice/queues"));
    if (!queues.is_array()) return fail(Errc::internal, "the server's queues are no list");
    CHECK(run.print_rows(queues.as_array(), queue_columns));
    return ctl_exit::success;
}

Result<int> stop_queue(CtlRun& run)
{
    CHECK(run.confirm(fmt::format("Stop every job of {}", run.value("queue"))));
    static const auto stop =
        send_to("PUT", "jobservice/queues/{queue}", "queue {queue}: its jobs are stopped", {{"action", "stop"}});
    return stop(run);
}

}  // namespace

std::vector<CtlCommand> job_commands()
{
    return {
        {.path = "job list",
         .text = "lists jobs, the newest first",
         .options =
             {{.name = "kind", .value = "KIND", .text = "of this kind"},
              {.name = "state",
               .value = "STATE",
               .text = "in this state",
               .choices = {"waiting", "delayed", "running", "succeeded", "failed", "stopped"}}},
         .traits = ctl_listing,
         .run = list_jobs,
         .example = "entrepot ctl job list --state failed --limit 20"},
        {.path = "job show",
         .text = "shows a job",
         .arguments = {id},
         .traits = ctl_showing,
         .run = show_of("jobs/{id}", job_card)},
        {.path = "job log",
         .text = "shows what a job wrote",
         .arguments = {id},
         .run = text_of("jobs/{id}/log"),
         .more = "Of a long log the first 500 lines and the newest 1500 are kept."},
        {.path = "job stop",
         .text = "stops a job and its tasks",
         .arguments = {id},
         .traits = ctl_showing,
         .run = send_to("PUT", "jobs/{id}/stop", "job {id}: stopped, or asked to stop")},
        {.path = "job retry",
         .text = "runs a job again that failed or was stopped",
         .arguments = {id},
         .traits = ctl_showing,
         .run = send_to("POST", "jobs/{id}/retry", "job {id}: waits for a worker")},
        {.path = "queue list",
         .text = "lists the queues, one for each kind of jobs",
         .traits = ctl_showing,
         .run = list_queues},
        {.path = "queue pause",
         .text = "holds up the jobs of a queue that have not begun",
         .arguments = {type},
         .traits = ctl_showing,
         .run = send_to("PUT", "jobservice/queues/{queue}", "queue {queue}: paused", {{"action", "pause"}}),
         .more = "SCHEDULER is the queue of all schedules: while it is paused, none of them starts a job.",
         .example = "entrepot ctl queue pause GARBAGE_COLLECTION"},
        {.path = "queue resume",
         .text = "lets a paused queue go on",
         .arguments = {type},
         .traits = ctl_showing,
         .run = send_to("PUT", "jobservice/queues/{queue}", "queue {queue}: goes on", {{"action", "resume"}})},
        {.path = "queue stop",
         .text = "stops all jobs of a queue, those that run and those that wait",
         .arguments = {type},
         .traits = ctl_deleting,
         .run = stop_queue},
    };
}

}  // namespace entrepot

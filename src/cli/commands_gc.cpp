#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"

#include <tuple>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns run_columns{
    {"ID", "id"},
    {"STATUS", "job_status"},
    {"TRIGGER", "job_kind"},
    {"CREATED", "creation_time"},
    {"ENDED", "update_time"},
    {"WHAT", "job_parameters"},
};
const CtlColumns schedule_card{
    {"TYPE", "schedule.type"},
    {"CRON", "schedule.cron"},
    {"NEXT", "schedule.next_scheduled_time"},
    {"WITH", "job_parameters"},
};

const CtlArgument id{.name = "id", .text = "the collection's number"};
const CtlOption untagged{
    .name = "delete-untagged",
    .value = "YES|NO",
    .text = "whether manifests go that no tag, no index and no subject keeps",
    .field = "parameters.delete_untagged",
    .kind = CtlValue::boolean,
    .choices = {"yes", "no"},
};
const CtlOption rate{
    .name = "rate",
    .value = "COUNT",
    .text = "at most so many manifests, links or blobs a second; 0: as fast as it goes",
    .field = "parameters.rate",
    .kind = CtlValue::integer,
};

// "daily", or six fields of a cron.
Result<int> set_schedule(CtlRun& run)
{
    TRY(auto body, run.body());
    const auto when = run.value("when");
    json::object schedule;
    for (const auto& [word, type, cron] :
         {std::tuple{"none", "None", ""},
          std::tuple{"hourly", "Hourly", "0 0 * * * *"},
          std::tuple{"daily", "Daily", "0 0 0 * * *"},
          std::tuple{"weekly", "Weekly", "0 0 0 * * 0"}}) {
        if (when == word) schedule = {{"type", type}, {"cron", cron}};
    }
    if (schedule.empty()) schedule = {{"type", "Custom"}, {"cron", when}};
    body["schedule"] = std::move(schedule);
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("PUT", "system/gc/schedule", body));
    CHECK(run.print_change(answer, fmt::format("garbage collection: {}", when)));
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> gc_commands()
{
    return {
        {.path = "gc run",
         .text = "begins a garbage collection",
         .options =
             {untagged,
              rate,
              {.name = "dry-run",
               .value = "YES|NO",
               .text = "whether it is only counted what would go",
               .field = "parameters.dry_run",
               .kind = CtlValue::boolean,
               .choices = {"yes", "no"}}},
         .traits = ctl_showing,
         .run = send_to(
             "POST",
             "system/gc/schedule",
             "the collection has begun; `gc list` shows how it goes",
             {{"schedule", json::object{{"type", "Manual"}}}}
         ),
         .example = "entrepot ctl gc run --delete-untagged yes"},
        {.path = "gc list",
         .text = "lists collections, the newest first, with what they freed",
         .traits = ctl_listing,
         .run = list_of("system/gc", run_columns)},
        {.path = "gc log",
         .text = "shows what a collection wrote",
         .arguments = {id},
         .run = text_of("system/gc/{id}/log")},
        {.path = "gc stop",
         .text = "stops a collection; what it has removed is gone",
         .arguments = {id},
         .traits = ctl_showing,
         .run = send_to("PUT", "system/gc/{id}", "collection {id}: asked to stop")},
        {.path = "gc schedule show",
         .text = "shows when collections come round",
         .traits = ctl_showing,
         .run = show_of("system/gc/schedule", schedule_card)},
        {.path = "gc schedule set",
         .text = "sets when collections come round",
         .arguments = {{.name = "when", .text = "hourly, daily, weekly, none, or six fields of a cron in UTC"}},
         .options = {untagged, rate},
         .traits = ctl_showing,
         .run = set_schedule,
         .example = "entrepot ctl gc schedule set '0 30 2 * * *' --delete-untagged yes"},
    };
}

}  // namespace entrepot

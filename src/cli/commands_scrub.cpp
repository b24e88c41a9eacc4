#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns run_columns{
    {"ID", "id"},
    {"STATE", "job_status"},
    {"TRIGGER", "job_kind"},
    {"CREATED", "creation_time"},
    {"CHANGED", "update_time"},
    {"RESULT", "job_parameters"},
};
const CtlColumns finding_columns{
    {"ID", "id"},
    {"KIND", "kind"},
    {"STATE", "state"},
    {"SUBJECT", "subject"},
    {"SIZE", "size"},
    {"FIRST SEEN", "first_seen"},
    {"LAST SEEN", "last_seen"},
    {"REPOSITORIES", "repositories"},
    {"NOTE", "note"},
};

const CtlArgument run_id{.name = "run", .text = "the run's id, as `scrub runs` shows it"};

Result<int> start_scrub(CtlRun& run)
{
    TRY(auto parameters, run.body());
    if (run.has("no-verify")) parameters["verify"] = false;
    if (run.has("no-heal")) parameters["heal"] = false;
    const json::object body{{"parameters", std::move(parameters)}, {"schedule", json::object{{"type", "Manual"}}}};
    if (run.value("orphans") == "delete") CHECK(run.confirm("remove the bytes that no repository and no upload has"));
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", "system/scrub/schedule", body));
    CHECK(run.print_change(answer, "a scrub has begun"));
    return ctl_exit::success;
}

Result<int> list_findings(CtlRun& run)
{
    std::string conditions = run.has("all") ? "" : "state=open";
    if (run.has("kind")) conditions += fmt::format("{}kind={}", conditions.empty() ? "" : ",", run.value("kind"));
    CHECK(run.print_list("system/scrub/findings", finding_columns, std::move(conditions)));
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> scrub_commands()
{
    return {
        {.path = "scrub run",
         .text = "compares the blob store with the catalog, and repairs it",
         .options =
             {{.name = "no-verify", .text = "don't read the bytes again"},
              {.name = "rate",
               .value = "SIZE",
               .text = "read so much a second (without it, scrub.rate)",
               .field = "rate",
               .kind = CtlValue::size},
              {.name = "orphans",
               .value = "WHAT",
               .text = "what is done about bytes that no repository holds",
               .field = "orphans",
               .choices = {"report", "delete", "adopt"}},
              {.name = "min-age",
               .value = "SECONDS",
               .text = "how old these have to be (without it, scrub.min_age)",
               .field = "min_age",
               .kind = CtlValue::integer},
              {.name = "no-heal", .text = "don't fetch from the replica"}},
         .traits = ctl_deleting,
         .run = start_scrub,
         .more =
             "delete leaves orphans to garbage collection and removes the bytes of uploads that nobody knows. adopt "
             "links blobs into the repositories whose manifests name them and lack them.",
         .example = "entrepot ctl scrub run --orphans delete --yes"},
        {.path = "scrub runs",
         .text = "lists scrubs, the newest first, and what came of them",
         .traits = ctl_listing,
         .run = list_of("system/scrub", run_columns)},
        {.path = "scrub status",
         .text = "shows a scrub",
         .arguments = {run_id},
         .traits = ctl_showing,
         .run = show_of("system/scrub/{run}", run_columns)},
        {.path = "scrub log",
         .text = "shows what a scrub wrote",
         .arguments = {run_id},
         .run = text_of("system/scrub/{run}/log")},
        {.path = "scrub stop",
         .text = "stops a scrub",
         .arguments = {run_id},
         .traits = ctl_showing,
         .run = send_to("PUT", "system/scrub/{run}", "scrub {run}: asked to stop")},
        {.path = "scrub findings",
         .text = "lists what scrubs found and is not settled, the newest first",
         .options =
             {{.name = "all", .text = "also what is settled"},
              {.name = "kind",
               .value = "KIND",
               .text = "of this kind",
               .choices = {"orphan", "missing", "rotten", "unreadable", "wrong_size", "stray_upload"}}},
         .traits = ctl_listing,
         .run = list_findings,
         .example = "entrepot ctl scrub findings --kind missing"},
    };
}

}  // namespace entrepot

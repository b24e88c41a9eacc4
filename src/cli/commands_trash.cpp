#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"

#include <boost/json/array.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns entry_columns{
    {"ID", "id"},
    {"REPOSITORY", "repository"},
    {"DIGEST", "digest"},
    {"TAGS", "tags"},
    {"SIZE", "size", CtlFormat::bytes},
    {"DELETED", "deleted_at"},
    {"WHO", "deleted_by_name"},
    {"HOW", "how"},
    {"UNTIL", "expires_at"},
};
const CtlColumns step_columns{
    {"TAG", "tag"},
    {"STEP", "step"},
    {"DIGEST", "digest"},
    {"NOW", "previous_digest"},
};

const CtlArgument project{.name = "project", .text = "the project's name"};
const CtlArgument entry{.name = "entry", .text = "the entry's id, as `trash list` shows it"};

Result<int> restore(CtlRun& run)
{
    const json::object body{{"force_tags", run.has("force-tags")}};
    TRY(const auto path, run.path("projects/{project}/trash/{entry}/restore"));
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", path, body));
    CHECK(run.print_change(answer, said_text(run, "project {project}: {entry} is back")));
    return ctl_exit::success;
}

Result<int> empty(CtlRun& run)
{
    const bool one = run.has("entry");
    const auto* const noun = one ? "the entry {entry} of the trash of project {project}, for good"
                                 : "all that was deleted in project {project}, for good";
    CHECK(run.confirm(said_text(run, noun)));
    TRY(const auto path, run.path(one ? "projects/{project}/trash/{entry}" : "projects/{project}/trash"));
    TRY(auto* const api, run.api());
    CHECK(api->call("DELETE", path));
    run.say(
        said_text(run, one ? "project {project}: {entry} is gone for good" : "project {project}: the trash is empty")
    );
    return ctl_exit::success;
}

Result<int> restore_repository(CtlRun& run)
{
    TRY(auto body, run.body());
    auto* const at = body.if_contains("at");
    if (at != nullptr && at->is_int64()) *at = rfc3339(at->get_int64() * 1'000'000);
    body["exact"] = run.has("exact");
    body["dry_run"] = run.has("dry-run");
    TRY(const auto path, run.path("projects/{repository:project}/repositories/{repository:repository}/restore"));
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", path, body));
    const auto* tags = answer.body.is_object() ? find_field(answer.body.as_object(), "tags") : nullptr;
    CHECK(run.print_rows(tags != nullptr && tags->is_array() ? tags->as_array() : json::array{}, step_columns));
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> trash_commands()
{
    return {
        {.path = "trash list",
         .text = "lists what was deleted in a project and can be brought back, the newest first",
         .arguments = {project},
         .traits = ctl_listing,
         .run = list_of("projects/{project}/trash", entry_columns)},
        {.path = "trash restore",
         .text = "brings back what was deleted, with its tags and all that went with it",
         .arguments = {project, entry},
         .options = {{.name = "force-tags", .text = "also tags that point elsewhere now"}},
         .traits = ctl_showing,
         .run = restore,
         .example = "entrepot ctl trash restore shop 12"},
        {.path = "trash empty",
         .text = "lets go of what was deleted: its bytes are free, and nothing brings it back",
         .arguments = {project},
         .options = {{.name = "entry", .value = "ID", .text = "only this one"}},
         .traits = ctl_deleting,
         .run = empty},
        {.path = "repository restore",
         .text = "takes a repository's tags back to what they were at a time",
         .arguments = {{.name = "repository", .text = "PROJECT/REPOSITORY"}},
         .options =
             {{.name = "at",
               .value = "TIME",
               .text = "such as 2026-11-21T10:00:00Z",
               .field = "at",
               .kind = CtlValue::moment,
               .required = true},
              {.name = "exact", .text = "also remove the tags that came later"},
              {.name = "dry-run", .text = "only say what would be done"}},
         .traits = ctl_showing,
         .run = restore_repository,
         .example = "entrepot ctl repository restore shop/app --at 2026-11-21T10:00:00Z --dry-run"},
    };
}

}  // namespace entrepot

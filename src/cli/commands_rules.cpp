#include "cli/ctl_generic.hpp"
#include "cli/ctl_lookup.hpp"
#include "cli/ctl_tables.hpp"

#include <boost/json/array.hpp>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns rule_columns{
    {"ID", "id"},
    {"DISABLED", "disabled"},
    {"REPOSITORIES", "repositories"},
    {"TAGS", "tags"},
};
const CtlColumns history_columns{
    {"TIME", "time"},
    {"DIGEST", "digest"},
    {"BEFORE", "previous_digest"},
    {"HOW", "how"},
    {"WHO", "username"},
    {"AVAILABLE", "available"},
};
const CtlColumns snapshot_columns{
    {"TAG", "tag"},
    {"DIGEST", "digest"},
    {"SINCE", "time"},
    {"WHO", "username"},
    {"AVAILABLE", "available"},
};
const CtlColumns retention_card{
    {"ID", "id"},
    {"RULES", "rules"},
    {"SCHEDULE", "trigger.settings.cron"},
    {"MAY REMOVE ALL", "confirm_all"},
};
const CtlColumns run_columns{
    {"ID", "id"},
    {"STATUS", "status"},
    {"DRY RUN", "dry_run"},
    {"TRIGGER", "trigger"},
    {"BEGUN", "start_time"},
    {"ENDED", "end_time"},
};
const CtlColumns task_columns{
    {"ID", "id"},
    {"REPOSITORY", "repository"},
    {"TOTAL", "total"},
    {"RETAINED", "retained"},
    {"STATUS", "status"},
};
const CtlColumns policy_columns{
    {"ID", "id"},
    {"NAME", "name"},
    {"DISABLED", "disabled"},
    {"REPOSITORIES", "repositories"},
    {"TAGS", "tags"},
    {"VERSIONS", "semantic_versions"},
};
const CtlColumns refusal_columns{
    {"REPOSITORY", "repository"},
    {"TAG", "tag"},
    {"WHY", "reason"},
};

const CtlArgument project{.name = "project", .text = "the project's name"};
const CtlArgument tagged{.name = "artifact", .text = "PROJECT/REPOSITORY:TAG"};
const CtlArgument run_id{.name = "run", .text = "the run's id, as `retention runs` shows it"};
const CtlOption of_tags{
    .name = "tags",
    .value = "PATTERN",
    .text = "which tags: * ? [a-z] {a,b}; not:PATTERN for all others",
    .required = true
};
const CtlOption of_repositories{
    .name = "repositories", .value = "PATTERN", .text = "in which repositories; ** is any (without it, all)"
};
constexpr std::string_view one_tag =
    "projects/{artifact:project}/repositories/{artifact:repository}/tags/{artifact:reference}";

json::array selector_of(std::string_view text, std::string_view matches, std::string_view excludes)
{
    constexpr std::string_view others = "not:";
    const bool excluded = text.starts_with(others);
    if (excluded) text.remove_prefix(others.size());
    json::array list;
    list.push_back(
        json::object{{"kind", "doublestar"}, {"decoration", excluded ? excludes : matches}, {"pattern", text}}
    );
    return list;
}

std::string patterns_in(const json::object& row, std::string_view name)
{
    std::string text;
    const auto* list = find_field(row, name);
    if (list == nullptr || !list->is_array()) return text;
    for (const auto& each : list->as_array()) {
        if (!each.is_object()) continue;
        const auto& selector = each.as_object();
        text += text.empty() ? "" : ", ";
        text += field_text(selector, "decoration").ends_with("xcludes") ? "not:" : "";
        text += field_text(selector, "pattern");
    }
    return text;
}

// What a table shows of selectors: their patterns.
Result<> show_patterns(json::object& row)
{
    row["repositories"] = patterns_in(row, "scope_selectors.repository");
    row["tags"] = patterns_in(row, "tag_selectors");
    return {};
}

Result<int> list_rules(CtlRun& run, std::string_view pattern, const CtlColumns& columns)
{
    TRY(const auto path, run.path(pattern));
    CHECK(run.print_list(path, columns, {}, show_patterns));
    return ctl_exit::success;
}

Result<int> add_immutable(CtlRun& run)
{
    const auto repositories = run.has("repositories") ? run.value("repositories") : std::string_view{"**"};
    const json::object body{
        {"tag_selectors", selector_of(run.value("tags"), "matches", "excludes")},
        {"scope_selectors", {{"repository", selector_of(repositories, "repoMatches", "repoExcludes")}}},
    };
    TRY(const auto path, run.path("projects/{project}/immutabletagrules"));
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", path, body));
    CHECK(run.print_change(answer, said_text(run, "project {project}: tags {tags} are immutable")));
    return ctl_exit::success;
}

// The API takes times as texts.
void say_moment(json::object& body, std::string_view name)
{
    auto* seconds = body.if_contains(name);
    if (seconds != nullptr && seconds->is_int64()) *seconds = rfc3339(seconds->get_int64() * 1'000'000);
}

Result<int> restore_tag(CtlRun& run)
{
    TRY(auto body, run.body());
    say_moment(body, "at");
    if (body.size() != 1) return fail(Errc::bad_request, "say either --digest or --at");
    TRY(const auto path, run.path(std::string{one_tag} + "/restore"));
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", path, body));
    CHECK(run.print_change(answer, said_text(run, "{artifact}: taken back")));
    return ctl_exit::success;
}

Result<int> list_tags_at(CtlRun& run)
{
    TRY(auto path, run.path("projects/{repository:project}/repositories/{repository:repository}/tags"));
    if (run.has("at")) {
        TRY(const auto at, run.path("{at}"));
        path += "?at=" + at;
    }
    CHECK(run.print_list(path, snapshot_columns));
    return ctl_exit::success;
}

Result<int> expire_tag(CtlRun& run)
{
    TRY(auto body, run.body());
    if (body.empty()) body["expires_at"] = nullptr;
    say_moment(body, "expires_at");
    TRY(const auto path, run.path(std::string{one_tag} + "/expiry"));
    TRY(auto* const api, run.api());
    CHECK(api->call("PUT", path, body));
    run.say(said_text(run, run.has("at") ? "{artifact}: goes by itself at its time" : "{artifact}: does not expire"));
    return ctl_exit::success;
}

Result<int> run_retention(CtlRun& run)
{
    const json::object body{{"dry_run", run.has("dry-run")}, {"confirm_all", run.has("confirm-all")}};
    if (!run.has("dry-run")) CHECK(run.confirm(said_text(run, "remove what no rule of project {project} keeps")));
    TRY(const auto path, run.path("retentions/{project:retention}/executions"));
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", path, body));
    CHECK(run.print_change(answer, said_text(run, "project {project}: a run has begun")));
    return ctl_exit::success;
}

Result<int> report_retention(CtlRun& run)
{
    TRY(const auto path, run.path("retentions/{project:retention}/executions/{run}/tasks"));
    if (!run.has("repository")) {
        CHECK(run.print_list(path, task_columns));
        return ctl_exit::success;
    }
    TRY(auto* const api, run.api());
    const auto wanted = fmt::format("{}/{}", run.value("project"), run.value("repository"));
    TRY(const auto task, find_entry(*api, path, "repository", wanted, "id", "report of"));
    TRY(const auto answer, api->call("GET", fmt::format("{}/{}", path, task)));
    run.io().out(std::string{answer.body.as_string()});
    return ctl_exit::success;
}

Result<int> check_pushes(CtlRun& run)
{
    TRY(const auto path, run.path("projects/{project}/pushpolicies/check"));
    TRY(auto* const api, run.api());
    TRY(const auto found, api->get(path));
    const auto* refusals = found.is_object() ? find_field(found.as_object(), "refusals") : nullptr;
    CHECK(run.print_rows(
        refusals != nullptr && refusals->is_array() ? refusals->as_array() : json::array{}, refusal_columns
    ));
    return ctl_exit::success;
}

std::vector<CtlCommand> immutability()
{
    return {
        {.path = "immutable list",
         .text = "lists a project's immutability rules",
         .arguments = {project},
         .traits = ctl_listing,
         .run = [](CtlRun& run) { return list_rules(run, "projects/{project}/immutabletagrules", rule_columns); }},
        {.path = "immutable add",
         .text = "makes tags immutable: they can neither be moved nor deleted",
         .arguments = {project},
         .options = {of_tags, of_repositories},
         .traits = ctl_showing,
         .run = add_immutable,
         .example = "entrepot ctl immutable add shop --tags 'v*'"},
        {.path = "immutable remove",
         .text = "removes an immutability rule",
         .arguments = {project, {.name = "rule", .text = "the rule's id"}},
         .traits = ctl_deleting,
         .run = delete_at(
             "projects/{project}/immutabletagrules/{rule}",
             "the immutability rule {rule} of project {project}",
             "project {project}: rule {rule} is gone"
         )},
        {.path = "push-policy list",
         .text = "lists what a project demands of what is pushed",
         .arguments = {project},
         .traits = ctl_listing,
         .run = [](CtlRun& run) { return list_rules(run, "projects/{project}/pushpolicies", policy_columns); }},
        {.path = "push-policy check",
         .text = "lists what of a project would be refused if it were pushed now",
         .arguments = {project},
         .traits = ctl_showing,
         .run = check_pushes},
    };
}

std::vector<CtlCommand> history()
{
    const CtlOption at{.name = "at", .value = "TIME", .text = "a moment", .field = "at", .kind = CtlValue::moment};
    return {
        {.path = "tag history",
         .text = "shows what a tag pointed at, the newest first",
         .arguments = {tagged},
         .traits = ctl_listing,
         .run = list_of(
             "projects/{artifact:project}/repositories/{artifact:repository}/tags/{artifact:reference}/history",
             history_columns
         )},
        {.path = "tag restore",
         .text = "points a tag at what it pointed at before",
         .arguments = {tagged},
         .options = {{.name = "digest", .value = "DIGEST", .text = "what it pointed at", .field = "digest"}, at},
         .traits = ctl_showing,
         .run = restore_tag,
         .example = "entrepot ctl tag restore web/app:latest --at 2026-11-21T10:00:00Z"},
        {.path = "tag snapshot",
         .text = "lists a repository's tags as they were at a time, or are now",
         .arguments = {{.name = "repository", .text = "PROJECT/REPOSITORY"}},
         .options = {{.name = "at", .value = "TIME", .text = "such as 2026-11-21T10:00:00Z"}},
         .traits = ctl_listing,
         .run = list_tags_at},
        {.path = "tag expire",
         .text = "has a tag go by itself at a time; without one, not any more",
         .arguments = {tagged},
         .options = {{.name = "at", .value = "TIME", .text = "when", .field = "expires_at", .kind = CtlValue::moment}},
         .traits = ctl_showing,
         .run = expire_tag},
    };
}

std::vector<CtlCommand> retention()
{
    return {
        {.path = "retention show",
         .text = "shows a project's retention policy",
         .arguments = {project},
         .traits = ctl_showing,
         .run = show_of("retentions/{project:retention}", retention_card)},
        {.path = "retention run",
         .text = "removes what no rule keeps, or says what that would be",
         .arguments = {project},
         .options =
             {{.name = "dry-run", .text = "only say what would go"},
              {.name = "confirm-all", .text = "also when nothing would be left"}},
         .traits = ctl_deleting,
         .run = run_retention,
         .example = "entrepot ctl retention run shop --dry-run"},
        {.path = "retention runs",
         .text = "lists the runs of a project's policy, the newest first",
         .arguments = {project},
         .traits = ctl_listing,
         .run = list_of("retentions/{project:retention}/executions", run_columns)},
        {.path = "retention report",
         .text = "shows what a run did, or would do: by repository, or of one of them tag by tag",
         .arguments = {project, run_id},
         .options = {{.name = "repository", .value = "NAME", .text = "this one's tags, and why each went or stayed"}},
         .traits = ctl_listing,
         .run = report_retention},
        {.path = "retention stop",
         .text = "stops a run",
         .arguments = {project, run_id},
         .traits = ctl_showing,
         .run = send_to(
             "PATCH",
             "retentions/{project:retention}/executions/{run}",
             "project {project}: run {run} is stopped",
             {{"action", "stop"}}
         )},
    };
}

}  // namespace

std::vector<CtlCommand> rule_commands()
{
    auto all = history();
    for (auto& command : immutability()) all.push_back(std::move(command));
    for (auto& command : retention()) all.push_back(std::move(command));
    return all;
}

}  // namespace entrepot

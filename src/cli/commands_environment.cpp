#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"

#include <boost/json/array.hpp>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns step_columns{
    {"ID", "id"},
    {"NAME", "name"},
    {"FROM", "from"},
    {"TO", "to"},
    {"TRIGGER", "trigger"},
    {"GATES", "shown_gates"},
    {"APPROVALS", "approvals"},
    {"DISABLED", "disabled"},
};
const CtlColumns stage_columns{
    {"PROJECT", "project"},
    {"ENVIRONMENT", "environment"},
    {"THERE", "there"},
    {"AS", "shown_places"},
    {"PROMOTION", "promotion_id"},
    {"STATE", "promotion_state"},
    {"APPROVALS", "shown_approvals"},
    {"WAITING FOR", "shown_gates"},
};
const CtlColumns check_columns{
    {"NAME", "name"},
    {"STATE", "state"},
    {"SUMMARY", "summary"},
    {"URL", "url"},
    {"WHO", "reporter"},
    {"WHEN", "report_time"},
};

constexpr std::string_view checks_of_artifact =
    "projects/{artifact:project}/repositories/{artifact:repository}/artifacts/{artifact:reference}/checks";
constexpr std::string_view one_check =
    "projects/{artifact:project}/repositories/{artifact:repository}/artifacts/{artifact:reference}/checks/{check}";

const CtlArgument artifact{.name = "artifact", .text = "PROJECT/REPOSITORY:TAG or PROJECT/REPOSITORY@DIGEST"};
const CtlArgument check{.name = "check", .text = "the check's name, as `e2e`"};

const json::array& array_in(const json::object& object, std::string_view name)
{
    static const json::array nothing;
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_array() ? value->get_array() : nothing;
}

std::string text_in(const json::object& object, std::string_view name)
{
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string{value->get_string()} : std::string{};
}

std::int64_t number_in(const json::object& object, std::string_view name)
{
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

void append(std::string& list, std::string_view text)
{
    list.append(list.empty() ? "" : ", ").append(text);
}

Result<int> show_pipeline(CtlRun& run)
{
    TRY(auto* const api, run.api());
    TRY(const auto path, run.path("projects/{project}/pipeline"));
    TRY(const auto answer, api->call("GET", path));
    if (!answer.body.is_object()) return fail(Errc::corrupt, "the server's answer is no pipeline");
    const auto& pipeline = answer.body.get_object();
    const auto shown = [&](const std::string& project) {
        for (const auto& stage : array_in(pipeline, "stages")) {
            const auto environment = text_in(stage.as_object(), "environment");
            if (text_in(stage.as_object(), "project") != project || environment.empty()) continue;
            return fmt::format("{} ({})", project, environment);
        }
        return project;
    };
    json::array rows;
    for (const auto& step : array_in(pipeline, "steps")) {
        auto row = step.as_object();
        row["from"] = shown(text_in(row, "project"));
        row["to"] = shown(text_in(row, "target_project"));
        std::string gates;
        for (const auto& gate : array_in(row, "gates")) {
            auto text = text_in(gate.as_object(), "kind");
            if (const auto value = text_in(gate.as_object(), "value"); !value.empty()) text += " " + value;
            if (const auto number = number_in(gate.as_object(), "number"); number != 0)
                text += fmt::format(" {}", number);
            append(gates, text);
        }
        row["shown_gates"] = gates;
        rows.push_back(std::move(row));
    }
    CHECK(run.print_rows(rows, step_columns));
    return ctl_exit::success;
}

void show_promotion(json::object& row)
{
    const auto* promotion = row.if_contains("promotion");
    if (promotion == nullptr || !promotion->is_object()) return;
    const auto& object = promotion->get_object();
    std::string gates;
    for (const auto& why : array_in(object, "waiting_for")) append(gates, why.as_string());
    const auto approvals =
        fmt::format("{}/{}", number_in(object, "approvals_given"), number_in(object, "approvals_needed"));
    const auto id = number_in(object, "id");
    const auto state = text_in(object, "state");
    row["promotion_id"] = id;
    row["promotion_state"] = state;
    row["shown_approvals"] = approvals;
    row["shown_gates"] = gates;
}

Result<int> show_journey(CtlRun& run)
{
    TRY(auto* const api, run.api());
    TRY(const auto path,
        run.path("projects/{artifact:project}/repositories/{artifact:repository}/artifacts/{artifact:reference}/journey"
        ));
    TRY(const auto answer, api->call("GET", path));
    if (!answer.body.is_object()) return fail(Errc::corrupt, "the server's answer is no journey");
    json::array rows;
    for (const auto& stage : array_in(answer.body.get_object(), "stages")) {
        auto row = stage.as_object();
        std::string places;
        for (const auto& place : array_in(row, "places")) {
            const auto& tags = array_in(place.as_object(), "tags");
            const auto repository = text_in(place.as_object(), "repository");
            if (tags.empty()) append(places, repository);
            for (const auto& tag : tags) append(places, repository + ":" + text_in(tag.as_object(), "name"));
        }
        row["shown_places"] = places;
        show_promotion(row);
        rows.push_back(std::move(row));
    }
    CHECK(run.print_rows(rows, stage_columns));
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> environment_commands()
{
    return {
        {.path = "promotion pipeline",
         .text = "shows the steps of the chain that a project is a part of",
         .arguments = {{.name = "project", .text = "the project's name"}},
         .traits = ctl_showing,
         .run = show_pipeline},
        {.path = "promotion journey",
         .text = "shows where an artifact is along the chain, and what it waits for",
         .arguments = {artifact},
         .traits = ctl_showing,
         .run = show_journey,
         .example = "entrepot ctl promotion journey test/app:release-1.4"},
        {.path = "check list",
         .text = "lists what has been reported of an artifact",
         .arguments = {artifact},
         .traits = ctl_listing,
         .run = list_of(checks_of_artifact, check_columns)},
        {.path = "check set",
         .text = "reports the result of a check, in place of an earlier one of that name",
         .arguments = {artifact, check, {.name = "state", .text = "`running`, `passed` or `failed`", .field = "state"}},
         .options =
             {{.name = "url", .value = "URL", .text = "where more is told", .field = "url"},
              {.name = "summary", .value = "TEXT", .text = "in short", .field = "summary"}},
         .traits = ctl_showing,
         .run = send_to("PUT", one_check, "artifact {artifact}: the check {check} is {state}"),
         .example = "entrepot ctl check set test/app:release-1.4 e2e passed --url https://ci.example.org/1"},
        {.path = "check remove",
         .text = "takes a check's result back",
         .arguments = {artifact, check},
         .traits = ctl_deleting,
         .run = delete_at(one_check, "check {check}", "artifact {artifact}: the check {check} is removed")},
    };
}

}  // namespace entrepot

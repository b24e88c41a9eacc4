#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"

#include <boost/json/array.hpp>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns policy_columns{
    {"ID", "id"},
    {"NAME", "name"},
    {"TO", "target_project"},
    {"APPROVALS", "approvals"},
    {"DISABLED", "disabled"},
};
const CtlColumns promotion_columns{
    {"ID", "id"},
    {"POLICY", "policy"},
    {"TO", "target_project"},
    {"STATE", "state"},
    {"WHO", "requester"},
    {"WHEN", "creation_time"},
    {"ERROR", "error"},
};
const CtlColumns plan_columns{
    {"REPOSITORY", "repository"},
    {"TAG", "tag"},
    {"TO", "target_repository"},
    {"AS", "target_tag"},
    {"THERE", "there"},
    {"SHUT GATES", "why"},
};

const CtlArgument project{.name = "project", .text = "the project's name"};
const CtlArgument promotion{.name = "promotion", .text = "its id, as `promotion list` shows it"};
const CtlOption comment{.name = "comment", .value = "TEXT", .text = "why", .field = "comment"};
const CtlOption policy{
    .name = "policy",
    .value = "ID",
    .text = "the policy's id, as `promotion policies` shows it",
    .field = "policy_id",
    .kind = CtlValue::integer,
    .required = true
};
const CtlArgument artifacts{
    .name = "artifacts",
    .text = "REPOSITORY:TAG or REPOSITORY@DIGEST each; none: all that the policy is about",
    .optional = true,
    .repeated = true
};

// "team/app:1.2" or "team/app@sha256:…" below the project.
Result<json::object> wish_of(std::string_view text)
{
    const auto at = text.find('@');
    const auto cut = at != std::string_view::npos ? at : text.rfind(':');
    if (cut == std::string_view::npos) {
        return fail(Errc::bad_request, fmt::format("\"{}\" is no REPOSITORY:TAG and no REPOSITORY@DIGEST", text));
    }
    return json::object{{"repository", text.substr(0, cut)}, {"reference", text.substr(cut + 1)}};
}

Result<json::object> order_of(CtlRun& run)
{
    TRY(auto body, run.body());
    json::array wishes;
    for (const auto& each : run.line().all("artifacts")) {
        TRY(auto wish, wish_of(each));
        wishes.push_back(std::move(wish));
    }
    if (!wishes.empty()) body["artifacts"] = std::move(wishes);
    return body;
}

Result<int> request_promotion(CtlRun& run)
{
    TRY(const auto body, order_of(run));
    TRY(auto* const api, run.api());
    TRY(const auto path, run.path("projects/{project}/promotions"));
    TRY(const auto answer, api->call("POST", path, body));
    CHECK(run.print_change(answer, said_text(run, "project {project}: the promotion is requested")));
    return ctl_exit::success;
}

Result<int> plan_promotion(CtlRun& run)
{
    TRY(const auto body, order_of(run));
    TRY(auto* const api, run.api());
    TRY(const auto path, run.path("projects/{project}/promotions/plan"));
    TRY(const auto answer, api->call("POST", path, body));
    json::array rows;
    const auto* entries = answer.body.is_object() ? find_field(answer.body.as_object(), "artifacts") : nullptr;
    if (entries != nullptr && entries->is_array()) rows = entries->as_array();
    for (auto& row : rows) {
        std::string why;
        for (const auto& refusal : row.as_object().at("refusals").as_array()) {
            why += (why.empty() ? "" : "; ") + std::string{refusal.as_string()};
        }
        row.as_object()["why"] = why;
    }
    CHECK(run.print_rows(rows, plan_columns));
    return ctl_exit::success;
}

CtlCommand decision(std::string_view path, std::string_view text, std::string_view pattern, std::string_view said)
{
    return {
        .path = path,
        .text = text,
        .arguments = {project, promotion},
        .options = {comment},
        .traits = ctl_showing,
        .run = send_to("POST", pattern, said),
    };
}

}  // namespace

std::vector<CtlCommand> promotion_commands()
{
    return {
        {.path = "promotion policies",
         .text = "lists the steps by which artifacts leave a project for another one",
         .arguments = {project},
         .traits = ctl_listing,
         .run = list_of("projects/{project}/promotionpolicies", policy_columns)},
        {.path = "promotion list",
         .text = "lists promotions out of and into a project",
         .arguments = {project},
         .traits = ctl_listing,
         .run = list_of("projects/{project}/promotions", promotion_columns)},
        {.path = "promotion show",
         .text = "shows a promotion",
         .arguments = {project, promotion},
         .traits = ctl_showing,
         .run = show_of("projects/{project}/promotions/{promotion}", promotion_columns)},
        {.path = "promotion plan",
         .text = "tells what would be promoted, and which gates are shut; changes nothing",
         .arguments = {project, artifacts},
         .options = {policy},
         .traits = ctl_showing,
         .run = plan_promotion},
        {.path = "promotion request",
         .text = "asks for a promotion; digests are those of now",
         .arguments = {project, artifacts},
         .options = {policy, comment},
         .traits = ctl_showing,
         .run = request_promotion,
         .example = "entrepot ctl promotion request staging app:1.4 charts/app:1.4 --policy 3"},
        decision(
            "promotion approve",
            "agrees to a promotion; the last who has to carries it out",
            "projects/{project}/promotions/{promotion}/approve",
            "promotion {promotion}: approved"
        ),
        decision(
            "promotion reject",
            "refuses a promotion",
            "projects/{project}/promotions/{promotion}/reject",
            "promotion {promotion}: rejected"
        ),
        {.path = "promotion cancel",
         .text = "takes a request back",
         .arguments = {project, promotion},
         .traits = ctl_showing,
         .run = send_to("POST", "projects/{project}/promotions/{promotion}/cancel", "promotion {promotion}: cancelled")
        },
        {.path = "promotion execute",
         .text = "carries out an approved promotion that could not be for the moment",
         .arguments = {project, promotion},
         .traits = ctl_showing,
         .run =
             send_to("POST", "projects/{project}/promotions/{promotion}/execute", "promotion {promotion}: carried out")
        },
    };
}

}  // namespace entrepot

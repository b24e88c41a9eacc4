#include "cli/ctl_generic.hpp"
#include "cli/ctl_lookup.hpp"
#include "cli/ctl_run.hpp"
#include "cli/ctl_tables.hpp"

#include <boost/json/array.hpp>

#include <string>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns synchronisation_columns{
    {"ROLE", "role"},
    {"EPOCH", "epoch"},
    {"HOME", "home"},
    {"REQUIRED", "required"},
    {"FEWER", "when_fewer"},
    {"TIMEOUT", "timeout"},
};
const CtlColumns site_columns{
    {"SITE", "registry"},
    {"PROJECT", "project"},
    {"KNOWS", "knows_home"},
    {"LACKING", "lacking"},
    {"SINCE", "lacking_since"},
    {"ERROR", "last_error"},
};

const CtlArgument project{.name = "project", .text = "its name"};
constexpr std::string_view one_project = "projects/{project}/synchronisation";

const std::vector<CtlOption> lead_options{
    {.name = "site",
     .value = "ENDPOINT[=PROJECT]",
     .text = "a registry endpoint that holds it too, and the project's name there",
     .field = "sites",
     .required = true,
     .repeated = true},
    {.name = "required",
     .value = "COUNT",
     .text = "how many of the sites have to hold a push; all if left out",
     .field = "required",
     .kind = CtlValue::integer},
    {.name = "when-fewer",
     .value = "WHAT",
     .text = "what becomes of a push that fewer hold",
     .field = "when_fewer",
     .choices = {"refuse", "degrade"}},
    {.name = "timeout",
     .value = "SECONDS",
     .text = "how long each step of a push waits for the sites",
     .field = "timeout",
     .kind = CtlValue::integer},
    {.name = "home", .value = "URL", .text = "where clients push to, if not auth.external_url", .field = "home"},
};

Result<json::object> lead_body(CtlRun& run)
{
    TRY(auto body, run.body());
    TRY(auto* const api, run.api());
    json::array sites;
    const auto* given = body.if_contains("sites");
    for (const auto& entry : given != nullptr && given->is_array() ? given->as_array() : json::array{}) {
        const std::string_view text{entry.as_string()};
        const auto equals = text.find('=');
        const auto name = text.substr(0, equals);
        TRY(const auto id, find_entry(*api, "registries?" + exact_query("name", name), "name", name, "id", "registry"));
        json::object site{{"registry_id", id}};
        if (equals != std::string_view::npos) site["project"] = text.substr(equals + 1);
        sites.push_back(std::move(site));
    }
    body["sites"] = std::move(sites);
    return body;
}

Result<int> lead(CtlRun& run, std::string_view method, std::string_view pattern, std::string_view said)
{
    TRY(const auto body, lead_body(run));
    TRY(const auto path, run.path(pattern));
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call(method, path, body));
    CHECK(run.print_change(answer, said_text(run, said)));
    return ctl_exit::success;
}

Result<int> show_sites(CtlRun& run)
{
    TRY(const auto path, run.path(one_project));
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->get(path));
    const auto* sites = answer.is_object() ? answer.as_object().if_contains("sites") : nullptr;
    const auto rows = sites != nullptr && sites->is_array() ? sites->as_array() : json::array{};
    CHECK(run.print_rows(rows, site_columns));
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> synchronisation_commands()
{
    return {
        {.path = "synchronisation show",
         .text = "shows who is the home of a project that several sites hold",
         .arguments = {project},
         .traits = ctl_showing,
         .run = show_of(one_project, synchronisation_columns)},
        {.path = "synchronisation sites",
         .text = "lists the sites, and how much each lacks",
         .arguments = {project},
         .traits = ctl_showing,
         .run = show_sites},
        {.path = "synchronisation set",
         .text = "makes this registry the home of a project that others hold too",
         .arguments = {project},
         .options = lead_options,
         .traits = ctl_showing,
         .run = [](CtlRun& run) { return lead(run, "PUT", one_project, "project {project}: synchronous"); },
         .example = "entrepot ctl synchronisation set shop --site berlin --site paris --required 1"},
        {.path = "synchronisation take-over",
         .text = "makes this registry the home in the place of one that is gone",
         .arguments = {project},
         .options = lead_options,
         .traits = ctl_showing,
         .run =
             [](CtlRun& run) {
                 return lead(
                     run, "POST", "projects/{project}/synchronisation/takeover", "project {project}: taken over"
                 );
             },
         .more =
             "Name the former home among the sites, so that it learns of this when it is back. What it acknowledged "
             "alone is overruled then.",
         .example = "entrepot ctl synchronisation take-over shop --site paris --site former-home"},
        {.path = "synchronisation stop",
         .text = "makes it a project like any other",
         .arguments = {project},
         .traits = ctl_deleting,
         .run = delete_at(one_project, "synchronisation of {project}", "project {project}: no longer synchronous")},
    };
}

}  // namespace entrepot

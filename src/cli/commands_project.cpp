#include "cli/ctl_generic.hpp"
#include "cli/ctl_roles.hpp"
#include "cli/ctl_tables.hpp"
#include "cli/source_words.hpp"

#include <fmt/format.h>

namespace entrepot {
namespace {

const CtlColumns project_columns{
    {"NAME", "name"},
    {"ID", "project_id"},
    {"TENANT", "tenant_name"},
    {"PUBLIC", "metadata.public"},
    {"REPOSITORIES", "repo_count"},
    {"OWNER", "owner_name"},
    {"CREATED", "creation_time"},
};
const CtlColumns project_card{
    {"NAME", "name"},
    {"ID", "project_id"},
    {"TENANT", "tenant_name"},
    {"PUBLIC", "metadata.public"},
    {"SHARED", "shared"},
    {"FROZEN", "frozen"},
    {"PROTECTED", "protected"},
    {"REPOSITORIES", "repo_count"},
    {"OWNER", "owner_name"},
    {"CREATED", "creation_time"},
    {"CHANGED", "update_time"},
};
const CtlColumns member_columns{
    {"NAME", "entity_name"},
    {"ID", "id"},
    {"TYPE", "entity_type"},
    {"ROLE", "role_name"},
};

const CtlColumns former_name_columns{
    {"ID", "id"},
    {"NAME", "name"},
    {"LEADS TO", "leads_to"},
    {"SINCE", "rename_time"},
};

const CtlArgument project{.name = "project", .text = "the project's name"};
const CtlArgument name{.name = "name", .text = "the user's or group's name"};
const CtlOption of_project{.name = "project", .value = "NAME", .text = "the project", .required = true};

CtlOption flag(std::string_view option, std::string_view field, std::string_view text)
{
    return {
        .name = option,
        .value = "YES|NO",
        .text = text,
        .field = field,
        .kind = CtlValue::boolean,
        .choices = {"yes", "no"},
    };
}

const std::vector<CtlOption> project_flags{
    flag("public", "public", "whether anybody may pull"),
    flag("shared", "shared", "whether all tenants may pull (platform components)"),
    flag("protected", "protected", "whether it can't be deleted"),
};

const std::vector<CtlOption> source_options{
    {.name = "source",
     .value = "[?]PROJECT[=PATTERN,...]",
     .text = "where pulls look for what isn't in it, all names or those of the patterns (!PATTERN: not these); with ? "
             "it may be passed over while it can't answer; several times for several, in this order",
     .field = "sources",
     .repeated = true},
    {.name = "freshness",
     .value = "WHEN",
     .text = "of a proxy cache: when a tag that is here is compared with the upstream's",
     .field = "proxy_settings.freshness",
     .choices = {"always", "ttl", "stale_while_revalidate", "local_first"}},
    {.name = "ttl",
     .value = "SECONDS",
     .text = "of a proxy cache: how long a look at a tag is good for",
     .field = "proxy_settings.ttl",
     .kind = CtlValue::integer},
    {.name = "only",
     .value = "PATTERN",
     .text = "of a proxy cache: upstream repositories that may be fetched; several times for several",
     .field = "proxy_settings.repositories",
     .repeated = true},
    {.name = "bandwidth",
     .value = "SIZE",
     .text = "of a proxy cache: from the upstream a second, by each instance; 0: as much as goes",
     .field = "proxy_settings.bytes_per_second",
     .kind = CtlValue::size},
};

// The words of --source become what the API takes.
void name_sources(boost::json::object& body)
{
    auto* const given = body.if_contains("sources");
    if (given == nullptr || !given->is_array()) return;
    for (auto& entry : given->as_array()) {
        const std::string text{entry.as_string()};
        entry = source_in_words(text);
    }
}

// The API takes a proxy cache's settings whole: what is not given stays as it is.
Result<> keep_other_settings(CtlRun& run, boost::json::object& body)
{
    const auto* given = body.if_contains("proxy_settings");
    if (given == nullptr) return {};
    TRY(auto* const api, run.api());
    TRY(const auto path, run.path("projects/{project}"));
    TRY(const auto answer, api->call("GET", path));
    const auto* shown = answer.body.if_object();
    const auto* kept = shown == nullptr ? nullptr : shown->if_contains("proxy_settings");
    auto settings = kept != nullptr && kept->is_object() ? kept->as_object() : boost::json::object{};
    for (const auto& entry : given->as_object()) settings[entry.key()] = entry.value();
    body["proxy_settings"] = std::move(settings);
    return {};
}

// Harbor's metadata are texts.
void public_is_metadata(boost::json::object& body)
{
    const auto* found = body.if_contains("public");
    if (found == nullptr || !found->is_bool()) return;
    const bool is_public = found->as_bool();
    body.erase("public");
    set_field(body, "metadata.public", is_public ? "true" : "false");
}

Result<int> create_project(CtlRun& run)
{
    TRY(auto body, run.body());
    public_is_metadata(body);
    name_sources(body);
    TRY(auto* const api, run.api());
    if (run.has("caches")) {
        TRY(const auto registry, run.path("{caches:registry}"));
        body["registry_id"] = std::stoll(registry);
    }
    TRY(const auto answer, api->call("POST", "projects", body));
    CHECK(run.print_change(answer, said_text(run, "project {project}: created")));
    return ctl_exit::success;
}

Result<int> update_project(CtlRun& run)
{
    TRY(auto body, run.body());
    if (run.has("no-sources")) {
        if (run.has("source")) return fail(Errc::bad_request, "--source and --no-sources exclude each other");
        body["sources"] = boost::json::array{};
    }
    if (body.empty()) return fail(Errc::bad_request, "nothing to change is given");
    public_is_metadata(body);
    name_sources(body);
    CHECK(keep_other_settings(run, body));
    TRY(auto* const api, run.api());
    TRY(const auto path, run.path("projects/{project}"));
    TRY(const auto answer, api->call("PUT", path, body));
    CHECK(run.print_change(answer, said_text(run, "project {project}: changed")));
    return ctl_exit::success;
}

Result<int> add_member(CtlRun& run)
{
    TRY(const auto role, project_role_id(run.value("role")));
    boost::json::object body{{"role_id", role}};
    if (run.has("group"))
        body["member_group"] = boost::json::object{{"group_name", run.value("name")}};
    else
        body["member_user"] = boost::json::object{{"username", run.value("name")}};
    TRY(auto* const api, run.api());
    TRY(const auto path, run.path("projects/{project}/members"));
    TRY(const auto answer, api->call("POST", path, body));
    CHECK(run.print_change(answer, said_text(run, "project {project}: {name} is {role}")));
    return ctl_exit::success;
}

Result<int> set_member(CtlRun& run)
{
    TRY(const auto role, project_role_id(run.value("role")));
    TRY(auto* const api, run.api());
    TRY(const auto path, run.path("projects/{project}/members/{name:member}"));
    TRY(const auto answer, api->call("PUT", path, boost::json::object{{"role_id", role}}));
    CHECK(run.print_change(answer, said_text(run, "project {project}: {name} is {role}")));
    return ctl_exit::success;
}

std::vector<CtlCommand> projects()
{
    auto create = project_flags;
    create.pop_back();
    create.insert(
        create.begin(),
        {.name = "tenant", .value = "NAME", .text = "the tenant that it belongs to; default: default", .field = "tenant"
        }
    );
    create.push_back(
        {.name = "quota",
         .value = "SIZE",
         .text = "its quota: 10GiB, unlimited; pushes over it are refused",
         .field = "storage_limit",
         .kind = CtlValue::size}
    );
    create.push_back(
        {.name = "caches", .value = "REGISTRY", .text = "the registry endpoint that it is a proxy cache of"}
    );
    create.insert(create.end(), source_options.begin(), source_options.end());
    auto update = project_flags;
    update.insert(update.end(), source_options.begin(), source_options.end());
    update.push_back({.name = "no-sources", .text = "pulls look nowhere else any more"});
    return {
        {.path = "project list",
         .text = "lists the projects that you can see",
         .options = {{.name = "tenant", .value = "NAME", .text = "only this tenant's"}},
         .traits = ctl_listing,
         .run = [](CtlRun& run
                ) { return list_of(run.has("tenant") ? "projects?tenant={tenant}" : "projects", project_columns)(run); }
        },
        {.path = "project show",
         .text = "shows a project",
         .arguments = {project},
         .traits = ctl_showing,
         .run = show_of("projects/{project}", project_card)},
        {.path = "project create",
         .text = "makes a project",
         .arguments = {{.name = "project", .text = "the new project's name", .field = "project_name"}},
         .options = create,
         .traits = ctl_showing,
         .run = create_project,
         .example = "entrepot ctl project create web --tenant acme --quota 50GiB"},
        {.path = "project update",
         .text = "changes a project",
         .arguments = {project},
         .options = update,
         .traits = ctl_showing,
         .run = update_project,
         .example = "entrepot ctl project update base --source web --source hub=library/**"},
        {.path = "project rename",
         .text = "gives a project another name; the old one leads to it from then on",
         .arguments = {project, {.name = "to", .text = "the new name", .field = "name"}},
         .traits = ctl_showing,
         .run = send_to("POST", "projects/{project}/rename", "project {project}: is {to} now")},
        {.path = "project names",
         .text = "lists the former names that lead to a project, or to what was in it",
         .arguments = {project},
         .traits = ctl_listing,
         .run = list_of("projects/{project}/formernames", former_name_columns)},
        {.path = "project give-up-name",
         .text = "gives a former name up: others may take it from then on",
         .arguments = {project, {.name = "id", .text = "the former name's id, as `project names` shows it"}},
         .traits = ctl_deleting,
         .run = delete_at(
             "projects/{project}/formernames/{id}", "the former name {id} of {project}", "{project}: gave the name up"
         )},
        {.path = "project freeze",
         .text = "makes a project read-only",
         .arguments = {project},
         .traits = ctl_showing,
         .run = send_to("PUT", "projects/{project}", "project {project}: frozen", {{"frozen", true}})},
        {.path = "project unfreeze",
         .text = "ends that",
         .arguments = {project},
         .traits = ctl_showing,
         .run = send_to("PUT", "projects/{project}", "project {project}: no longer frozen", {{"frozen", false}})},
        {.path = "project delete",
         .text = "deletes a project that has no repositories",
         .arguments = {project},
         .traits = ctl_deleting,
         .run = delete_at("projects/{project}", "the project {project}", "project {project}: deleted")},
    };
}

std::vector<CtlCommand> members()
{
    const CtlOption role{
        .name = "role",
        .value = "ROLE",
        .text = "the role",
        .choices = project_role_names(),
        .required = true,
    };
    return {
        {.path = "member list",
         .text = "lists a project's members",
         .options = {of_project},
         .traits = ctl_listing,
         .run = list_of("projects/{project}/members", member_columns)},
        {.path = "member add",
         .text = "gives a user or a group a role in a project",
         .arguments = {name},
         .options = {of_project, role, {.name = "group", .text = "the name is a group's"}},
         .traits = ctl_showing,
         .run = add_member,
         .example = "entrepot ctl member add grace --project web --role developer"},
        {.path = "member set",
         .text = "gives a member another role",
         .arguments = {name},
         .options = {of_project, role},
         .traits = ctl_showing,
         .run = set_member},
        {.path = "member remove",
         .text = "takes a member's role away",
         .arguments = {name},
         .options = {of_project},
         .traits = ctl_deleting,
         .run = delete_at(
             "projects/{project}/members/{name:member}",
             "the membership of {name} in {project}",
             "project {project}: {name} is no member any more"
         )},
    };
}

}  // namespace

std::vector<CtlCommand> project_commands()
{
    auto all = projects();
    for (auto& command : members()) all.push_back(std::move(command));
    return all;
}

}  // namespace entrepot

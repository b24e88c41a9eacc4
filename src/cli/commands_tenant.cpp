#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"

namespace entrepot {
namespace {

const CtlColumns tenant_columns{
    {"NAME", "name"},
    {"ID", "id"},
    {"DISPLAY NAME", "display_name"},
    {"PROJECTS", "project_count"},
    {"MEMBERS", "member_count"},
    {"FROZEN", "frozen"},
    {"PROTECTED", "protected"},
    {"CREATED", "creation_time"},
};
const CtlColumns tenant_card{
    {"NAME", "name"},
    {"ID", "id"},
    {"DISPLAY NAME", "display_name"},
    {"DESCRIPTION", "description"},
    {"PROJECTS", "project_count"},
    {"MEMBERS", "member_count"},
    {"FROZEN", "frozen"},
    {"PROTECTED", "protected"},
    {"CREATED", "creation_time"},
    {"CHANGED", "update_time"},
};
const CtlColumns member_columns{
    {"USER", "username"},
    {"ID", "user_id"},
    {"NAME", "realname"},
    {"ROLES", "roles"},
    {"SINCE", "joined_time"},
};
const CtlColumns team_columns{
    {"NAME", "name"},
    {"ID", "id"},
    {"MEMBERS", "member_count"},
    {"ALL MEMBERS", "implicit"},
    {"DESCRIPTION", "description"},
};
const CtlColumns team_member_columns{
    {"USER", "username"}, {"ID", "user_id"}, {"NAME", "realname"}, {"SINCE", "added_time"}
};

const CtlArgument tenant{.name = "tenant", .text = "the tenant's name"};
const CtlArgument team{.name = "team", .text = "the team's name"};
const CtlArgument user{.name = "user", .text = "the user's name", .field = "username"};
const CtlArgument who{.name = "user", .text = "the user's name"};
const CtlOption of_tenant{.name = "tenant", .value = "NAME", .text = "the tenant", .required = true};
const CtlOption display_name{
    .name = "display-name",
    .value = "TEXT",
    .text = "what people read",
    .field = "display_name",
};
const CtlOption description{.name = "description", .value = "TEXT", .text = "what it is for", .field = "description"};
const CtlOption protect{
    .name = "protected",
    .value = "YES|NO",
    .text = "whether it can't be deleted",
    .field = "protected",
    .kind = CtlValue::boolean,
    .choices = {"yes", "no"},
};

std::vector<CtlCommand> tenants()
{
    return {
        {.path = "tenant list",
         .text = "lists the tenants that you can see",
         .traits = ctl_listing,
         .run = list_of("tenants", tenant_columns)},
        {.path = "tenant show",
         .text = "shows a tenant",
         .arguments = {tenant},
         .traits = ctl_showing,
         .run = show_of("tenants/{tenant}", tenant_card)},
        {.path = "tenant create",
         .text = "makes a tenant",
         .arguments = {{.name = "tenant", .text = "the new tenant's name", .field = "name"}},
         .options =
             {display_name,
              description,
              {.name = "admin",
               .value = "USER",
               .text = "makes this user, who is there already, a member and its admin; several times",
               .field = "admins",
               .repeated = true},
              {.name = "team-templates",
               .value = "YES|NO",
               .text = "whether it gets the teams SREs, Developers, Resource and Support",
               .field = "team_templates",
               .kind = CtlValue::boolean,
               .choices = {"yes", "no"}},
              {.name = "storage",
               .value = "SIZE",
               .text = "its quota: 1TiB, unlimited; pushes over it are refused",
               .field = "quota_bytes",
               .kind = CtlValue::size},
              {.name = "artifacts",
               .value = "COUNT",
               .text = "how many artifacts it may have; -1: any number",
               .field = "quota_artifacts",
               .kind = CtlValue::integer}},
         .traits = ctl_showing,
         .run = send_to("POST", "tenants", "tenant {tenant}: created"),
         .example = "entrepot ctl tenant create acme --display-name 'Acme Ltd' --admin ada --team-templates yes"},
        {.path = "tenant update",
         .text = "changes a tenant",
         .arguments = {tenant},
         .options = {display_name, description, protect},
         .traits = ctl_showing,
         .run = change_at("tenants/{tenant}", "tenant {tenant}: changed")},
        {.path = "tenant freeze",
         .text = "makes a tenant read-only: its people and robots pull and list, and change nothing",
         .arguments = {tenant},
         .traits = ctl_showing,
         .run = change_at("tenants/{tenant}", "tenant {tenant}: frozen", {{"frozen", true}})},
        {.path = "tenant unfreeze",
         .text = "ends that",
         .arguments = {tenant},
         .traits = ctl_showing,
         .run = change_at("tenants/{tenant}", "tenant {tenant}: no longer frozen", {{"frozen", false}})},
        {.path = "tenant delete",
         .text = "deletes a tenant that has no projects",
         .arguments = {tenant},
         .traits = ctl_deleting,
         .run = delete_at("tenants/{tenant}", "the tenant {tenant}", "tenant {tenant}: deleted")},
        {.path = "tenant member list",
         .text = "lists a tenant's members",
         .arguments = {tenant},
         .traits = ctl_listing,
         .run = list_of("tenants/{tenant}/members", member_columns)},
        {.path = "tenant member add",
         .text = "makes a user a member of a tenant",
         .arguments = {tenant, user},
         .options =
             {{.name = "role", .value = "ROLE", .text = "and gives this role, such as tenant-admin", .field = "role"}},
         .traits = ctl_showing,
         .run = send_to("POST", "tenants/{tenant}/members", "tenant {tenant}: {user} is a member"),
         .example = "entrepot ctl tenant member add acme ada --role tenant-admin"},
        {.path = "tenant member remove",
         .text = "ends a membership, and with it the places in teams and what was granted in the tenant",
         .arguments = {tenant, who},
         .traits = ctl_deleting,
         .run = delete_at(
             "tenants/{tenant}/members/{user:user}",
             "the membership of {user} in {tenant}",
             "tenant {tenant}: {user} is no member any more"
         )},
    };
}

std::vector<CtlCommand> teams()
{
    return {
        {.path = "team list",
         .text = "lists a tenant's teams",
         .options = {of_tenant},
         .traits = ctl_listing,
         .run = list_of("tenants/{tenant}/teams", team_columns)},
        {.path = "team create",
         .text = "makes a team",
         .arguments = {{.name = "team", .text = "the new team's name", .field = "name"}},
         .options = {of_tenant, description},
         .traits = ctl_showing,
         .run = send_to("POST", "tenants/{tenant}/teams", "team {team}: created"),
         .example = "entrepot ctl team create backend --tenant acme"},
        {.path = "team delete",
         .text = "deletes a team and what was granted to it",
         .arguments = {team},
         .options = {of_tenant},
         .traits = ctl_deleting,
         .run = delete_at("tenants/{tenant}/teams/{team:team}", "the team {team}", "team {team}: deleted")},
        {.path = "team member list",
         .text = "lists who is in a team",
         .arguments = {team},
         .options = {of_tenant},
         .traits = ctl_listing,
         .run = list_of("tenants/{tenant}/teams/{team:team}/members", team_member_columns)},
        {.path = "team member add",
         .text = "puts a member of the tenant into a team",
         .arguments = {team, user},
         .options = {of_tenant},
         .traits = ctl_showing,
         .run = send_to("POST", "tenants/{tenant}/teams/{team:team}/members", "team {team}: {user} is in it")},
        {.path = "team member remove",
         .text = "takes somebody out of a team",
         .arguments = {team, who},
         .options = {of_tenant},
         .traits = ctl_deleting,
         .run = delete_at(
             "tenants/{tenant}/teams/{team:team}/members/{user:user}",
             "the place of {user} in the team {team}",
             "team {team}: {user} is no longer in it"
         )},
    };
}

}  // namespace

std::vector<CtlCommand> tenant_commands()
{
    auto all = tenants();
    for (auto& command : teams()) all.push_back(std::move(command));
    return all;
}

}  // namespace entrepot

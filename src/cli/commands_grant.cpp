#include "cli/apply/apply_server.hpp"
#include "cli/ctl_generic.hpp"
#include "cli/ctl_lookup.hpp"
#include "cli/ctl_tables.hpp"
#include "core/percent.hpp"

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns role_columns{{"NAME", "name"}, {"ID", "id"}, {"BUILT IN", "builtin"}, {"DESCRIPTION", "description"}};
const CtlColumns role_card{
    {"NAME", "name"},
    {"ID", "id"},
    {"BUILT IN", "builtin"},
    {"DESCRIPTION", "description"},
    {"PERMISSIONS", "permissions"},
};
const CtlColumns grant_columns{
    {"ID", "id"},
    {"SUBJECT", "subject.kind"},
    {"NAME", "subject.name"},
    {"ROLE", "role.name"},
    {"OBJECT", "object.kind"},
    {"NAME", "object.name"},
    {"PATTERN", "object.pattern"},
    {"EXPIRES", "expires_at"},
    {"ORIGIN", "origin"},
};
const CtlColumns explanation_card{
    {"ALLOWED", "allowed"},
    {"REASON", "reason"},
    {"GRANT", "grant.id"},
    {"ROLE", "role.name"},
    {"THROUGH", "through.name"},
};

const CtlArgument role{.name = "role", .text = "the role's name"};

// "team:acme/backend" → {"kind":"team","name":"acme/backend"}; "platform" stands alone.
Result<json::object> parse_end(std::string_view text, std::string_view what)
{
    const auto colon = text.find(':');
    json::object end{{"kind", text.substr(0, colon)}};
    if (colon != text.npos && colon + 1 < text.size()) end["name"] = text.substr(colon + 1);
    if (text.empty() || (!end.contains("name") && text != "platform"))
        return fail(Errc::bad_request, fmt::format("{} is no {} such as KIND:NAME", text, what));
    return end;
}

// "acme/backend" becomes an id: a grant on its own names no tenant.
Result<> find_team_of(CtlRun& run, json::object& subject)
{
    const auto name = field_text(subject, "name");
    const auto slash = name.find('/');
    if (field_text(subject, "kind") != "team" || slash == name.npos) return {};
    TRY(auto* const api, run.api());
    const auto list = fmt::format("tenants/{}/teams", percent_encoded(name.substr(0, slash)));
    const auto team = name.substr(slash + 1);
    TRY(subject["id"], find_entry(*api, list + "?" + exact_query("name", team), "name", team, "id", "team"));
    subject.erase("name");
    return {};
}

Result<int> add_grant(CtlRun& run)
{
    TRY(auto subject, parse_end(run.value("subject"), "subject"));
    CHECK(find_team_of(run, subject));
    TRY(auto object, parse_end(run.value("object"), "object"));
    if (run.has("pattern")) object["pattern"] = run.value("pattern");
    json::object body{
        {"subject", std::move(subject)},
        {"object", std::move(object)},
        {"role", json::object{{"name", run.value("role")}}},
    };
    if (run.has("expires")) {
        TRY(const auto moment,
            ctl_value({.name = "expires", .kind = CtlValue::moment}, run.value("expires"), run.io().now()));
        if (moment.as_int64() > 0) body["expires_at"] = rfc3339(moment.as_int64() * 1'000'000);
    }
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", "grants", body));
    CHECK(run.print_change(answer, said_text(run, "{subject} has {role} on {object}")));
    return ctl_exit::success;
}

Result<int> list_grants(CtlRun& run)
{
    std::string conditions;
    for (const std::string option : {"subject", "object"}) {
        if (!run.has(option)) continue;
        TRY(const auto end, parse_end(run.value(option), option));
        const auto kind = field_text(end, "kind");
        auto name = field_text(end, "name");
        // The list knows a team by its own name.
        if (kind == "team") name = name.substr(name.find('/') + 1);
        conditions += fmt::format("{}{}_kind={}", conditions.empty() ? "" : ",", option, kind);
        if (!name.empty()) conditions += fmt::format(",{}={}", option, name);
    }
    TRY(auto* const api, run.api());
    ApplyServer server{run.io(), *api};
    CHECK(run.print_list("grants", grant_columns, conditions, [&server](json::object& grant) -> Result<> {
        const auto* id = find_field(grant, "subject.id");
        if (field_text(grant, "subject.kind") != "team" || id == nullptr || !id->is_int64()) return {};
        // A team's own name says nothing: each tenant has one called everyone.
        TRY(auto name, server.team_name(id->as_int64()));
        if (!name.empty()) set_field(grant, "subject.name", json::value(name));
        return {};
    }));
    return ctl_exit::success;
}

Result<int> explain(CtlRun& run)
{
    const auto right = run.value("permission");
    const auto colon = right.find(':');
    if (colon == right.npos)
        return fail(Errc::bad_request, fmt::format("{} is no RESOURCE:ACTION such as repository:push", right));
    TRY(const auto object, parse_end(run.value("object"), "object"));
    auto path = fmt::format(
        "permissions/explain?kind={}&resource={}&action={}",
        percent_encoded(field_text(object, "kind")),
        percent_encoded(right.substr(0, colon)),
        percent_encoded(right.substr(colon + 1))
    );
    if (object.contains("name")) path += "&object=" + percent_encoded(field_text(object, "name"));
    if (run.has("user")) path += "&user=" + percent_encoded(run.value("user"));
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->get(path));
    run.print_object(answer, explanation_card);
    return ctl_exit::success;
}

std::vector<CtlCommand> roles()
{
    return {
        {.path = "role list", .text = "lists roles", .traits = ctl_listing, .run = list_of("roles", role_columns)},
        {.path = "role show",
         .text = "shows a role and its permissions",
         .arguments = {role},
         .traits = ctl_showing,
         .run = show_of("roles/{role:role}", role_card)},
        {.path = "role create",
         .text = "makes a role",
         .arguments = {{.name = "role", .text = "the new role's name", .field = "name"}},
         .options =
             {{.name = "permission",
               .value = "KIND:RESOURCE:ACTION",
               .text = "what it allows, such as project:repository:pull; several times",
               .field = "permissions",
               .required = true,
               .repeated = true},
              {.name = "description", .value = "TEXT", .text = "what it is for", .field = "description"}},
         .traits = ctl_showing,
         .run = send_to("POST", "roles", "role {role}: created")},
        {.path = "role delete",
         .text = "deletes a role that nobody holds",
         .arguments = {role},
         .traits = ctl_deleting,
         .run = delete_at("roles/{role:role}", "the role {role}", "role {role}: deleted")},
    };
}

}  // namespace

std::vector<CtlCommand> grant_commands()
{
    constexpr std::string_view ends =
        "A subject is user:NAME, robot:NAME, workload:NAME, group:NAME or team:TENANT/NAME; an object is platform, "
        "tenant:NAME, project:NAME, repository:PROJECT with a --pattern, or a kind that other systems administer, such "
        "as "
        "partition:TENANT/CLUSTER/PARTITION.";
    auto all = roles();
    all.push_back(
        {.path = "grant list",
         .text = "lists grants",
         .options =
             {{.name = "subject", .value = "KIND:NAME", .text = "only what this one was granted"},
              {.name = "object", .value = "KIND:NAME", .text = "only what was granted on this"}},
         .traits = ctl_listing,
         .run = list_grants,
         .more = ends}
    );
    all.push_back(
        {.path = "grant add",
         .text = "gives somebody a role on something",
         .arguments = {{.name = "subject", .text = "who"}, role, {.name = "object", .text = "on what"}},
         .options =
             {{.name = "pattern", .value = "PATTERN", .text = "of a project only the repositories like this: team-a/**"
              },
              {.name = "expires", .value = "TIME", .text = "until when: 30d, 2026-12-31"}},
         .traits = ctl_showing,
         .run = add_grant,
         .more = ends,
         .example = "entrepot ctl grant add team:acme/backend developer project:web --expires 90d"}
    );
    all.push_back(
        {.path = "grant remove",
         .text = "takes a grant back",
         .arguments = {{.name = "id", .text = "its number, see: entrepot ctl grant list"}},
         .traits = ctl_deleting,
         .run = delete_at("grants/{id}", "the grant {id}", "grant {id}: removed")}
    );
    all.push_back(
        {.path = "explain",
         .text = "says why somebody may or may not do something, and by which grant",
         .arguments =
             {{.name = "permission", .text = "RESOURCE:ACTION, such as repository:push"},
              {.name = "object", .text = "on what, such as project:web"}},
         .options = {{.name = "user", .value = "NAME", .text = "whose permission; without it, your own"}},
         .traits = ctl_showing,
         .run = explain,
         .example = "entrepot ctl explain repository:push project:web --user grace"}
    );
    return all;
}

}  // namespace entrepot

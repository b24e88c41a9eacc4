#include "cli/ctl_access.hpp"
#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns robot_columns{
    {"NAME", "name"},
    {"ID", "id"},
    {"LEVEL", "level"},
    {"DISABLED", "disable"},
    {"EXPIRES", "expires_at", CtlFormat::seconds},
    {"LAST USED", "last_used_time"},
    {"CREATED", "creation_time"},
};
const CtlColumns robot_card{
    {"NAME", "name"},
    {"ID", "id"},
    {"LEVEL", "level"},
    {"DESCRIPTION", "description"},
    {"DISABLED", "disable"},
    {"EXPIRES", "expires_at", CtlFormat::seconds},
    {"LAST USED", "last_used_time"},
    {"MAY", "permissions", CtlFormat::access},
    {"CREATED", "creation_time"},
};
const CtlColumns secret_card{
    {"SECRET", "secret"},
    {"NAME", "name"},
    {"ID", "id"},
    {"EXPIRES", "expires_at", CtlFormat::seconds},
};

const CtlArgument robot{.name = "robot", .text = "the robot's name, full or the last part of it"};
const CtlOption of_project{.name = "project", .value = "NAME", .text = "of this project"};
const CtlOption of_tenant{.name = "tenant", .value = "NAME", .text = "of this tenant"};

struct Home {
    std::string_view level;
    CtlAccessHome where;
};

Result<Home> home_of(const CtlRun& run)
{
    if (run.has("project") && run.has("tenant"))
        return fail(Errc::bad_request, "a robot is one of a project or of a tenant, not of both");
    if (run.has("project")) return Home{"project", {"project", run.value("project")}};
    if (run.has("tenant")) return Home{"tenant", {"tenant", run.value("tenant")}};
    return Home{"system", {"system", "/"}};
}

// The server goes by the permissions, and would make a robot of another project or tenant.
Result<> stays_at_home(const json::array& permissions, const Home& home)
{
    for (const auto& entry : permissions) {
        const auto kind = field_text(entry.as_object(), "kind");
        const auto name = field_text(entry.as_object(), "namespace");
        const bool elsewhere = kind == home.level ? name != home.where.name : home.level == "project";
        if (home.level != "system" && elsewhere)
            return fail(
                Errc::bad_request,
                fmt::format(
                    "a robot of the {} {} may be given nothing on the {} {}", home.level, home.where.name, kind, name
                )
            );
    }
    return {};
}

Result<int> create_robot(CtlRun& run)
{
    TRY(const auto home, home_of(run));
    TRY(auto body, run.body());
    body["level"] = home.level;
    if (!body.contains("duration")) body["duration"] = 30;
    TRY(auto permissions, parse_access(run.line().all("permission"), &home.where));
    CHECK(stays_at_home(permissions, home));
    body["permissions"] = std::move(permissions);
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("POST", "robots", body));
    run.print_object(answer.body, secret_card);
    return ctl_exit::success;
}

Result<int> list_robots(CtlRun& run)
{
    TRY(const auto home, home_of(run));
    std::string condition;
    if (home.level == "project") {
        TRY(const auto id, run.path("{project:project_id}"));
        condition = "Level=project,ProjectID=" + id;
    } else if (home.level == "tenant") {
        TRY(const auto id, run.path("{tenant:tenant_id}"));
        condition = "Level=tenant,TenantID=" + id;
    }
    CHECK(run.print_list("robots", robot_columns, condition));
    return ctl_exit::success;
}

// The robot's new secret; the old one goes on for as long as the server says, so that nothing stands still.
Result<int> rotate(CtlRun& run)
{
    TRY(const auto path, run.path("robots/{robot:robot}"));
    json::object body;
    if (run.has("secret-stdin")) {
        TRY(body["secret"], run.secret("secret", nullptr, {}));
    }
    if (run.has("overlap")) {
        const auto seconds =
            run.value("overlap") == "0" ? std::optional<std::int64_t>{0} : parse_ctl_duration(run.value("overlap"));
        if (!seconds)
            return fail(
                Errc::bad_request, fmt::format("--overlap {}: that is no time such as 12h", run.value("overlap"))
            );
        body["overlap_seconds"] = *seconds;
    }
    TRY(auto* const api, run.api());
    TRY(auto answer, api->call("PATCH", path, body));
    if (run.has("secret-stdin")) {
        run.say(said_text(run, "robot {robot}: has a new secret"));
        return ctl_exit::success;
    }
    if (answer.body.is_object()) answer.body.as_object()["name"] = run.value("robot");
    const CtlColumns columns{{"SECRET", "secret"}, {"NAME", "name"}};
    run.print_object(answer.body, columns);
    return ctl_exit::success;
}

}  // namespace

std::vector<CtlCommand> robot_commands()
{
    return {
        {.path = "robot list",
         .text = "lists robots: those of a project, of a tenant, or of the platform",
         .options = {of_project, of_tenant},
         .traits = ctl_listing,
         .run = list_robots},
        {.path = "robot show",
         .text = "shows a robot and what it may",
         .arguments = {robot},
         .options = {of_project, of_tenant},
         .traits = ctl_showing,
         .run = show_of("robots/{robot:robot}", robot_card)},
        {.path = "robot create",
         .text = "makes a robot and prints its secret, once",
         .arguments = {{.name = "robot", .text = "the new robot's name", .field = "name"}},
         .options =
             {of_project,
              of_tenant,
              {.name = "permission",
               .value = "RIGHT",
               .text =
                   "RESOURCE:ACTION where the robot is at home, or KIND/NAME:RESOURCE:ACTION elsewhere; several times",
               .required = true,
               .repeated = true},
              {.name = "expires",
               .value = "DAYS",
               .text = "after how many days its secret counts no more: 90, never; default: 30",
               .field = "duration",
               .kind = CtlValue::days},
              {.name = "description", .value = "TEXT", .text = "what it is for", .field = "description"}},
         .traits = ctl_showing,
         .run = create_robot,
         .example = "entrepot ctl robot create ci --project web --permission repository:pull --expires 90 --quiet"},
        {.path = "robot rotate",
         .text = "gives a robot a new secret and prints it, once",
         .arguments = {robot},
         .options =
             {of_project,
              of_tenant,
              {.name = "secret-stdin", .text = "read the new secret from standard input"},
              {.name = "overlap", .value = "TIME", .text = "how long the old one stays good: 12h, 0; default: 24h"}},
         .traits = ctl_showing,
         .run = rotate},
        {.path = "robot enable",
         .text = "lets a robot in again",
         .arguments = {robot},
         .options = {of_project, of_tenant},
         .traits = ctl_showing,
         .run = change_at("robots/{robot:robot}", "robot {robot}: enabled", {{"disable", false}})},
        {.path = "robot disable",
         .text = "lets a robot in no more",
         .arguments = {robot},
         .options = {of_project, of_tenant},
         .traits = ctl_showing,
         .run = change_at("robots/{robot:robot}", "robot {robot}: disabled", {{"disable", true}})},
        {.path = "robot delete",
         .text = "deletes a robot",
         .arguments = {robot},
         .options = {of_project, of_tenant},
         .traits = ctl_deleting,
         .run = delete_at("robots/{robot:robot}", "the robot {robot}", "robot {robot}: deleted")},
    };
}

}  // namespace entrepot

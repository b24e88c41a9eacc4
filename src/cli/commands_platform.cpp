#include "cli/ctl_generic.hpp"
#include "cli/ctl_tables.hpp"
#include "core/percent.hpp"

#include <boost/json/parse.hpp>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

const CtlColumns quota_columns{
    {"PROJECT", "ref.name"},
    {"STORAGE", "hard.storage", CtlFormat::bytes},
    {"USED", "used.storage", CtlFormat::bytes},
    {"ARTIFACTS", "hard.artifacts", CtlFormat::count},
    {"USED", "used.artifacts"},
};
const CtlColumns tenant_quota_card{
    {"STORAGE", "hard.storage", CtlFormat::bytes},
    {"GIVEN TO PROJECTS", "allocated.storage", CtlFormat::bytes},
    {"USED", "used.storage", CtlFormat::bytes},
    {"ARTIFACTS", "hard.artifacts", CtlFormat::count},
    {"ARTIFACTS GIVEN", "allocated.artifacts"},
    {"ARTIFACTS USED", "used.artifacts"},
};
const CtlColumns usage_columns{
    {"DAY", "day"},
    {"PROJECTS", "project_count"},
    {"ARTIFACTS", "artifact_count"},
    {"CHARGED", "charged_bytes", CtlFormat::bytes},
    {"REFERENCED", "referenced_bytes", CtlFormat::bytes},
    {"STORED", "stored_bytes", CtlFormat::bytes},
    {"SAVED", "saved_bytes", CtlFormat::bytes},
};
const CtlColumns project_usage_columns{
    {"PROJECT", "project_name"},
    {"DAYS", "days"},
    {"ARTIFACTS", "artifact_count"},
    {"CHARGED", "charged_bytes", CtlFormat::bytes},
    {"REFERENCED", "referenced_bytes", CtlFormat::bytes},
    {"STORED", "stored_bytes", CtlFormat::bytes},
    {"SAVED", "saved_bytes", CtlFormat::bytes},
};
const CtlColumns audit_columns{
    {"TIME", "op_time"},
    {"WHO", "username"},
    {"DID", "operation"},
    {"WHAT", "resource_type"},
    {"NAME", "resource"},
    {"RESULT", "result"},
    {"REQUEST", "request_id"},
};
const CtlColumns setting_columns{{"NAME", "name"}, {"VALUE", "value"}, {"EDITABLE", "editable"}};
const CtlColumns health_columns{{"PART", "name"}, {"STATUS", "status"}, {"ERROR", "error"}};

const CtlOption of_project{.name = "project", .value = "NAME", .text = "of this project"};
const CtlOption of_tenant{.name = "tenant", .value = "NAME", .text = "of this tenant"};

Result<std::string> quota_path(CtlRun& run)
{
    if (run.has("project") == run.has("tenant")) return fail(Errc::bad_request, "say --project or --tenant");
    return run.path(run.has("project") ? "quotas/{project:quota}" : "tenants/{tenant}/quota");
}

Result<int> show_quota(CtlRun& run)
{
    TRY(const auto path, quota_path(run));
    TRY(auto* const api, run.api());
    TRY(const auto quota, api->get(path));
    run.print_object(quota, run.has("project") ? quota_columns : tenant_quota_card);
    return ctl_exit::success;
}

Result<int> set_quota(CtlRun& run)
{
    TRY(const auto body, run.body());
    if (body.empty()) return fail(Errc::bad_request, "say --storage or --artifacts");
    TRY(const auto path, quota_path(run));
    TRY(auto* const api, run.api());
    TRY(const auto answer, api->call("PUT", path, body));
    CHECK(run.print_change(answer, "the quota is set"));
    return ctl_exit::success;
}

Result<int> show_usage(CtlRun& run)
{
    if (run.has("project") == run.has("tenant")) return fail(Errc::bad_request, "say --project or --tenant");
    if (run.has("project") && run.has("by-project")) return fail(Errc::bad_request, "--by-project is of a tenant");
    const auto* pattern = run.has("project")      ? "projects/{project}/usage"
                          : run.has("by-project") ? "tenants/{tenant}/usage/projects"
                                                  : "tenants/{tenant}/usage";
    TRY(auto path, run.path(pattern));
    char separator = '?';
    for (const auto* name : {"from", "to"}) {
        if (!run.has(name)) continue;
        path += fmt::format("{}{}={}", separator, name, percent_encoded(run.value(name)));
        separator = '&';
    }
    if (run.has("by-project")) {
        CHECK(run.print_list(path, project_usage_columns));
        return ctl_exit::success;
    }
    TRY(auto* const api, run.api());
    TRY(const auto days, api->get(path));
    if (!days.is_array()) return fail(Errc::internal, "the days are no list");
    CHECK(run.print_rows(days.as_array(), usage_columns));
    return ctl_exit::success;
}

Result<int> list_audit(CtlRun& run)
{
    if (run.has("project") && run.has("tenant")) return fail(Errc::bad_request, "say --project or --tenant, not both");
    const auto* pattern = run.has("project")  ? "projects/{project}/auditlog-exts"
                          : run.has("tenant") ? "tenants/{tenant}/logs"
                                              : "auditlog-exts";
    TRY(const auto path, run.path(pattern));
    CHECK(run.print_list(path, audit_columns));
    return ctl_exit::success;
}

Result<int> get_config(CtlRun& run)
{
    TRY(auto* const api, run.api());
    TRY(const auto settings, api->get("configurations"));
    if (!settings.is_object()) return fail(Errc::internal, "the server's settings are no object");
    json::array rows;
    for (const auto& [name, setting] : settings.as_object()) {
        if (run.has("name") && run.value("name") != std::string_view{name}) continue;
        json::object row{{"name", name}};
        if (setting.is_object()) {
            for (const auto& [field, value] : setting.as_object()) row[field] = value;
        }
        rows.push_back(std::move(row));
    }
    if (run.has("name") && rows.empty())
        return fail(Errc::not_found, fmt::format("there is no setting {}", run.value("name")));
    if (run.has("name") && run.quiet())
        run.io().out(field_text(rows.front().as_object(), "value") + "\n");
    else
        CHECK(run.print_rows(rows, setting_columns));
    return ctl_exit::success;
}

Result<int> set_config(CtlRun& run)
{
    TRY(auto* const api, run.api());
    TRY(const auto settings, api->get("configurations"));
    const std::string name{run.value("name")};
    const auto* setting = settings.is_object() ? settings.as_object().if_contains(name) : nullptr;
    if (setting == nullptr) return fail(Errc::not_found, fmt::format("there is no setting {}", name));
    const auto* known = setting->is_object() ? setting->as_object().if_contains("value") : nullptr;
    const auto text = run.value("value");
    // What the setting is now says what it is made of.
    json::value value(text);
    if (known != nullptr && known->is_bool()) {
        TRY(value, ctl_value({.name = "value", .kind = CtlValue::boolean}, text, 0));
    } else if (known != nullptr && known->is_int64()) {
        TRY(value, ctl_value({.name = "value", .kind = CtlValue::integer}, text, 0));
    }
    CHECK(api->call("PUT", "configurations", json::object{{name, std::move(value)}}));
    run.say(said_text(run, "{name} is {value}"));
    return ctl_exit::success;
}

Result<int> status(CtlRun& run)
{
    TRY(auto* const api, run.api());
    TRY(const auto health, api->get("health"));
    if (!health.is_object()) return fail(Errc::internal, "the server's health is no object");
    const auto* parts = find_field(health.as_object(), "components");
    if (run.has("output") && run.value("output") != "table") {
        run.print_object(health, {});
    } else {
        run.say(fmt::format("{}: {}", api->context().url, field_text(health.as_object(), "status")));
        if (parts != nullptr && parts->is_array() && !run.quiet())
            CHECK(run.print_rows(parts->as_array(), health_columns));
    }
    return field_text(health.as_object(), "status") == "healthy" ? ctl_exit::success : ctl_exit::failure;
}

}  // namespace

std::vector<CtlCommand> platform_commands()
{
    return {
        {.path = "quota list",
         .text = "lists the quotas of projects",
         .traits = ctl_listing,
         .run = list_of("quotas?reference=project", quota_columns)},
        {.path = "quota show",
         .text = "shows the quota of a project or tenant, and how much it stores",
         .options = {of_project, of_tenant},
         .traits = ctl_showing,
         .run = show_quota},
        {.path = "quota usage",
         .text = "shows what a project or tenant used day by day, or with --by-project what a tenant's projects did",
         .options =
             {of_project,
              of_tenant,
              {.name = "from", .value = "DAY", .text = "the first day, such as 2026-11-01; else 31 days in all"},
              {.name = "to", .value = "DAY", .text = "the last day; else today"},
              {.name = "by-project", .text = "averages of each project, the one that was charged most first"}},
         .traits = ctl_showing,
         .run = show_usage,
         .example = "entrepot ctl quota usage --tenant acme --from 2026-11-01 --to 2026-11-30 --by-project"},
        {.path = "quota recount",
         .text = "counts anew what all quotas charge, and mends what differs; 'job log' says how it went",
         .traits = ctl_showing,
         .run = send_to(
             "POST",
             "system/quota-recount/schedule",
             "the recount has begun",
             {{"schedule", json::object{{"type", "Manual"}}}}
         )},
        {.path = "quota set",
         .text = "changes the quota of a project or tenant",
         .options =
             {of_project,
              of_tenant,
              {.name = "storage",
               .value = "SIZE",
               .text = "10GiB, unlimited",
               .field = "hard.storage",
               .kind = CtlValue::size},
              {.name = "artifacts",
               .value = "COUNT",
               .text = "how many artifacts; -1: any number",
               .field = "hard.artifacts",
               .kind = CtlValue::integer}},
         .traits = ctl_showing,
         .run = set_quota,
         .more = "Pushes over a quota are refused.",
         .example = "entrepot ctl quota set --project web --storage 50GiB"},
        {.path = "audit list",
         .text = "lists who did what, the latest first",
         .options = {of_project, of_tenant},
         .traits = ctl_listing,
         .run = list_audit,
         .example = "entrepot ctl audit list --project web --query operation=delete --limit 20"},
        {.path = "config get",
         .text = "shows settings of the platform",
         .arguments = {{.name = "name", .text = "only this one", .optional = true}},
         .traits = ctl_showing,
         .run = get_config},
        {.path = "config set",
         .text = "changes a setting of the platform",
         .arguments = {{.name = "name", .text = "the setting"}, {.name = "value", .text = "its new value"}},
         .traits = ctl_showing,
         .run = set_config,
         .example = "entrepot ctl config set self_registration false"},
        {.path = "status",
         .text = "shows whether the server and its parts are well; fails when they aren't",
         .traits = ctl_showing,
         .run = status},
    };
}

}  // namespace entrepot

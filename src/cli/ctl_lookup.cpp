#include "cli/ctl_lookup.hpp"

#include "cli/ctl_run.hpp"
#include "core/percent.hpp"

#include <array>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

Result<std::string> as_text(Result<std::int64_t> id)
{
    TRY(const auto number, std::move(id));
    return std::to_string(number);
}

Result<std::string> find_user(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    return as_text(
        find_entry(*api, "users/search?username=" + percent_encoded(name), "username", name, "user_id", "user")
    );
}

Result<std::string> find_team(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    TRY(const auto list, run.path("tenants/{tenant}/teams"));
    return as_text(find_entry(*api, list + "?" + exact_query("name", name), "name", name, "id", "team"));
}

Result<std::string> find_group(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    return as_text(
        find_entry(*api, "usergroups/search?groupname=" + percent_encoded(name), "group_name", name, "id", "group")
    );
}

Result<std::string> find_role(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    return as_text(find_entry(*api, "roles", "name", name, "id", "role"));
}

Result<std::string> find_member(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    TRY(const auto list, run.path("projects/{project}/members"));
    return as_text(find_entry(*api, list, "entity_name", name, "id", "member"));
}

Result<std::string> find_token(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    return as_text(find_entry(*api, "users/current/tokens", "name", name, "id", "token"));
}

Result<std::string> find_project(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    TRY(const auto project, api->get("projects/" + percent_encoded(name)));
    return field_text(project.as_object(), "project_id");
}

Result<std::string> find_retention(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    TRY(const auto project, api->get("projects/" + percent_encoded(name)));
    auto id = field_text(project.as_object(), "metadata.retention_id");
    if (id.empty() || id == "null") {
        return fail(Errc::not_found, fmt::format("the project {} has no retention policy", name));
    }
    return id;
}

Result<std::string> find_tenant(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    TRY(const auto tenant, api->get("tenants/" + percent_encoded(name)));
    return field_text(tenant.as_object(), "id");
}

// What of a full name says where the robot is at home, as its list is asked for; nothing where it is a system's robot
// or only the last part of a name.
Result<std::string> robots_of(CtlRun& run, std::string_view name)
{
    const auto plus = name.rfind('+');
    if (plus == name.npos) return std::string{};
    auto home = name.substr(0, plus);
    if (const auto prefix = home.find('$'); prefix != home.npos) home.remove_prefix(prefix + 1);
    if (home.starts_with('@')) {
        TRY(const auto id, find_tenant(run, home.substr(1)));
        return "?q=" + percent_encoded("Level=tenant,TenantID=" + id);
    }
    TRY(const auto id, find_project(run, home));
    return "?q=" + percent_encoded("Level=project,ProjectID=" + id);
}

// A robot goes by its full name ("robot$ci", "robot$project+ci") or, with --project or --tenant, by its own part of it.
Result<std::string> find_robot(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    std::string list = "robots";
    if (run.has("project")) {
        TRY(const auto id, find_project(run, run.value("project")));
        list += "?q=" + percent_encoded("Level=project,ProjectID=" + id);
    } else if (run.has("tenant")) {
        TRY(const auto id, find_tenant(run, run.value("tenant")));
        list += "?q=" + percent_encoded("Level=tenant,TenantID=" + id);
    } else {
        TRY(const auto of, robots_of(run, name));
        list += of;
    }
    std::string found;
    CHECK(api->each(list, 0, [&](const json::object& robot) -> Result<> {
        const auto full = field_text(robot, "name");
        const auto mark = full.find_last_of("$+");
        if (full == name || (mark != full.npos && full.substr(mark + 1) == name)) found = field_text(robot, "id");
        return {};
    }));
    if (found.empty()) return fail(Errc::not_found, fmt::format("there is no robot {}", name));
    return found;
}

Result<std::string> find_label(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    std::string list = "labels?scope=g";
    if (run.has("project")) {
        TRY(const auto id, find_project(run, run.value("project")));
        list = "labels?scope=p&project_id=" + id;
    }
    list += "&name=" + percent_encoded(name);
    return as_text(find_entry(*api, list, "name", name, "id", "label"));
}

Result<std::string> find_webhook(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    TRY(auto list, run.path(run.has("project") ? "projects/{project}/webhook/policies" : "system/webhook/policies"));
    list += "?" + exact_query("name", name);
    return as_text(find_entry(*api, list, "name", name, "id", "webhook"));
}

Result<std::string> find_registry(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    return as_text(find_entry(*api, "registries?" + exact_query("name", name), "name", name, "id", "registry"));
}

Result<std::string> find_replication(CtlRun& run, std::string_view name)
{
    TRY(auto* const api, run.api());
    const auto list = "replication/policies?" + exact_query("name", name);
    return as_text(find_entry(*api, list, "name", name, "id", "replication policy"));
}

Result<std::string> find_quota(CtlRun& run, std::string_view project)
{
    TRY(auto* const api, run.api());
    TRY(const auto id, find_project(run, project));
    std::string found;
    CHECK(api->each("quotas?reference=project&reference_id=" + id, 0, [&](const json::object& quota) -> Result<> {
        if (field_text(quota, "ref.id") == id || field_text(quota, "ref.name") == project)
            found = field_text(quota, "id");
        return {};
    }));
    if (found.empty()) return fail(Errc::not_found, fmt::format("there is no quota of project {}", project));
    return found;
}

Result<std::string> project_part(CtlRun& /*run*/, std::string_view text)
{
    TRY(const auto name, parse_artifact_name(text));
    return percent_encoded(name.project);
}

// Encoded twice, as Harbor's API wants it.
Result<std::string> repository_part(CtlRun& /*run*/, std::string_view text)
{
    TRY(const auto name, parse_artifact_name(text));
    return percent_encoded(percent_encoded(name.repository));
}

Result<std::string> reference_part(CtlRun& /*run*/, std::string_view text)
{
    TRY(const auto name, parse_artifact_name(text));
    if (name.reference.empty()) return fail(Errc::bad_request, fmt::format("{}: a tag or a digest is missing", text));
    return percent_encoded(name.reference);
}

struct Lookup {
    std::string_view name;
    Result<std::string> (*find)(CtlRun& run, std::string_view text);
};

constexpr std::array lookups{
    Lookup{"user", find_user},
    Lookup{"team", find_team},
    Lookup{"group", find_group},
    Lookup{"role", find_role},
    Lookup{"member", find_member},
    Lookup{"robot", find_robot},
    Lookup{"token", find_token},
    Lookup{"label", find_label},
    Lookup{"webhook", find_webhook},
    Lookup{"registry", find_registry},
    Lookup{"replication", find_replication},
    Lookup{"quota", find_quota},
    Lookup{"project_id", find_project},
    Lookup{"tenant_id", find_tenant},
    Lookup{"retention", find_retention},
    Lookup{"project", project_part},
    Lookup{"repository", repository_part},
    Lookup{"reference", reference_part},
};

}  // namespace

Result<std::string> ctl_lookup(CtlRun& run, std::string_view what, std::string_view text)
{
    for (const auto& lookup : lookups) {
        if (lookup.name == what) return lookup.find(run, text);
    }
    return fail(Errc::internal, fmt::format("no look-up is called {}", what));
}

Result<CtlArtifactName> parse_artifact_name(std::string_view text)
{
    CtlArtifactName name;
    const auto at = text.find('@');
    if (at != text.npos) {
        name.reference = text.substr(at + 1);
        text = text.substr(0, at);
    }
    const auto colon = text.rfind(':');
    if (colon != text.npos) {
        if (at == std::string_view::npos) name.reference = text.substr(colon + 1);
        text = text.substr(0, colon);
    }
    const auto slash = text.find('/');
    name.project = text.substr(0, slash);
    if (slash != text.npos) name.repository = text.substr(slash + 1);
    if (name.project.empty() || name.repository.empty())
        return fail(Errc::bad_request, fmt::format("{} is no PROJECT/REPOSITORY", text));
    return name;
}

std::string exact_query(std::string_view field, std::string_view name)
{
    return "q=" + percent_encoded(fmt::format("{}={}", field, name));
}

Result<std::int64_t> find_entry(
    CtlApi& api,
    const std::string& list,
    std::string_view field,
    std::string_view name,
    std::string_view id,
    std::string_view noun
)
{
    std::int64_t found = 0;
    CHECK(api.each(list, 0, [&](const json::object& entry) -> Result<> {
        const auto* value = find_field(entry, id);
        if (field_text(entry, field) == name && value != nullptr && value->is_int64()) found = value->as_int64();
        return {};
    }));
    if (found == 0) return fail(Errc::not_found, fmt::format("there is no {} {}", noun, name));
    return found;
}

}  // namespace entrepot

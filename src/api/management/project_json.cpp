#include "api/management/project_json.hpp"

#include "api/management/json_append.hpp"
#include "api/management/project_sources_json.hpp"
#include "tenancy/project_metadata.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::size_t most_cves = 10'000;

// What is kept is an object of our own making, {"items":[…],…}, or nothing.
void append_allowlist(std::string& out, const Project& project)
{
    append_name(out, "cve_allowlist");
    out += '{';
    append_field(out, "id", project.id);
    append_field(out, "project_id", project.id);
    append_time(out, "creation_time", project.created_at);
    append_time(out, "update_time", project.updated_at);
    const auto stored = project.metadata.find(allowlist_metadata);
    const std::string_view kept = stored == project.metadata.end() ? std::string_view{} : stored->second;
    out += kept.size() > 2 ? "," + std::string{kept.substr(1)} : R"(,"items":[]})";
}

// Kept as {"items":[{"cve_id"}],"expires_at"}.
Result<std::string> stored_allowlist(const JsonBody& body)
{
    TRY(const auto items, body.objects("items"));
    TRY(const auto expires_at, body.optional_integer("expires_at"));
    if (items.size() > most_cves) return fail(Errc::bad_request, "cve_allowlist has too many items");
    json::array kept;
    for (const auto& item : items) {
        TRY(auto id, item.text("cve_id"));
        if (id.empty() || id.size() > 128) return fail(Errc::bad_request, "a cve_id has from 1 to 128 bytes");
        kept.push_back(json::object{{"cve_id", std::move(id)}});
    }
    json::object allowlist{{"items", std::move(kept)}};
    if (expires_at) allowlist["expires_at"] = *expires_at;
    return json::serialize(allowlist);
}

// Metadata are texts in Harbor's model; true and false are taken as such too.
Result<std::string> metadata_text(std::string_view name, const json::value& value)
{
    if (value.is_bool()) return std::string{value.get_bool() ? "true" : "false"};
    if (value.is_int64()) return std::to_string(value.get_int64());
    if (value.is_string()) return std::string{value.get_string()};
    return fail(Errc::bad_request, "the metadata \"" + std::string{name} + "\" is not a text");
}

}  // namespace

std::vector<std::pair<std::string_view, std::string_view>> shown_metadata(const Project& project)
{
    std::vector<std::pair<std::string_view, std::string_view>> shown{{"public", project.is_public ? "true" : "false"}};
    if (project.shared) shown.emplace_back("shared", "true");
    for (const auto& [name, value] : project.metadata) {
        if (!name.starts_with('.')) shown.emplace_back(name, value);
    }
    return shown;
}

std::string metadata_json(const Project& project)
{
    std::string out = "{";
    for (const auto& [name, value] : shown_metadata(project)) append_field(out, name, value);
    return out += '}';
}

void append_project(std::string& out, const Project& project, const ProjectView& view)
{
    out += '{';
    append_field(out, "project_id", project.id);
    append_field(out, "owner_id", project.owner_id);
    append_field(out, "owner_name", project.owner_name);
    append_field(out, "name", project.name);
    append_time(out, "creation_time", project.created_at);
    append_time(out, "update_time", project.updated_at);
    append_flag(out, "deleted", false);
    if (project.registry_id != 0) {
        append_field(out, "registry_id", project.registry_id);
        append_name(out, "proxy_settings");
        out += project.proxy_settings.empty() ? "{}" : project.proxy_settings;
    }
    if (!view.sources.empty()) {
        append_name(out, "sources");
        out += view.sources;
    }
    append_name(out, "metadata");
    out += metadata_json(project);
    append_field(out, "tenant_id", project.tenant_id);
    append_field(out, "tenant_name", project.tenant_name);
    append_flag(out, "shared", project.shared);
    append_flag(out, "frozen", project.frozen);
    append_flag(out, "protected", project.is_protected);
    if (view.detail) {
        append_flag(out, "togglable", view.togglable);
        append_field(out, "repo_count", project.repository_count);
        append_field(out, "artifact_count", project.artifact_count);
        append_allowlist(out, project);
        append_field(out, "current_user_role_id", view.role_id);
        append_name(out, "current_user_role_ids");
        out += view.role_id == 0 ? "[]" : "[" + std::to_string(view.role_id) + "]";
    }
    out += '}';
}

std::string project_json(const Project& project, const ProjectView& view)
{
    std::string out;
    append_project(out, project, view);
    return out;
}

std::string project_record(const Project& project)
{
    auto out = project_json(project, {.detail = false, .sources = sources_record(project)});
    out.back() = ',';
    return out += R"("quota":)" + json::serialize(hard_json(project)) + "}";
}

Result<ProjectSettings> project_settings_of(const JsonBody& body)
{
    ProjectSettings settings;
    TRY(settings.is_public, body.optional_boolean("public"));
    TRY(settings.shared, body.optional_boolean("shared"));
    TRY(const auto metadata, body.optional_object("metadata"));
    if (metadata) {
        for (const auto& entry : metadata->raw()) {
            if (entry.value().is_null()) continue;
            const std::string_view name = entry.key();
            TRY(auto text, metadata_text(name, entry.value()));
            if (name != "public" && name != "shared") {
                // Names that nobody knows are passed over, as everywhere in a body.
                if (is_project_metadata(name)) settings.metadata.emplace(name, kept_metadata(text));
                continue;
            }
            CHECK(check_project_metadata(name, text));
            (name == "public" ? settings.is_public : settings.shared) = kept_metadata(text) == "true";
        }
    }
    TRY(const auto allowlist, body.optional_object("cve_allowlist"));
    if (allowlist) {
        TRY(auto stored, stored_allowlist(*allowlist));
        settings.metadata.emplace(allowlist_metadata, std::move(stored));
    }
    return settings;
}

json::object hard_json(const Project& project)
{
    return {{"storage", project.quota_bytes}, {"artifacts", project.quota_artifacts}};
}

json::object used_json(const Project& project)
{
    return {{"storage", project.bytes}, {"artifacts", project.artifact_count}};
}

}  // namespace entrepot

#include "api/management/project_json.hpp"

#include "core/clock.hpp"
#include "tenancy/project_metadata.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::size_t most_cves = 10'000;

json::object allowlist_json(const Project& project, const json::storage_ptr& memory)
{
    json::object allowlist(memory);
    if (const auto stored = project.metadata.find(allowlist_metadata); stored != project.metadata.end()) {
        boost::system::error_code error;
        auto value = json::parse(stored->second, error, memory);
        if (!error && value.is_object()) allowlist = std::move(value.get_object());
    }
    allowlist["id"] = project.id;
    allowlist["project_id"] = project.id;
    if (!allowlist.contains("items")) allowlist["items"] = json::array{};
    allowlist["creation_time"] = rfc3339(project.created_at);
    allowlist["update_time"] = rfc3339(project.updated_at);
    return allowlist;
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

json::object metadata_json(const Project& project, const json::storage_ptr& memory)
{
    json::object metadata(memory);
    metadata.emplace("public", project.is_public ? "true" : "false");
    if (project.shared) metadata["shared"] = "true";
    for (const auto& [name, value] : project.metadata) {
        if (!name.starts_with('.')) metadata[name] = value;
    }
    return metadata;
}

json::object project_json(const Project& project, const ProjectView& view, const json::storage_ptr& memory)
{
    json::object object(memory);
    object.reserve(19);
    const auto put = [&](std::string_view name, auto&& value) {
        object.emplace(name, std::forward<decltype(value)>(value));
    };
    put("project_id", project.id);
    put("owner_id", project.owner_id);
    put("owner_name", project.owner_name);
    put("name", project.name);
    put("creation_time", rfc3339(project.created_at));
    put("update_time", rfc3339(project.updated_at));
    put("deleted", false);
    put("metadata", metadata_json(project, memory));
    put("tenant_id", project.tenant_id);
    put("tenant_name", project.tenant_name);
    put("shared", project.shared);
    put("frozen", project.frozen);
    put("protected", project.is_protected);
    if (!view.detail) return object;
    put("togglable", view.togglable);
    put("repo_count", project.repository_count);
    put("artifact_count", project.artifact_count);
    put("cve_allowlist", allowlist_json(project, memory));
    put("current_user_role_id", view.role_id);
    json::array roles(memory);
    if (view.role_id != 0) roles.push_back(view.role_id);
    put("current_user_role_ids", std::move(roles));
    return object;
}

std::string project_record(const Project& project)
{
    auto object = project_json(project, {.detail = false});
    object["quota"] = hard_json(project);
    return json::serialize(object);
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

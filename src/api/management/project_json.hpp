#pragma once

#include "api/management/api_values.hpp"
#include "tenancy/projects.hpp"

namespace entrepot {

// A project as Harbor's API shows it, with the caller's own role in it.
struct ProjectView {
    bool detail = true;        // counts, roles and the CVE allow-list as well
    std::int64_t role_id = 0;  // the caller's; 0: none of Harbor's
    bool togglable = false;    // the caller may change it
    std::string sources{};     // sources_json(); empty: left out
};
void append_project(std::string& out, const Project& project, const ProjectView& view);
std::string project_json(const Project& project, const ProjectView& view);
// Without what depends on who looks: for audit records.
std::string project_record(const Project& project);

// The metadata of a project with what has columns of its own.
std::vector<std::pair<std::string_view, std::string_view>> shown_metadata(const Project& project);
std::string metadata_json(const Project& project);

// What a body's "metadata" and "cve_allowlist" say. bad_request.
struct ProjectSettings {
    std::optional<bool> is_public{};
    std::optional<bool> shared{};
    ProjectMetadata metadata{};
};
Result<ProjectSettings> project_settings_of(const JsonBody& body);

// {storage, artifacts}, as Harbor writes quotas.
boost::json::object hard_json(const Project& project);
boost::json::object used_json(const Project& project);

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "api/management/api_values.hpp"

#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// "sources" of a project's body: a list of {"project" (a name) or "project_id", "repositories", "except", "optional"};
// nullopt where it is absent. What names no project has the id 0. bad_request.
Result<std::optional<std::vector<ProjectSource>>> project_sources_of(const JsonBody& body, const AccessPolicy& policy);

// The same list, with the names of projects that the caller sees; `policy` null: without names, for records.
std::string sources_json(const std::vector<ProjectSource>& sources, const AccessPolicy* policy, const Caller* caller);

}  // namespace entrepot

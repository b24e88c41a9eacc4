#pragma once

#include "access/policy.hpp"
#include "api/management/api_values.hpp"
#include "ports/project_catalog.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// "sources" of a project's body: a list of {"project" (a name) or "project_id", "repositories", "except", "optional"};
// nullopt where it is absent. `own`: the name of the project whose sources they are. What names no project has an id
// that none has. bad_request.
Result<std::optional<std::vector<ProjectSource>>>
project_sources_of(const JsonBody& body, std::string_view own, const AccessPolicy& policy);

// The same list, with the names of projects that the caller sees; `policy` null: without names, for records.
std::string sources_json(const Project& of, const AccessPolicy* policy, const Caller* caller);

}  // namespace entrepot

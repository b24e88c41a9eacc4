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
// nullopt where it is absent. `own`: the name of the project whose sources they are. What names no project that the
// caller may know has an id that none has. bad_request.
Result<std::optional<std::vector<ProjectSource>>>
project_sources_of(const JsonBody& body, std::string_view own, const AccessPolicy& policy, const Caller& caller);

// The same list as the caller may see it: `whole` for who may change it; others see neither patterns, which tell names,
// nor projects that are hidden from them.
std::string sources_json(const Project& of, const AccessPolicy& policy, const Caller& caller, bool whole);
// For audit records.
std::string sources_record(const Project& of);

}  // namespace entrepot

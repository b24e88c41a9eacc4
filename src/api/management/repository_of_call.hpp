#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "oci/names.hpp"

#include <memory>

namespace entrepot {

// The first parts of a path: …/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/….

// The project of path[0], by its name first; where none has that name and it is a number, by id. not_found when there
// is none or the caller may not read it.
Result<std::shared_ptr<const ProjectAccess>> project_of_call(const ApiCall& call, const AccessPolicy& policy);
Result<RepositoryName> repository_of_call(const ApiCall& call, const AccessPolicy& policy);
Result<Reference> reference_of(std::string_view text);  // not_found
// "project/repository:tag" or "project/repository@sha256:…"
std::string name_of(const RepositoryName& repository, const Reference& reference);

// Fills in what the audit trail wants to know of a change there; nothing where none is kept.
void note_subject(ApiCall& call, const AccessPolicy& policy, std::string_view type, std::string resource);

}  // namespace entrepot

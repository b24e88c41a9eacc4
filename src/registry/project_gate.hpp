#pragma once

#include "access/policy.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/project_catalog.hpp"

namespace entrepot {

// Lets a push by someone who may create projects create the one that it names.
class ProjectGate {
public:
    ProjectGate(AccessPolicy& policy, ProjectCatalog& projects) : policy_{policy}, projects_{projects} {}

    // After this the repository's project exists. name_unknown when it doesn't and the identity may not create it.
    Task<> open(RepositoryName repository, Identity identity, Actor actor);

private:
    AccessPolicy& policy_;
    ProjectCatalog& projects_;
};

}  // namespace entrepot

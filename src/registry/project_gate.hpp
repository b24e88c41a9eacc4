#pragma once

#include "access/policy.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/project_catalog.hpp"

#include <functional>

namespace entrepot {

// Lets a push by someone who may create projects create the one that it names, in the default tenant.
class ProjectGate {
public:
    // Brings the policy up to date with what is committed (AccessDirectory::catch_up()).
    using CatchUp = std::function<Task<>()>;

    ProjectGate(AccessPolicy& policy, ProjectCatalog& projects, CatchUp catch_up)
        : policy_{policy}, projects_{projects}, catch_up_{std::move(catch_up)}
    {
    }

    // After this the repository's project exists. name_unknown when it doesn't and the caller may not create it.
    Task<> open(RepositoryName repository, Caller caller, Actor actor);

private:
    AccessPolicy& policy_;
    ProjectCatalog& projects_;
    CatchUp catch_up_;
};

}  // namespace entrepot

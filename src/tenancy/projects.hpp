#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/project_catalog.hpp"
#include "tenancy/access_directory.hpp"

#include <vector>

namespace entrepot {

// Projects as people manage them. Every change is in the policy's memory before it is acknowledged here.
class Projects {
public:
    Projects(ProjectCatalog& catalog, AccessPolicy& policy, AccessDirectory& directory, const Clock& clock)
        : catalog_{catalog}, policy_{policy}, directory_{directory}, clock_{clock}
    {
    }

    Task<std::vector<Project>> visible_to(Caller caller);
    Task<Project> find(ProjectName name, Caller caller);                        // not_found, also: not visible
    Task<Project> create(ProjectName name, bool is_public, Caller caller);      // conflict, denied
    Task<Project> set_public(ProjectName name, bool is_public, Caller caller);  // not_found, denied
    Task<> remove(ProjectName name, Caller caller);                             // not_found, denied, conflict

private:
    Result<> check(const ProjectName& name, const Caller& caller, Permission permission) const;
    Actor actor(const Caller& caller) const { return {.user_id = caller.identity->user_id, .at = clock_.now()}; }

    ProjectCatalog& catalog_;
    AccessPolicy& policy_;
    AccessDirectory& directory_;
    const Clock& clock_;
};

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/project_catalog.hpp"

#include <vector>

namespace entrepot {

// Projects as people manage them. Every change is in the policy's memory before it is acknowledged here.
class Projects {
public:
    Projects(ProjectCatalog& catalog, AccessPolicy& policy, const Clock& clock)
        : catalog_{catalog}, policy_{policy}, clock_{clock}
    {
    }

    // Reads all projects into the policy: at start, and when another instance changed some.
    Task<> refresh();

    Task<std::vector<Project>> visible_to(Identity identity);
    Task<Project> find(ProjectName name, Identity identity);                        // name_unknown, also: not visible
    Task<Project> create(ProjectName name, bool is_public, Identity identity);      // conflict, denied
    Task<Project> set_public(ProjectName name, bool is_public, Identity identity);  // name_unknown, denied
    Task<> remove(ProjectName name, Identity identity);                             // name_unknown, denied, conflict

private:
    bool sees(const Identity& identity, const Project& project) const;
    bool manages(const Identity& identity, const Project& project) const;
    void learn(const Project& project);
    Actor actor(const Identity& identity) const { return {.user_id = identity.user_id, .at = clock_.now()}; }
    Task<Project> managed(ProjectName name, Identity identity);

    ProjectCatalog& catalog_;
    AccessPolicy& policy_;
    const Clock& clock_;
};

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/rename_catalog.hpp"

#include <cstdint>
#include <functional>

namespace entrepot {

// Renames as people make them. Whoever renames a repository may delete it where it is and push to where it goes;
// whoever renames a project may change and delete it. Every method checks it (not_found for what the caller may not
// see, denied for what they may not do) and answers else what the catalog does; what changed is in the policy's memory
// before it is acknowledged. Safe from any loop.
class Renames {
public:
    // Brings the policy up to date with what is committed (AccessDirectory::catch_up()).
    using CatchUp = std::function<Task<>()>;

    Renames(RenameCatalog& catalog, const AccessPolicy& policy, CatchUp catch_up, const Clock& clock)
        : catalog_{catalog}, policy_{policy}, catch_up_{std::move(catch_up)}, clock_{clock}
    {
    }

    Task<> rename_repository(Caller caller, RepositoryName from, RepositoryName into);
    Task<> rename_project(Caller caller, std::int64_t id, ProjectName name);
    // `leads_to` is empty where the caller may not see what it is.
    Task<ListPage<FormerName>> former_names(Caller caller, std::int64_t project_id, ListQuery query);
    Task<> give_up(Caller caller, std::int64_t project_id, std::int64_t id);

private:
    Result<> require_on(const Caller& caller, std::int64_t project_id, Permission permission) const;
    Actor actor(const Caller& caller) const { return {.user_id = caller.identity->user_id, .at = clock_.now()}; }

    RenameCatalog& catalog_;
    const AccessPolicy& policy_;
    CatchUp catch_up_;
    const Clock& clock_;
};

}  // namespace entrepot

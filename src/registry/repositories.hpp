#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/blob_store.hpp"
#include "ports/repository_catalog.hpp"

#include <functional>
#include <string>
#include <utility>

namespace entrepot {

// Repositories as people manage them. Every method checks what the caller may: not_found for what they may not see,
// denied (unauthorized for somebody anonymous) for what they may not do; besides these it answers what the catalog
// does. Safe from any loop.
class Repositories {
public:
    // Brings the policy up to date with what is committed (AccessDirectory::catch_up()).
    using CatchUp = std::function<Task<>()>;

    Repositories(
        RepositoryCatalog& catalog,
        BlobIngest& uploads,
        const AccessPolicy& policy,
        CatchUp catch_up,
        const Clock& clock
    )
        : catalog_{catalog}, uploads_{uploads}, policy_{policy}, catch_up_{std::move(catch_up)}, clock_{clock}
    {
    }

    // Of every project in which the caller may list them.
    Task<ListPage<RepositoryRecord>> all(Caller caller, ListQuery query);
    Task<ListPage<RepositoryRecord>> of_project(Caller caller, std::int64_t project_id, ListQuery query);
    Task<RepositoryRecord> find(Caller caller, RepositoryName name);
    Task<> describe(Caller caller, RepositoryName name, std::string description);
    // With everything in it.
    Task<> remove(Caller caller, RepositoryName name);

private:
    RepositoryCatalog& catalog_;
    BlobIngest& uploads_;
    const AccessPolicy& policy_;
    CatchUp catch_up_;
    const Clock& clock_;
};

// Whether the caller may do this to a repository: not_found where they may not see its project or there is none.
Result<> require_in_repository(
    const AccessPolicy& policy, const Caller& caller, Permission permission, const RepositoryName& name
);

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/check_catalog.hpp"

#include <string>

namespace entrepot {

// Results of tests and other checks of artifacts: who may read an artifact reads them, reporting takes check:create,
// taking back check:delete. Every method checks that (not_found, denied) and answers else what the catalog does. Safe
// from any loop.
class Checks {
public:
    Checks(CheckCatalog& catalog, const AccessPolicy& policy, const Clock& clock)
        : catalog_{catalog}, policy_{policy}, clock_{clock}
    {
    }

    Task<ListPage<ArtifactCheck>> list(Caller caller, RepositoryName name, Reference reference, ListQuery query);
    // bad_request
    Task<ArtifactCheck> report(Caller caller, RepositoryName name, Reference reference, ArtifactCheck check);
    Task<> remove(Caller caller, RepositoryName name, Reference reference, std::string check);

private:
    Actor actor(const Caller& caller) const { return {.user_id = caller.identity->user_id, .at = clock_.now()}; }

    CheckCatalog& catalog_;
    const AccessPolicy& policy_;
    const Clock& clock_;
};

}  // namespace entrepot

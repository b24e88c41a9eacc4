#pragma once

#include "access/promotion_gate.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <string>

namespace entrepot {

// What has been reported of artifacts: of each name the latest result. They go with the artifact. What a changing
// method acknowledges is durable. name_unknown and manifest_unknown for the artifact; unavailable, storage_full.
class CheckCatalog {
public:
    virtual ~CheckCatalog() = default;

    // In the order of names. Fields: name, state, report_time. bad_request.
    virtual Task<ListPage<ArtifactCheck>> list(RepositoryName name, Reference reference, ListQuery query) = 0;
    // In place of an earlier result of that name; answers it as it is read. precondition_failed beyond
    // ArtifactCheck::most.
    virtual Task<ArtifactCheck> report(RepositoryName name, Reference reference, ArtifactCheck check, Actor actor) = 0;
    virtual Task<> remove(RepositoryName name, Reference reference, std::string check, Actor actor) = 0;  // not_found
};

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/artifact_catalog.hpp"

#include <cstdint>

namespace entrepot {

// Artifacts and their tags and labels as people manage them. Every method checks what the caller may: not_found for
// what they may not see, denied (unauthorized for somebody anonymous) for what they may not do; besides these it
// answers what the catalog does. Safe from any loop.
class Artifacts {
public:
    Artifacts(ArtifactCatalog& catalog, const AccessPolicy& policy, const Clock& clock)
        : catalog_{catalog}, policy_{policy}, clock_{clock}
    {
    }

    Task<ListPage<ListedArtifact>>
    of_repository(Caller caller, RepositoryName name, ListQuery query, ArtifactParts parts);
    Task<ListPage<ListedArtifact>>
    of_project(Caller caller, std::int64_t project_id, ListQuery query, ArtifactParts parts, bool latest_only);
    Task<ListedArtifact> find(Caller caller, RepositoryName name, Reference reference, ArtifactParts parts);
    Task<> remove(Caller caller, RepositoryName name, Reference reference);
    // No byte moves; the caller pulls from one and pushes into the other. Answers the digest.
    Task<Digest> copy(Caller caller, RepositoryName from, Reference reference, RepositoryName into);

    Task<ListPage<TagRecord>> tags(Caller caller, RepositoryName name, Reference reference, ListQuery query);
    Task<> add_tag(Caller caller, RepositoryName name, Reference reference, Tag tag);
    Task<> remove_tag(Caller caller, RepositoryName name, Reference reference, Tag tag);

    Task<ListPage<AccessoryRecord>>
    accessories(Caller caller, RepositoryName name, Reference reference, ListQuery query);

    Task<> add_label(Caller caller, RepositoryName name, Reference reference, std::int64_t label_id);
    Task<> remove_label(Caller caller, RepositoryName name, Reference reference, std::int64_t label_id);

private:
    Actor actor(const Caller& caller) const { return {.user_id = caller.identity->user_id, .at = clock_.now()}; }

    ArtifactCatalog& catalog_;
    const AccessPolicy& policy_;
    const Clock& clock_;
};

}  // namespace entrepot

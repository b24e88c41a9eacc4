#pragma once

#include "access/policy.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/blob_catalog.hpp"
#include "registry/project_gate.hpp"

#include <optional>

namespace entrepot {

// Brings a blob that another repository holds into this one without its bytes travelling.
class MountBlob {
public:
    MountBlob(BlobCatalog& links, AccessPolicy& policy, ProjectGate& gate)
        : links_{links}, policy_{policy}, gate_{gate}
    {
    }

    // True when the blob is in `into` afterwards. False when no repository that the caller may pull from holds it:
    // the caller uploads it then. Without `from` such a repository is looked for, among those that the caller's token
    // names where there is one: a mount never widens a token.
    Task<bool> operator()(RepositoryName into, std::optional<RepositoryName> from, Digest digest, Caller caller, Actor actor);

private:
    Task<std::optional<RepositoryName>> readable_holder(Digest digest, Caller caller);

    BlobCatalog& links_;
    AccessPolicy& policy_;
    ProjectGate& gate_;
};

}  // namespace entrepot

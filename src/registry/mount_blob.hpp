#pragma once

#include "access/policy.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/blob_catalog.hpp"
#include "registry/project_gate.hpp"

#include <optional>
#include <vector>

namespace entrepot {

// What came of the wish to mount a blob.
struct MountOutcome {
    enum class Kind {
        mounted,      // the blob is in the repository
        upload,       // no repository that the caller may pull from holds it: the caller uploads it
        wider_token,  // the caller may pull from `source`, but the token at hand does not say so
    };
    Kind kind = Kind::upload;
    std::optional<RepositoryName> source{};
};

// Brings a blob that another repository holds into this one without its bytes travelling.
class MountBlob {
public:
    MountBlob(BlobCatalog& links, AccessPolicy& policy, ProjectGate& gate) : links_{links}, policy_{policy}, gate_{gate}
    {
    }

    // Without `from` a repository that holds the blob is looked for among those that the caller may pull from. A mount
    // never widens a token: it needs one that names the source too.
    Task<MountOutcome>
    operator()(RepositoryName into, std::optional<RepositoryName> from, Digest digest, Caller caller, Actor actor);

private:
    Task<std::vector<RepositoryName>> candidates(std::optional<RepositoryName> from, Digest digest);
    Task<bool> holds(RepositoryName repository, Digest digest);

    BlobCatalog& links_;
    AccessPolicy& policy_;
    ProjectGate& gate_;
};

}  // namespace entrepot

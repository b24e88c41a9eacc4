#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/blob_store.hpp"
#include "ports/manifest_catalog.hpp"
#include "registry/pull_ledger.hpp"

#include <cstdint>
#include <optional>

namespace entrepot {

// Reading manifests and blobs. The caller's right to the repository has been checked. Each peek_…() answers from
// memory without suspending where it can; load_…() is the same question with time. Safe from any loop.
class Pull {
public:
    // Who learns that a blob is here may rely on it for `lease` microseconds.
    Pull(
        ManifestCatalog& manifests,
        BlobCatalog& links,
        BlobReader& blobs,
        PullLedger& ledger,
        const Clock& clock,
        Micros lease
    )
        : manifests_{manifests}, links_{links}, blobs_{blobs}, ledger_{ledger}, clock_{clock}, lease_{lease}
    {
    }

    // Asking about a manifest counts as no pull, taking its bytes does.
    enum class Purpose { look, take };

    std::optional<ManifestPtr>
    peek_manifest(const RepositoryName& repository, const Reference& reference, Purpose purpose);
    // manifest_unknown, name_unknown.
    Task<ManifestPtr> load_manifest(RepositoryName repository, Reference reference, Purpose purpose);

    std::optional<BlobContent> peek_blob(const RepositoryName& repository, const Digest& digest);
    Task<BlobContent> load_blob(RepositoryName repository, Digest digest);  // blob_unknown

    // For who only asks, and so may be about to push a manifest that needs it: a promise.
    std::optional<std::uint64_t> peek_blob_size(const RepositoryName& repository, const Digest& digest);
    Task<std::uint64_t> load_blob_size(RepositoryName repository, Digest digest);  // blob_unknown

private:
    ManifestCatalog& manifests_;
    BlobCatalog& links_;
    BlobReader& blobs_;
    PullLedger& ledger_;
    const Clock& clock_;
    Micros lease_;
};

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/artifact_catalog.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/blob_store.hpp"
#include "ports/manifest_catalog.hpp"

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

struct Addition {
    std::string content_type;
    std::string body;
};

// Documents that lie within an artifact: the history of an image's config, the values, read-me and dependencies of a
// chart, the licence, read-me and files of a model. Read when they are asked for, from its blobs, on a pool of their
// own; a few at a time, further ones are refused. Safe from any loop.
class Additions {
public:
    struct Needs {
        ArtifactCatalog& artifacts;
        ManifestCatalog& manifests;
        BlobCatalog& links;
        BlobReader& blobs;
        const AccessPolicy& policy;
        const Clock& clock;
        asio::thread_pool& pool;
    };
    explicit Additions(const Needs& needs) : needs_{needs} {}

    // bad_request when artifacts of this kind have no such addition, not_found when this one lacks it, unprocessable
    // when it can't be read, too_many_requests.
    Task<Addition> read(Caller caller, RepositoryName name, Reference reference, std::string addition);

    // That the artifact is there and the caller may read its additions.
    Task<ListedArtifact> require_artifact(Caller caller, RepositoryName name, Reference reference);

    // The additions that artifacts of this kind have, by their names.
    static std::vector<std::string_view> names_for(std::string_view artifact_type);

private:
    Task<BlobContent> blob(RepositoryName name, Digest digest);
    Task<Addition> from_config(RepositoryName name, Manifest manifest, std::string addition);
    Task<Addition> from_chart(RepositoryName name, Manifest manifest, std::string addition);
    Task<Addition> from_model(RepositoryName name, ManifestPtr stored, std::string addition);

    Needs needs_;
    std::atomic<int> reading_{0};
};

}  // namespace entrepot

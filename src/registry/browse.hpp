#pragma once

#include "access/policy.hpp"
#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/manifest_catalog.hpp"

#include <optional>
#include <string>

namespace entrepot {

// Lists (tags, referrers, repositories) and deletes. The caller's right to the repository has been checked.
class Browse {
public:
    Browse(ManifestCatalog& manifests, BlobCatalog& links, const AccessPolicy& policy)
        : manifests_{manifests}, links_{links}, policy_{policy}
    {
    }

    std::optional<NamePagePtr> peek_tags(const RepositoryName& repository, const PageRequest& page)
    {
        return manifests_.peek_tags(repository, page);
    }
    Task<NamePagePtr> tags(RepositoryName repository, PageRequest page)  // name_unknown
    {
        return manifests_.tags(std::move(repository), std::move(page));
    }
    Task<ReferrerPage> referrers(RepositoryName repository, Digest subject, std::string artifact_type, PageRequest page)
    {
        return manifests_.referrers(
            std::move(repository), std::move(subject), std::move(artifact_type), std::move(page)
        );
    }
    // The repositories of the projects where the caller may list them.
    Task<NamePage> repositories(const Caller& caller, PageRequest page);
    // What the tags point at of the repositories whose tags the caller may list.
    Task<std::vector<TagState>> tag_states(const Caller& caller, TagRange range);
    Task<> remove_manifest(RepositoryName repository, Reference reference, Actor actor)  // manifest_unknown
    {
        return manifests_.remove(std::move(repository), std::move(reference), actor);
    }
    Task<> remove_blob(RepositoryName repository, Digest digest, Actor actor)  // blob_unknown, blob_in_use
    {
        return links_.remove(std::move(repository), std::move(digest), actor);
    }

private:
    std::optional<std::vector<std::int64_t>> projects_with_tags(const Caller& caller) const;

    ManifestCatalog& manifests_;
    BlobCatalog& links_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "ports/artifact_catalog.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/copy_site.hpp"
#include "ports/project_catalog.hpp"
#include "registry/project_gate.hpp"
#include "registry/pull.hpp"
#include "registry/push_manifest.hpp"
#include "registry/uploads.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace entrepot {

// In whose name this registry is copied from and into.
struct LocalSiteUser {
    std::int64_t user_id = 0;      // in events and histories; 0: the system
    std::int64_t tenant_id = 0;    // whose projects alone are within reach, and new ones belong to; 0: all, the default
                                   // tenant's
    std::int64_t endpoint_id = 0;  // where it comes from
};

// This registry as a place to copy from and into, by the verbs that clients' pulls and pushes go through. What comes is
// Via::replication; what goes counts as no pull. Projects that are not there are made. A frozen project
// takes nothing, nor does a proxy cache.
class LocalSite final : public CopySite {
public:
    struct Parts {
        Pull& pull;
        Uploads& uploads;
        PushManifest& push_manifest;
        ManifestCatalog& manifests;
        BlobCatalog& links;
        ProjectCatalog& projects;
        AccessPolicy& policy;
        ProjectGate::CatchUp catch_up;
        std::function<bool()> read_only;  // nothing is taken then, for now (unavailable)
        asio::thread_pool& reading;       // files; outlives this
        const Clock& clock;
    };
    LocalSite(const Parts& parts, LocalSiteUser user);

    Task<ManifestHead> look(RepositoryName repository, Reference reference) override;
    Task<CopiedManifest> manifest(RepositoryName repository, Reference reference) override;
    Task<BlobStream> blob(RepositoryName repository, Digest digest, std::uint64_t first) override;
    Task<ReferrerPage> referrers(RepositoryName repository, Digest subject, PageRequest page) override;
    Task<Listing> repositories(PageRequest page) override;
    Task<Listing> tags(RepositoryName repository, PageRequest page) override;

    Task<> prepare(RepositoryName repository) override;
    Task<bool> holds(RepositoryName repository, Digest digest) override;
    Task<bool> mount(RepositoryName into, RepositoryName from, Digest digest) override;
    Task<> put(RepositoryName repository, Digest digest, std::string bytes) override;
    Task<CopyUpload>
    begin(RepositoryName repository, DigestAlgorithm algorithm, std::optional<std::uint64_t> size) override;
    Task<CopyUpload> resume(RepositoryName repository, std::string place) override;
    Task<CopyUpload>
    append(RepositoryName repository, CopyUpload upload, ByteSource& body, std::uint64_t length) override;
    Task<> finish(RepositoryName repository, CopyUpload upload, Digest digest) override;
    Task<> cancel(RepositoryName repository, std::string place) override;
    Task<> push(RepositoryName repository, Reference reference, CopiedManifest manifest) override;
    Task<> remove(RepositoryName repository, Reference reference) override;

    Task<TagSummary> tag_summary(TagRange range) override;
    Task<std::vector<TagState>> tag_states(TagRange range) override;

    Task<> ping() override;
    Micros rests_until() const override { return 0; }

private:
    Result<> check_reach(const RepositoryName& repository) const;
    Task<> check_readable(RepositoryName repository);
    Result<> check_writable(const RepositoryName& repository) const;
    std::optional<std::vector<std::int64_t>> projects_within_reach() const;  // nullopt: all
    Actor actor() const;

    const Parts parts_;
    const LocalSiteUser user_;
    const Caller caller_;
};

}  // namespace entrepot

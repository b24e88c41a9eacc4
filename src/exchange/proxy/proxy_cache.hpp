#pragma once

#include "access/policy.hpp"
#include "core/metrics.hpp"
#include "exchange/proxy/proxy_blobs.hpp"
#include "exchange/proxy/proxy_counters.hpp"
#include "exchange/proxy/proxy_lists.hpp"
#include "exchange/proxy/proxy_manifests.hpp"
#include "exchange/proxy/upstream_desk.hpp"
#include "ports/upload_view.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <optional>
#include <thread>

namespace entrepot {

// Projects that cache another registry: what is asked for is brought here first and then read as if it had been pushed
// (docs/decisions/0023-proxy-cache.md). The caller's right to the repository has been checked. Fetches run on a thread
// of their own. Safe from any loop; tasks resume on their caller's.
class ProxyCache {
public:
    struct Needs {
        asio::io_context& loop;  // run here, by one thread, until stop()
        const AccessPolicy& policy;
        ProxyCatalog& catalog;
        Upstreams& upstreams;
        ManifestCatalog& manifests;
        BlobCatalog& links;
        UploadCatalog& sessions;
        BlobReader& bytes;
        BlobIngest& store;
        UploadViews& views;
        Random& random;
        const Clock& clock;
    };
    ProxyCache(Needs needs, ProxyBlobs::Options options);
    ~ProxyCache();
    ProxyCache(const ProxyCache&) = delete;
    ProxyCache& operator=(const ProxyCache&) = delete;

    // Whether the repository's project is a proxy cache.
    bool covers(const RepositoryName& repository) const { return project_of(repository) != 0; }
    // Whether what is here may be answered without asking: always but for tags of proxy caches that are not known to be
    // fresh. Never blocks.
    bool may_peek(const RepositoryName& repository, const Reference& reference) const;

    // Sees to it that the manifest can be read here, as fresh as it has to be. Not null: one that there was no room
    // for.
    Task<ManifestPtr> bring(RepositoryName repository, Reference reference);

    // A blob that is not here: on its way, or null when it is here by now.
    struct Arriving {
        BlobFetchPtr fetch;
        std::uint64_t size = 0;
        std::uint64_t attempt = 0;
    };
    Task<Arriving> blob(RepositoryName repository, Digest digest);
    // blob_unknown.
    Task<std::uint64_t> blob_size(RepositoryName repository, Digest digest);

    // From the upstream; nullopt: what is here is all that can be said.
    asio::awaitable<std::optional<NamePagePtr>> tags(RepositoryName repository, PageRequest page);
    asio::awaitable<std::optional<ReferrerPage>>
    referrers(RepositoryName repository, Digest subject, std::string artifact_type, PageRequest page);

    void add_metrics(MetricsText& text) const;
    // Ends what is under way and the loop; nothing is fetched any more. Blocks.
    void stop();

private:
    std::int64_t project_of(const RepositoryName& repository) const;

    asio::io_context& loop_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
    const AccessPolicy& policy_;
    ProxyCatalog& catalog_;
    BlobCatalog& links_;
    const Clock& clock_;
    mutable ProxyCounters counters_;
    UpstreamDesk desk_;
    ProxyBlobs blobs_;
    ProxyManifests manifests_;
    ProxyLists lists_;
    std::jthread thread_;
};

}  // namespace entrepot

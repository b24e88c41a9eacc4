#pragma once

#include "access/policy.hpp"
#include "api/token/master_key_box.hpp"
#include "app/config.hpp"
#include "drivers/filesystem/filesystem_blobs.hpp"
#include "drivers/upstream/endpoint_upstreams.hpp"
#include "exchange/proxy/proxy_cache.hpp"
#include "ports/metadata_store.hpp"

#include <boost/asio/io_context.hpp>

namespace entrepot {

// Projects that cache other registries.
class ProxyParts {
public:
    ProxyParts(
        const Config& config,
        MetadataStore& store,
        FilesystemBlobs& blobs,
        const AccessPolicy& policy,
        const MasterKey& master_key,
        const Clock& clock,
        Random& random
    );

    ProxyCache& cache() noexcept { return cache_; }
    void add_metrics(MetricsText& text) const { cache_.add_metrics(text); }
    void stop() { cache_.stop(); }

private:
    MasterKeyBox secrets_;
    asio::io_context loop_{1};  // outlives the connections to upstreams
    EndpointUpstreams upstreams_;
    ProxyCache cache_;
};

}  // namespace entrepot

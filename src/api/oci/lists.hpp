#pragma once

#include "api/oci/call.hpp"
#include "core/task.hpp"
#include "exchange/proxy/proxy_cache.hpp"
#include "registry/browse.hpp"

#include <optional>

namespace entrepot {

// tags/list, referrers and _catalog, in pages that a Link header joins (RFC 8288).
class OciLists {
public:
    // `proxy`: asks the upstreams of proxy caches; null: nobody is asked.
    OciLists(Browse& browse, ProxyCache* proxy) : browse_{browse}, proxy_{proxy} {}

    std::optional<Response> peek_tags(const Request& request, const RepositoryName& repository);
    Task<Response> tags(OciCall call);
    Task<Response> referrers(OciCall call);
    Task<Response> catalog(const Request& request, Caller caller);

private:
    Task<NamePagePtr> tags_of(const RepositoryName& repository, const PageRequest& page);
    Task<NamePage> tags_of_all(std::vector<RepositoryName> sources, RepositoryName own, const PageRequest& page);
    Task<ReferrerPage> referrers_of(
        const RepositoryName& repository,
        const Digest& subject,
        const std::string& artifact_type,
        const PageRequest& page
    );
    bool is_proxied(const RepositoryName& repository) const { return proxy_ != nullptr && proxy_->covers(repository); }

    Browse& browse_;
    ProxyCache* proxy_;
};

}  // namespace entrepot

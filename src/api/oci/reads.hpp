#pragma once

#include "api/oci/call.hpp"
#include "api/oci/oci_audit.hpp"
#include "core/task.hpp"
#include "exchange/proxy/proxy_cache.hpp"
#include "registry/pull.hpp"

#include <optional>

namespace entrepot {

// GET and HEAD of manifests and blobs: the hot path. peek_…() answers from memory or not at all; the others are the
// same with time.
class OciReads {
public:
    // `proxy`: brings what is not here; null: nothing does.
    OciReads(Pull& pull, OciAudit& audit, ProxyCache* proxy) : pull_{pull}, audit_{audit}, proxy_{proxy} {}

    std::optional<Response> peek_manifest(
        const Request& request, const Caller& caller, const RepositoryName& repository, std::string_view reference
    );
    std::optional<Response>
    peek_blob(const Request& request, const RepositoryName& repository, std::string_view digest);
    Task<Response> manifest(OciCall call);
    Task<Response> blob(OciCall call);

private:
    Task<ManifestPtr> fresh_manifest(const OciCall& call, const Reference& reference);
    bool brings(const OciCall& call, const Error& missing) const;
    Task<Response> arriving_blob(OciCall call, Digest digest);

    Pull& pull_;
    OciAudit& audit_;
    ProxyCache* proxy_;
};

}  // namespace entrepot

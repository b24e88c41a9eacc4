#pragma once

#include "api/oci/call.hpp"
#include "api/oci/oci_audit.hpp"
#include "core/task.hpp"
#include "registry/pull.hpp"

#include <optional>

namespace entrepot {

// GET and HEAD of manifests and blobs: the hot path. peek_…() answers from memory or not at all; the others are the
// same with time.
class OciReads {
public:
    OciReads(Pull& pull, OciAudit& audit) : pull_{pull}, audit_{audit} {}

    std::optional<Response> peek_manifest(
        const Request& request, const Caller& caller, const RepositoryName& repository, std::string_view reference
    );
    std::optional<Response>
    peek_blob(const Request& request, const RepositoryName& repository, std::string_view digest);
    Task<Response> manifest(OciCall call);
    Task<Response> blob(OciCall call);

private:
    Pull& pull_;
    OciAudit& audit_;
};

}  // namespace entrepot

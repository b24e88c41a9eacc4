#pragma once

#include <optional>
#include <string_view>

namespace entrepot {

// What a path below /v2/ means. Views point into the path.
struct OciRoute {
    enum class Kind { base, catalog, blob, uploads, upload, manifest, tags, referrers };
    Kind kind = Kind::base;
    std::string_view name;    // the repository's name, not yet parsed
    std::string_view last;    // digest, reference or upload id, not yet parsed
    std::string_view rest{};  // what follows the name, with its slash
};

// Matches from the right, so that "blobs", "tags/list" or "manifests" may be parts of a repository's name (OCI
// distribution-spec, "Endpoints"). nullopt when the path is none of the specification's.
std::optional<OciRoute> match_oci_route(std::string_view path);

}  // namespace entrepot

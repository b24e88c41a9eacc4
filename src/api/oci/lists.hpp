#pragma once

#include "api/oci/call.hpp"
#include "core/task.hpp"
#include "registry/browse.hpp"

#include <optional>

namespace entrepot {

// tags/list, referrers and _catalog, in pages that a Link header joins (RFC 8288).
class OciLists {
public:
    explicit OciLists(Browse& browse) : browse_{browse} {}

    std::optional<Response> peek_tags(const Request& request, const RepositoryName& repository);
    Task<Response> tags(OciCall call);
    Task<Response> referrers(OciCall call);
    Task<Response> catalog(const Request& request, Caller caller);

private:
    Browse& browse_;
};

}  // namespace entrepot

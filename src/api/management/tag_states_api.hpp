#pragma once

#include "api/management/api_router.hpp"
#include "registry/browse.hpp"

namespace entrepot {

// /tag-states: what tags point at, range by range, or a digest of it: by it another installation finds what differs
// without asking for each repository.
class TagStatesApi {
public:
    explicit TagStatesApi(Browse& browse) : browse_{browse} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);

    Browse& browse_;
};

}  // namespace entrepot

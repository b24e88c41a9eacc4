#pragma once

#include "api/management/api_router.hpp"
#include "upkeep/retention/tag_lifetimes.hpp"

namespace entrepot {

// When a tag expires, and which images somebody runs. Beside Harbor's resources.
class TagLifetimesApi {
public:
    TagLifetimesApi(TagLifetimes& lifetimes, const AccessPolicy& policy, const Clock& clock)
        : lifetimes_{lifetimes}, policy_{policy}, clock_{clock}
    {
    }

    void add_to(ApiRouter& router);

private:
    Task<Response> read_expiry(ApiCall call);
    Task<Response> set_expiry(ApiCall call);
    Task<Response> list_in_use(ApiCall call);
    Task<Response> set_in_use(ApiCall call);

    TagLifetimes& lifetimes_;
    const AccessPolicy& policy_;
    const Clock& clock_;
};

}  // namespace entrepot

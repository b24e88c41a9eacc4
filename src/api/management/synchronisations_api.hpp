#pragma once

#include "api/management/api_router.hpp"
#include "exchange/synchronous/synchronisations.hpp"

namespace entrepot {

// Projects that several sites hold: ours beside Harbor's, under a project.
class SynchronisationsApi {
public:
    SynchronisationsApi(Synchronisations& synchronisations, const AccessPolicy& policy)
        : synchronisations_{synchronisations}, policy_{policy}
    {
    }
    void add_to(ApiRouter& router);

private:
    Task<Response> read(ApiCall call);
    Task<Response> set(ApiCall call);
    Task<Response> take_over(ApiCall call);
    Task<Response> stop(ApiCall call);
    Task<Response> follow(ApiCall call);
    Task<Response> leave(ApiCall call);

    Synchronisations& synchronisations_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

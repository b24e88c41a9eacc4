#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "registry/additions.hpp"
#include "registry/icons.hpp"

namespace entrepot {

// What artifacts contain besides themselves: …/additions/{addition}, and the pictures of /icons/{digest}.
class AdditionsApi {
public:
    AdditionsApi(Additions& additions, Icons& icons, const AccessPolicy& policy)
        : additions_{additions}, icons_{icons}, policy_{policy}
    {
    }
    void add_to(ApiRouter& router);

private:
    Task<Response> read(ApiCall call);
    Task<Response> vulnerabilities(ApiCall call);
    Task<Response> icon(ApiCall call);

    Additions& additions_;
    Icons& icons_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

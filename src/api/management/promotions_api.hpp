#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "registry/promotions.hpp"

namespace entrepot {

// /projects/{…}/promotionpolicies and /projects/{…}/promotions.
class PromotionsApi {
public:
    PromotionsApi(Promotions& promotions, const AccessPolicy& policy) : promotions_{promotions}, policy_{policy} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> list_policies(ApiCall call);
    Task<Response> create_policy(ApiCall call);
    Task<Response> read_policy(ApiCall call);
    Task<Response> update_policy(ApiCall call);
    Task<Response> remove_policy(ApiCall call);

    Task<Response> list(ApiCall call);
    Task<Response> request(ApiCall call);
    Task<Response> plan(ApiCall call);
    Task<Response> read(ApiCall call);
    Task<Response> decide(ApiCall call, bool approves);
    Task<Response> cancel(ApiCall call);
    Task<Response> execute(ApiCall call);

    Promotions& promotions_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

#pragma once

#include "api/management/api_router.hpp"
#include "registry/push_policies.hpp"

namespace entrepot {

// What a project lets in. Beside Harbor's resources, in their style.
class PushPoliciesApi {
public:
    PushPoliciesApi(PushPolicyBook& policies, const AccessPolicy& access) : policies_{policies}, access_{access} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> read(ApiCall call);
    Task<Response> update(ApiCall call);
    Task<Response> remove(ApiCall call);
    Task<Response> check(ApiCall call);

    PushPolicyBook& policies_;
    const AccessPolicy& access_;
};

}  // namespace entrepot

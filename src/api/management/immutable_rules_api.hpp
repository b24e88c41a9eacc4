#pragma once

#include "api/management/api_router.hpp"
#include "registry/immutable_rules.hpp"

namespace entrepot {

// Immutability rules in Harbor's shapes (API v2.0, tag immutable).
class ImmutableRulesApi {
public:
    ImmutableRulesApi(ImmutableRuleBook& rules, const AccessPolicy& policy) : rules_{rules}, policy_{policy} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> read(ApiCall call);
    Task<Response> update(ApiCall call);
    Task<Response> remove(ApiCall call);

    ImmutableRuleBook& rules_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

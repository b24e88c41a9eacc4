#pragma once

#include "api/management/api_router.hpp"
#include "tenancy/labels.hpp"

namespace entrepot {

// Labels in Harbor's shapes (API v2.0, tag label).
class LabelsApi {
public:
    LabelsApi(Labels& labels, const AccessPolicy& policy) : labels_{labels}, policy_{policy} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> read(ApiCall call);
    Task<Response> update(ApiCall call);
    Task<Response> remove(ApiCall call);
    void note(const ApiCall& call, const Label& label) const;

    Labels& labels_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

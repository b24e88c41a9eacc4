#pragma once

#include "api/management/api_router.hpp"
#include "tenancy/projects.hpp"

namespace entrepot {

// Quotas of projects in Harbor's shapes (API v2.0, tag quota); a quota's id is its project's. Beside storage, ours
// count artifacts.
class QuotasApi {
public:
    explicit QuotasApi(Projects& projects) : projects_{projects} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> read(ApiCall call);
    Task<Response> update(ApiCall call);

    Projects& projects_;
};

}  // namespace entrepot

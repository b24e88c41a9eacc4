#pragma once

#include "api/management/api_router.hpp"
#include "tenancy/projects.hpp"

namespace entrepot {

// Projects, their summaries and metadata in Harbor's shapes (API v2.0, tags Project and ProjectMetadata); ours beside
// Harbor's fields are tenant_id, tenant_name, shared, frozen and protected.
class ProjectsApi {
public:
    ProjectsApi(Projects& projects, const AccessPolicy& policy) : projects_{projects}, policy_{policy} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> probe(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> read(ApiCall call);
    Task<Response> update(ApiCall call);
    Task<Response> remove(ApiCall call);
    Task<Response> deletable(ApiCall call);
    Task<Response> summary(ApiCall call);
    Task<Response> list_metadata(ApiCall call);
    Task<Response> add_metadata(ApiCall call);
    Task<Response> read_metadata(ApiCall call);
    Task<Response> set_metadata(ApiCall call);
    Task<Response> remove_metadata(ApiCall call);

    Projects& projects_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

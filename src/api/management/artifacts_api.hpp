#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "registry/artifacts.hpp"

namespace entrepot {

// Artifacts of projects and repositories, their tags, accessories and labels.
class ArtifactsApi {
public:
    ArtifactsApi(Artifacts& artifacts, const AccessPolicy& policy) : artifacts_{artifacts}, policy_{policy} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> list_of_project(ApiCall call);
    Task<Response> list(ApiCall call);
    Task<Response> copy(ApiCall call);
    Task<Response> get(ApiCall call);
    Task<Response> remove(ApiCall call);
    Task<Response> list_tags(ApiCall call);
    Task<Response> add_tag(ApiCall call);
    Task<Response> remove_tag(ApiCall call);
    Task<Response> list_accessories(ApiCall call);
    Task<Response> add_label(ApiCall call);
    Task<Response> remove_label(ApiCall call);

    Artifacts& artifacts_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "registry/repositories.hpp"

namespace entrepot {

// /repositories, /projects/{project_name}/repositories and below, up to the artifacts.
class RepositoriesApi {
public:
    RepositoriesApi(Repositories& repositories, const AccessPolicy& policy)
        : repositories_{repositories}, policy_{policy}
    {
    }
    void add_to(ApiRouter& router);

private:
    Task<Response> list_all(ApiCall call);
    Task<Response> list(ApiCall call);
    Task<Response> get(ApiCall call);
    Task<Response> update(ApiCall call);
    Task<Response> remove(ApiCall call);

    Repositories& repositories_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

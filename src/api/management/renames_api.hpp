#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "registry/renames.hpp"

namespace entrepot {

// …/rename of projects and repositories, and the former names that a project keeps.
class RenamesApi {
public:
    RenamesApi(Renames& renames, const AccessPolicy& policy) : renames_{renames}, policy_{policy} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> rename_project(ApiCall call);
    Task<Response> rename_repository(ApiCall call);
    Task<Response> list(ApiCall call);
    Task<Response> give_up(ApiCall call);

    Renames& renames_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

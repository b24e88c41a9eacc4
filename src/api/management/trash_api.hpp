#pragma once

#include "api/management/api_router.hpp"
#include "registry/trash.hpp"

namespace entrepot {

// What was deleted in a project, and the way back; repositories as they were. Beside Harbor's resources.
class TrashApi {
public:
    TrashApi(Trash& trash, const AccessPolicy& policy) : trash_{trash}, policy_{policy} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> get(ApiCall call);
    Task<Response> restore(ApiCall call);
    Task<Response> empty(ApiCall call);
    Task<Response> empty_all(ApiCall call);
    Task<Response> go_back(ApiCall call);

    Trash& trash_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

#pragma once

#include "api/management/api_router.hpp"
#include "api/operations/operations.hpp"
#include "ports/blob_store.hpp"
#include "tenancy/overview.hpp"
#include "tenancy/projects.hpp"
#include "tenancy/settings.hpp"

#include <string>

namespace entrepot {

// About the installation itself, in Harbor's shapes: ping, health, systeminfo, statistics, search.
class SystemApi {
public:
    struct Needs {
        const AccessPolicy& policy;
        const Settings& settings;
        Projects& projects;
        Overview& overview;
        OperationsHandler& operations;
        BlobStoreSpace& storage;
        const Clock& clock;
        std::string version;       // ours
        std::string external_url;  // empty: as the request asked for us
    };
    explicit SystemApi(Needs needs) : needs_{std::move(needs)} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> ping(ApiCall call);
    Task<Response> health(ApiCall call);
    Task<Response> info(ApiCall call);
    Task<Response> volumes(ApiCall call);
    Task<Response> certificate(ApiCall call);
    Task<Response> statistics(ApiCall call);
    Task<Response> search(ApiCall call);

    Needs needs_;
};

}  // namespace entrepot

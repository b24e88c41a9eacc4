#pragma once

#include "api/management/api_router.hpp"
#include "tenancy/settings.hpp"

namespace entrepot {

// What can be set at run time, in Harbor's shapes (API v2.0, tag configure).
class ConfigurationsApi {
public:
    explicit ConfigurationsApi(Settings& settings) : settings_{settings} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> read(ApiCall call);
    Task<Response> update(ApiCall call);

    Settings& settings_;
};

}  // namespace entrepot

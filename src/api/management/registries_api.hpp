#pragma once

#include "api/management/api_router.hpp"
#include "exchange/endpoints.hpp"

namespace entrepot {

// Registries elsewhere in Harbor's paths and shapes (API v2.0, tag registry), and what kinds of them there are.
class RegistriesApi {
public:
    explicit RegistriesApi(Endpoints& endpoints) : endpoints_{endpoints} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> ping(ApiCall call);
    Task<Response> read(ApiCall call);
    Task<Response> update(ApiCall call);
    Task<Response> remove(ApiCall call);
    Task<Response> info(ApiCall call);
    Task<Response> health(ApiCall call);
    Task<Response> adapters(ApiCall call);
    Task<Response> adapter_infos(ApiCall call);

    Endpoints& endpoints_;
};

}  // namespace entrepot

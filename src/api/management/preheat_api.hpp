#pragma once

#include "api/management/api_router.hpp"
#include "api/management/api_values.hpp"
#include "delivery/preheat_desk.hpp"

namespace entrepot {

// /api/v2.0/swarm/preheats: images that nodes are to have before anybody asks for them. Own resources in Harbor's
// style; deadlines as its robots have times (seconds since 1970).
class PreheatApi {
public:
    explicit PreheatApi(PreheatDesk& desk) : desk_{desk} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> create(ApiCall call);
    Task<Response> list(ApiCall call);
    Task<Response> read(ApiCall call);
    Task<Response> nodes(ApiCall call);
    Task<Response> cancel(ApiCall call);

    PreheatDesk& desk_;
};

}  // namespace entrepot

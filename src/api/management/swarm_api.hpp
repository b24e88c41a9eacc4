#pragma once

#include "api/management/api_router.hpp"
#include "api/management/api_values.hpp"
#include "delivery/node_desk.hpp"

namespace entrepot {

// /api/v2.0/swarm: the nodes that share images with each other, and the tokens that bring them. Own resources in
// Harbor's style; times of expiry as its robots have them (seconds since 1970).
class SwarmApi {
public:
    explicit SwarmApi(NodeDesk& desk) : desk_{desk} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> tokens(ApiCall call);
    Task<Response> make_token(ApiCall call);
    Task<Response> remove_token(ApiCall call);
    Task<Response> nodes(ApiCall call);
    Task<Response> remove_node(ApiCall call);

    NodeDesk& desk_;
};

}  // namespace entrepot

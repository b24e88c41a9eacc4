#pragma once

#include "api/management/api_router.hpp"
#include "api/management/api_values.hpp"
#include "delivery/node_desk.hpp"
#include "delivery/swarm_limits_desk.hpp"

namespace entrepot {

// /api/v2.0/swarm: the nodes that share images with each other, the tokens that bring them, and what they keep to. Own
// resources in Harbor's style; times of expiry as its robots have them (seconds since 1970).
class SwarmApi {
public:
    SwarmApi(NodeDesk& desk, SwarmLimitsDesk& limits) : desk_{desk}, limits_{limits} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> tokens(ApiCall call);
    Task<Response> make_token(ApiCall call);
    Task<Response> remove_token(ApiCall call);
    Task<Response> nodes(ApiCall call);
    Task<Response> remove_node(ApiCall call);
    Task<Response> limits(ApiCall call);
    Task<Response> change_limits(ApiCall call);

    NodeDesk& desk_;
    SwarmLimitsDesk& limits_;
};

}  // namespace entrepot

#pragma once

#include "api/management/api_router.hpp"
#include "exchange/replications.hpp"

namespace entrepot {

// Replication policies, their executions and tasks in Harbor's paths and shapes (API v2.0, tag replication), and their
// lag.
class ReplicationsApi {
public:
    struct Needs {
        Replications& replications;
        const Clock& clock;
    };
    explicit ReplicationsApi(const Needs& needs) : needs_{needs} {}
    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> read(ApiCall call);
    Task<Response> update(ApiCall call);
    Task<Response> remove(ApiCall call);
    Task<Response> lag(ApiCall call);
    Task<Response> lag_of_all(ApiCall call);
    Task<Response> pending(ApiCall call);
    Task<Response> executions(ApiCall call);
    Task<Response> start(ApiCall call);
    Task<Response> execution(ApiCall call);
    Task<Response> stop(ApiCall call);
    Task<Response> tasks(ApiCall call);
    Task<Response> log(ApiCall call);

    Needs needs_;
};

}  // namespace entrepot

#pragma once

#include "api/management/api_router.hpp"
#include "upkeep/retention/retentions.hpp"

namespace entrepot {

// Retention policies and their runs in Harbor's shapes (API v2.0, tag retention).
class RetentionsApi {
public:
    RetentionsApi(Retentions& retentions, const AccessPolicy& policy) : retentions_{retentions}, policy_{policy} {}

    void add_to(ApiRouter& router);

private:
    Task<Response> create(ApiCall call);
    Task<Response> read(ApiCall call);
    Task<Response> update(ApiCall call);
    Task<Response> remove(ApiCall call);
    Task<Response> run(ApiCall call);
    Task<Response> executions(ApiCall call);
    Task<Response> execution(ApiCall call);
    Task<Response> stop(ApiCall call);
    Task<Response> tasks(ApiCall call);
    Task<Response> task_log(ApiCall call);
    void note(const ApiCall& call, std::int64_t project_id, std::string resource) const;

    Retentions& retentions_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "core/clock.hpp"
#include "upkeep/jobs/jobs.hpp"
#include "upkeep/jobs/schedules.hpp"

namespace entrepot {

// Jobs and their queues: Harbor's /jobservice and /schedules, and /jobs, which shows every job as it is. For those who
// have the platform's permission jobservice-monitor.
class JobsApi {
public:
    JobsApi(Jobs& jobs, Schedules& schedules, const AccessPolicy& policy, const Clock& clock)
        : jobs_{jobs}, schedules_{schedules}, policy_{policy}, clock_{clock}
    {
    }
    void add_to(ApiRouter& router);

private:
    Task<Response> pools(ApiCall call);
    Task<Response> workers(ApiCall call);
    Task<Response> queues(ApiCall call);
    Task<Response> steer_queue(ApiCall call);
    Task<Response> stop_running(ApiCall call);
    Task<Response> schedules(ApiCall call);
    Task<Response> schedules_paused(ApiCall call);
    Task<Response> list(ApiCall call);
    Task<Response> one(ApiCall call);
    Task<Response> log(ApiCall call);
    Task<Response> stop(ApiCall call);
    Task<Response> retry(ApiCall call);

    Jobs& jobs_;
    Schedules& schedules_;
    const AccessPolicy& policy_;
    const Clock& clock_;
};

}  // namespace entrepot

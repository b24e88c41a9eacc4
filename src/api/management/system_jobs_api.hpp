#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "api/management/api_values.hpp"
#include "ports/job_queue.hpp"
#include "upkeep/jobs/jobs.hpp"
#include "upkeep/jobs/schedules.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace entrepot {

// A job of the whole installation with Harbor's resources for it: its history, one execution and its log, stopping it,
// and its schedule, which also starts it by hand (type Manual).
struct SystemJob {
    std::string path;      // "system/purgeaudit"
    std::string id;        // the path's name for an execution: "purge_id"
    std::string kind;      // of its jobs
    std::string resource;  // of its permissions on the platform
    // Of a request's parameters (an empty object where there are none) those of the job. bad_request.
    Result<boost::json::object> (*parameters)(const JsonBody& given);
    // Adds what came of it to the parameters that are shown, where Harbor has it there; may be null.
    void (*add_outcome)(boost::json::object& parameters, const boost::json::object& result) = nullptr;
};

class SystemJobsApi {
public:
    struct Needs {
        Jobs& jobs;
        Schedules& schedules;
        JobQueue& queue;
        const AccessPolicy& policy;
        const Clock& clock;
    };
    SystemJobsApi(SystemJob job, const Needs& needs);
    void add_to(ApiRouter& router);

private:
    Task<Response> list(ApiCall call);
    Task<Response> one(ApiCall call);
    Task<Response> log(ApiCall call);
    Task<Response> stop(ApiCall call);
    Task<Response> schedule(ApiCall call);
    Task<Response> set_schedule(ApiCall call, Permission permission);
    Task<std::string> set(std::int64_t user_id, JsonBody body);
    Task<std::string> start(std::int64_t user_id, boost::json::object parameters);
    Task<Job> find(const std::string& id);
    boost::json::object shown(const Job& job) const;

    const SystemJob job_;
    const Needs needs_;
    const Permission list_, read_, create_, update_, stop_;
    // Of routes, which keep views.
    const std::string one_path_, log_path_, schedule_path_;
};

// Harbor's purge of audit logs.
SystemJob purge_audit_job();
SystemJob garbage_collection_job();
// Ours: all that quotas charge is counted anew.
SystemJob quota_recount_job();

}  // namespace entrepot

#pragma once

#include "core/clock.hpp"
#include "ports/job_catalog.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

struct JobHistoryLimits {
    Micros keep = 30LL * 86'400 * 1'000'000;  // how long an ended job is known
    std::int64_t most = 100'000;              // ended jobs of a kind
};

// Jobs as admins see and steer them; who may is for the caller to say.
class Jobs {
public:
    Jobs(JobCatalog& catalog, const Clock& clock, JobHistoryLimits limits)
        : catalog_{catalog}, clock_{clock}, limits_{limits}
    {
    }

    Task<Job> find(std::int64_t id);
    Task<ListPage<Job>> list(ListQuery query);
    // As text, a line each, with a note where lines are missing.
    Task<std::string> log_text(std::int64_t id);
    // With its tasks. Of one that has ended nothing is changed.
    Task<> stop(std::int64_t id);
    // All that run; what waits stays.
    Task<> stop_running();
    Task<> retry(std::int64_t id);
    Task<std::vector<JobQueueState>> queues();
    // Programs that were heard of within a minute, and what they run.
    Task<std::vector<JobWorker>> workers();
    Task<std::vector<Job>> running();
    // Stops all that wait in a queue and asks what runs to stop.
    Task<> stop_queue(std::string kind);
    Task<> pause(std::string kind, bool paused);
    Task<bool> is_paused(std::string kind);

    // A chore.
    Task<> remove_old();

private:
    JobCatalog& catalog_;
    const Clock& clock_;
    const JobHistoryLimits limits_;
};

}  // namespace entrepot

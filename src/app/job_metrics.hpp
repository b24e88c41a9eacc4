#pragma once

#include "core/clock.hpp"
#include "core/metrics.hpp"
#include "upkeep/jobs/job_runner.hpp"
#include "upkeep/jobs/jobs.hpp"

#include <chrono>
#include <mutex>
#include <vector>

namespace entrepot {

// Jobs for /metrics: what this process ran, and what waits, which is counted every now and then.
class JobMetrics {
public:
    JobMetrics(Jobs& jobs, const JobRunner& runner, const Clock& clock) : jobs_{jobs}, runner_{runner}, clock_{clock} {}

    // A chore. With a long queue, counting takes a while, and it is done so much less often.
    Task<> count_queues();
    void add_to(MetricsText& text) const;

private:
    Jobs& jobs_;
    const JobRunner& runner_;
    const Clock& clock_;
    std::chrono::steady_clock::time_point next_count_{};
    mutable std::mutex mutex_;
    std::vector<JobQueueState> queues_;
};

}  // namespace entrepot

#pragma once

#include "drivers/sql/job_rows.hpp"
#include "drivers/sql/sql_engine.hpp"

namespace entrepot {

// Jobs as people see and steer them, on any SqlEngine. The engine and the bell outlive it.
class SqlJobCatalog final : public JobCatalog {
public:
    SqlJobCatalog(SqlEngine& engine, JobBell& bell) : engine_{engine}, bell_{bell} {}

    Task<Job> find(std::int64_t id) override;
    Task<ListPage<Job>> list(ListQuery query) override;
    Task<std::vector<JobLine>> log(std::int64_t id) override;
    Task<std::vector<JobTaskCounts>> task_counts(std::vector<std::int64_t> parents) override;
    Task<JobState> stop(std::int64_t id, Micros now) override;
    Task<> stop_tasks(std::int64_t parent_id, Micros now) override;
    Task<std::int64_t> stop_waiting(std::string kind, Micros now) override;
    Task<> stop_running(std::string kind) override;
    Task<> retry(std::int64_t id) override;
    Task<std::vector<JobQueueState>> queues() override;
    Task<std::vector<JobWorker>> workers(Micros since) override;
    Task<> pause(std::string kind, bool paused, Micros now) override;
    Task<bool> is_paused(std::string kind) override;
    Task<std::int64_t> remove_ended(std::string kind, Micros before, std::int64_t keep) override;
    Task<std::vector<std::string>> kinds() override;

private:
    SqlEngine& engine_;
    JobBell& bell_;
};

}  // namespace entrepot

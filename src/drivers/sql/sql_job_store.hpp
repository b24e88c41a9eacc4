#pragma once

#include "drivers/sql/job_rows.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/job_store.hpp"

namespace entrepot {

// The queue as workers see it, on any SqlEngine. The engine and the bell outlive it.
class SqlJobStore final : public JobStore {
public:
    SqlJobStore(SqlEngine& engine, JobBell& bell) : engine_{engine}, bell_{bell} {}

    Task<> introduce(JobWorker worker, std::vector<std::string> kinds) override;
    Task<JobLook> look(std::string worker, Micros now) override;
    Task<Exchange> exchange(
        std::string worker,
        std::vector<JobOutcome> outcomes,
        std::vector<JobWant> wants,
        std::int64_t most,
        Micros now,
        Micros lease_until
    ) override;
    Task<std::vector<JobLease>> renew(std::string worker, Micros now, Micros lease_until) override;
    Task<> save(JobLease lease, std::string checkpoint, std::string progress, std::vector<JobLine> lines) override;
    Task<> append(JobLease lease, std::vector<JobLine> lines) override;
    Task<> recover(Micros now, Micros expired_before) override;
    void on_added(std::function<void(const std::string& kind)> listener) override;

private:
    SqlEngine& engine_;
    JobBell& bell_;
};

}  // namespace entrepot

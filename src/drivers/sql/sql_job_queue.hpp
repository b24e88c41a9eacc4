#pragma once

#include "drivers/sql/job_rows.hpp"
#include "drivers/sql/sql_engine.hpp"

namespace entrepot {

// Adds jobs, on any SqlEngine. The engine and the bell outlive it.
class SqlJobQueue final : public JobQueue {
public:
    SqlJobQueue(SqlEngine& engine, JobBell& bell) : engine_{engine}, bell_{bell} {}

    Task<std::vector<std::int64_t>> add(std::vector<NewJob> jobs) override;

private:
    SqlEngine& engine_;
    JobBell& bell_;
};

}  // namespace entrepot

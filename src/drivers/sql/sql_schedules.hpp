#pragma once

#include "drivers/sql/job_rows.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/schedule_catalog.hpp"

namespace entrepot {

// Schedules, on any SqlEngine. The engine and the bell outlive it.
class SqlSchedules final : public ScheduleCatalog {
public:
    SqlSchedules(SqlEngine& engine, JobBell& bell) : engine_{engine}, bell_{bell} {}

    Task<Schedule> put(Schedule schedule) override;
    Task<Schedule> find(std::string kind, std::int64_t subject_id) override;
    Task<ListPage<Schedule>> list(ListQuery query) override;
    Task<> remove(std::string kind, std::int64_t subject_id) override;
    Task<std::vector<Schedule>> due(Micros now, std::int64_t limit) override;
    Task<bool> fire(Firing firing) override;

private:
    SqlEngine& engine_;
    JobBell& bell_;
};

}  // namespace entrepot

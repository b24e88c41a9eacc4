#pragma once

#include "drivers/sql/job_rows.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/event_log.hpp"

namespace entrepot {

// The log on any SqlEngine. Where transactions don't commit in the order of their ids, settle() numbers what was
// committed since, one instance at a time. Engine and bell outlive it.
class SqlEvents final : public EventLog {
public:
    SqlEvents(SqlEngine& engine, JobBell& bell) : engine_{engine}, bell_{bell} {}

    Task<EventRange> settle() override;
    Task<std::vector<Event>> read(std::int64_t after, std::int64_t limit) override;
    Task<> add(std::vector<Event> events) override;
    Task<std::int64_t> cursor(std::string consumer) override;
    Task<> advance(std::string consumer, std::int64_t from, std::int64_t to, std::vector<NewJob> jobs) override;
    Task<std::int64_t> remove(Micros read_by_all, Micros in_any_case) override;

private:
    SqlEngine& engine_;
    JobBell& bell_;
};

}  // namespace entrepot

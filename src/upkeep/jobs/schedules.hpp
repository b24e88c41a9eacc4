#pragma once

#include "core/clock.hpp"
#include "ports/job_catalog.hpp"
#include "ports/schedule_catalog.hpp"
#include "ports/timetable.hpp"

#include <cstdint>
#include <string>

namespace entrepot {

// When jobs come round. Who may set a schedule is for those to say whose jobs they are.
class Schedules final : public Timetable {
public:
    // Pausing this kind holds up every schedule.
    static constexpr const char* paused_kind = "scheduler";

    Schedules(ScheduleCatalog& catalog, JobCatalog& jobs, const Clock& clock)
        : catalog_{catalog}, jobs_{jobs}, clock_{clock}
    {
    }

    // `type` and `cron` as Harbor has them: Hourly, Daily and Weekly may come without a cron, Custom may not, None and
    // Manual never come. bad_request names what is wrong. Replaces what was set.
    Task<Schedule> set(Schedule wanted);
    // As set() would: bad_request for nonsense.
    static Result<> check(const std::string& type, const std::string& cron);
    Task<Schedule> find(std::string kind, std::int64_t subject_id);
    Task<ListPage<Schedule>> list(ListQuery query);
    // Also when there is none.
    Task<> remove(std::string kind, std::int64_t subject_id);

    Result<> check_cron(const std::string& cron) const override { return check("Custom", cron); }
    Task<> put(Schedule schedule) override;
    Task<> drop(std::string kind, std::int64_t subject_id) override { return remove(std::move(kind), subject_id); }

    // Adds the jobs whose time has come. To be called every second, by every instance.
    Task<> fire_due();

private:
    ScheduleCatalog& catalog_;
    JobCatalog& jobs_;
    const Clock& clock_;
};

}  // namespace entrepot

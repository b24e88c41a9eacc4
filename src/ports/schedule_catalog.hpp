#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/job_queue.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// When jobs of a kind come, for one subject. What `cron` means is upkeep's business; here it is a text beside the time
// of the next one.
struct Schedule {
    std::int64_t id = 0;
    std::string kind;
    std::int64_t subject_id = 0;
    std::int64_t tenant_id = 0;
    std::int64_t project_id = 0;
    std::string type;  // Hourly, Daily, Weekly, Custom, Manual, None
    std::string cron;  // UTC; empty for Manual and None
    std::string parameters;
    std::int32_t priority = 5;
    std::int32_t most_attempts = 3;
    std::string unique_key;
    bool runs_missed = true;  // once, late, when nobody was there at the time; else the next time is waited for
    Micros next_at = 0;       // 0: never
    Micros last_at = 0;
    std::int64_t last_job = 0;
    Actor actor;  // who set it, and when
    Micros created_at = 0;
};

// Schedules, one of a kind for each subject. Lists know the fields id, kind, subject_id, project_id. not_found,
// bad_request, unavailable, storage_full.
class ScheduleCatalog {
public:
    virtual ~ScheduleCatalog() = default;
    // Replaces the one of its kind and subject. What has run stays known.
    virtual Task<Schedule> put(Schedule schedule) = 0;
    virtual Task<Schedule> find(std::string kind, std::int64_t subject_id) = 0;
    virtual Task<ListPage<Schedule>> list(ListQuery query) = 0;
    virtual Task<> remove(std::string kind, std::int64_t subject_id) = 0;

    // Those whose time has come, the longest overdue first.
    virtual Task<std::vector<Schedule>> due(Micros now, std::int64_t limit) = 0;
    struct Firing {
        std::int64_t id = 0;
        Micros was_due = 0;  // next_at as it was read: another instance may have been faster
        Micros next_at = 0;  // 0: never again
        bool skips = false;  // no job this time
        Micros at = 0;
    };
    // Adds the schedule's job and moves it to its next time, in one transaction. False: it had been moved.
    virtual Task<bool> fire(Firing firing) = 0;
};

}  // namespace entrepot

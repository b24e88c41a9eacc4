#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

enum class JobState {
    waiting,
    delayed,  // until its time has come
    running,
    succeeded,
    failed,  // a dead letter: tried as often as it may be
    stopped,
};

struct Job {
    std::int64_t id = 0;
    std::string kind;
    std::int64_t parent_id = 0;
    std::int64_t subject_id = 0;
    std::int64_t tenant_id = 0;
    std::int64_t project_id = 0;
    std::int32_t priority = 0;
    std::string trigger;
    std::string parameters;
    JobState state = JobState::waiting;
    Micros not_before = 0;
    std::int32_t attempts = 0;
    std::int32_t most_attempts = 0;
    std::int32_t losses = 0;  // how often its worker was lost
    std::string worker;
    bool stop_requested = false;
    std::string progress;
    std::string result;
    std::int64_t log_lines = 0;  // ever written; those in the middle of a long log are not kept
    std::int64_t user_id = 0;
    Micros created_at = 0;
    Micros started_at = 0;  // its first run; 0: never ran
    Micros ended_at = 0;    // 0: unfinished
};

struct JobLine {
    Micros at = 0;
    std::string text;
    std::int64_t number = 0;  // 1: the log's first
};

// One kind's jobs that are not finished.
struct JobQueueState {
    std::string kind;
    std::int64_t waiting = 0;
    std::int64_t delayed = 0;
    std::int64_t running = 0;
    std::int64_t failed = 0;
    Micros oldest_waiting = 0;  // when it was added; 0: none waits
    Micros last_success = 0;    // of those that are still known; 0: there is none
    bool paused = false;
};

// A program that runs jobs.
struct JobWorker {
    std::string id{};  // in leases
    std::string host{};
    std::int64_t pid = 0;
    std::int64_t concurrency = 0;
    Micros started_at = 0;
    Micros heartbeat_at = 0;
};

// How the tasks of a job stand.
struct JobTaskCounts {
    std::int64_t parent_id = 0;
    std::int64_t unfinished = 0;
    std::int64_t succeeded = 0;
    std::int64_t failed = 0;
    std::int64_t stopped = 0;
    Micros last_end = 0;  // of the ended ones; 0: none has ended
};

// Jobs as people see and steer them. Lists know the fields id, kind, state, subject_id, parent_id, project_id,
// tenant_id, worker, trigger, creation_time, and outcome: that of a job with its tasks, "running" while one of them is
// unfinished, else the worst of "failed", "stopped", "succeeded". not_found, bad_request, unavailable, storage_full.
class JobCatalog {
public:
    // How much of a log is kept: its first lines, and its newest.
    static constexpr std::int64_t first_lines = 500;
    static constexpr std::int64_t newest_lines = 1500;
    static constexpr std::size_t longest_line = 2048;

    virtual ~JobCatalog() = default;
    virtual Task<Job> find(std::int64_t id) = 0;
    // The newest first.
    virtual Task<ListPage<Job>> list(ListQuery query) = 0;
    virtual Task<std::vector<JobLine>> log(std::int64_t id) = 0;
    // In one statement; of those that have any. At most 1,000 parents.
    virtual Task<std::vector<JobTaskCounts>> task_counts(std::vector<std::int64_t> parents) = 0;

    // A job that doesn't run is stopped at once, one that runs is asked to stop; of an ended one precondition_failed.
    virtual Task<JobState> stop(std::int64_t id, Micros now) = 0;
    // Stops a parent's unfinished tasks.
    virtual Task<> stop_tasks(std::int64_t parent_id, Micros now) = 0;
    // Stops jobs of a kind that don't run, some thousand at a time. How many: call again while there are any.
    virtual Task<std::int64_t> stop_waiting(std::string kind, Micros now) = 0;
    // Asks all of a kind that run to stop.
    virtual Task<> stop_running(std::string kind) = 0;
    // A failed or stopped job waits once more, with all its attempts and its checkpoint; else precondition_failed, and
    // conflict when an unfinished job has its unique key.
    virtual Task<> retry(std::int64_t id) = 0;

    // Of every kind that a worker ever had a handler for, or that has jobs.
    virtual Task<std::vector<JobQueueState>> queues() = 0;
    // Those that were heard of since.
    virtual Task<std::vector<JobWorker>> workers(Micros since) = 0;
    // not_found for a kind that queues() does not have.
    virtual Task<> pause(std::string kind, bool paused, Micros now) = 0;
    virtual Task<bool> is_paused(std::string kind) = 0;

    // Forgets jobs of a kind that ended before `before`, or that have `keep` newer ended ones of their kind, some
    // thousand at a time. How many: call again while there are any.
    virtual Task<std::int64_t> remove_ended(std::string kind, Micros before, std::int64_t keep) = 0;
    virtual Task<std::vector<std::string>> kinds() = 0;
};

}  // namespace entrepot

#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/job_catalog.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// A job as long as one worker has it: nobody else may write for it until the lease has run out, and then its fence is
// too low.
struct JobLease {
    std::int64_t id = 0;
    std::int64_t fence = 0;

    friend auto operator<=>(const JobLease&, const JobLease&) = default;
};

struct LeasedJob {
    JobLease lease;
    std::string kind;
    std::int64_t subject_id = 0;
    std::string parameters;
    std::string checkpoint;
    std::int32_t attempt = 1;
    std::int32_t most_attempts = 1;
};

// What becomes of a leased job, and the last lines of its log.
struct JobOutcome {
    enum class Kind {
        succeeded,
        stopped,
        failed,  // for good
        again,   // after `not_before`, an attempt used; where a stop was asked for: stopped
        back,    // the same without an attempt used
    };
    JobLease lease;
    Kind kind = Kind::succeeded;
    std::string result{};
    Micros not_before = 0;
    std::vector<JobLine> lines{};
};

// How many jobs of a kind a worker has room for.
struct JobWant {
    std::string kind;
    std::int64_t most = 0;
};

// What there is to do, as one look shows it.
struct JobLook {
    std::vector<std::string> waiting;   // kinds that have waiting jobs
    bool overdue = false;               // recover() has something to do
    Micros next = 0;                    // when a delayed job is due next; 0: none
    std::vector<std::int64_t> to_stop;  // the worker's own jobs that somebody asked to stop
};

// The queue as those who run jobs see it. `worker` names one running program. Times are those of the caller's clock:
// instances on one database agree on the time to within a few seconds. unavailable, storage_full.
class JobStore {
public:
    virtual ~JobStore() = default;

    // A worker that begins, and the kinds it has handlers for.
    virtual Task<> introduce(JobWorker worker, std::vector<std::string> kinds) = 0;
    virtual Task<JobLook> look(std::string worker, Micros now) = 0;
    struct Exchange {
        std::vector<LeasedJob> leased;
        std::vector<JobLease> refused;  // outcomes of jobs that another worker has taken over, or somebody ended
    };
    // Writes how jobs ended and leases waiting ones, in the order of turns within a kind and of priorities among
    // kinds, up to each want and `most` in all. Paused kinds have none. Durable.
    virtual Task<Exchange> exchange(
        std::string worker,
        std::vector<JobOutcome> outcomes,
        std::vector<JobWant> wants,
        std::int64_t most,
        Micros now,
        Micros lease_until
    ) = 0;
    // Prolongs every lease of the worker and answers them.
    virtual Task<std::vector<JobLease>> renew(std::string worker, Micros now, Micros lease_until) = 0;
    // A checkpoint, with the lines that were written until then. conflict when the lease is gone. Durable.
    virtual Task<> save(JobLease lease, std::string checkpoint, std::string progress, std::vector<JobLine> lines) = 0;
    virtual Task<> append(JobLease lease, std::vector<JobLine> lines) = 0;
    // Puts jobs back into the queue whose lease ended before `expired_before` or that are due now, some thousand at a
    // time; look() says whether there are more. A job that lost its worker too often is a dead letter.
    virtual Task<> recover(Micros now, Micros expired_before) = 0;

    // Called after this process has added jobs of a kind that are due at once, on any thread; replaces what was there.
    virtual void on_added(std::function<void(const std::string& kind)> listener) = 0;
};

}  // namespace entrepot

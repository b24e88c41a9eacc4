#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot {

// What one run of a job may say and ask while it works. Belongs to the run; used from its executor alone. Whatever is
// saved or logged is refused with conflict once another worker has taken the job over: the run ends then.
class JobRun {
public:
    virtual ~JobRun() = default;

    virtual std::int64_t id() const noexcept = 0;
    // Grows with every lease of this job. An effect outside of the queue carries it, so that what an older run still
    // does can be told from the latest.
    virtual std::int64_t fence() const noexcept = 0;
    virtual std::int32_t attempt() const noexcept = 0;  // 1: the first
    // JSON, as it was added; and what an earlier run saved last, empty at first.
    virtual std::string_view parameters() const noexcept = 0;
    virtual std::string_view checkpoint() const noexcept = 0;

    // True once somebody asked for the job to stop or the program ends: the handler saves and returns `Stopped`.
    virtual bool stop_requested() const noexcept = 0;
    // Where the next run goes on, durable when it answers; `progress` is JSON for who watches.
    virtual Task<> save(std::string checkpoint, std::string progress) = 0;
    // One line for the job's log; written with others, within a second and before the run's end.
    virtual void log(std::string line) = 0;
};

// How a run ended. An Error instead means: try again later, up to the job's attempts, then it is a dead letter.
struct JobEnd {
    enum class Kind {
        done,
        stopped,  // because stop_requested(); runs again if it was the program that ended
        later,    // not finished: once more after `wait`, which is not an attempt
        failed,   // for good, trying again is no use: `result` says why
    };
    Kind kind = Kind::done;
    std::string result{};  // JSON for who asks how it went (of `failed`: text)
    Micros wait = 0;
};

// What runs the jobs of one kind. Runs of several jobs at once, on any loop of the runner.
class JobHandler {
public:
    virtual ~JobHandler() = default;
    virtual Task<JobEnd> run(JobRun& run) = 0;
};

}  // namespace entrepot

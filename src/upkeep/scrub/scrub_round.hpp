#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/job_handler.hpp"
#include "upkeep/scrub/scrub_options.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace entrepot {

// One run's own: what it was asked, where it stands, and its pace. Belongs to the run.
class ScrubRound {
public:
    ScrubRound(JobRun& job, ScrubOptions wanted, const Clock& clock)
        : run{job}, options{wanted}, position{ScrubPosition::parse(job.checkpoint())}, clock_{clock}
    {
        if (position.began == 0) position.began = clock.now();
    }

    // Everything up to `after` has been dealt with; written down every now and then.
    Task<> passed(std::string after);
    Task<> save();

    // Bytes of one read: some tens of reads a second, so that the pace is even and stopping is quick.
    std::uint64_t portion() const noexcept;
    // `bytes` were read: waits until it is time for the next.
    Task<> pace(std::uint64_t bytes);

    bool stopping() const noexcept { return run.stop_requested(); }
    ScrubCount& count() noexcept { return position.count; }
    Actor actor() const { return {.user_id = 0, .at = clock_.now()}; }
    // What was stored later is not judged.
    Micros judged_before() const { return clock_.now() - options.min_age; }

    JobRun& run;
    const ScrubOptions options;
    ScrubPosition position;

private:
    const Clock& clock_;
    std::chrono::steady_clock::time_point next_read_{};
    std::chrono::steady_clock::time_point next_save_{};
};

}  // namespace entrepot

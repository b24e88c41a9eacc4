#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/garbage_catalog.hpp"
#include "ports/job_handler.hpp"
#include "ports/scrub_catalog.hpp"
#include "upkeep/scrub/scrub_options.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// One run's own: what it was asked, where it stands, its pace, and what waits to be written with others. Belongs to the
// run.
class ScrubRound {
public:
    struct Needs {
        ScrubCatalog& catalog;
        GarbageCatalog& garbage;
        const Clock& clock;
    };
    ScrubRound(JobRun& job, ScrubOptions wanted, const Needs& needs)
        : run{job}, options{wanted}, position{ScrubPosition::parse(job.checkpoint())}, needs_{needs}
    {
        if (position.began == 0) position.began = needs_.clock.now();
    }

    // Everything up to `after` has been dealt with; written down every now and then.
    Task<> passed(std::string after);
    // The same while it is at one thing for long.
    Task<> still_at_it();
    // And with it all that was noted before.
    Task<> save();

    // Written with others, before the position moves past it for good.
    Task<> report(NewFinding finding);
    Task<> condemn(StoredBlob orphan);

    // Bytes of one read: some tens of reads a second, so that the pace is even and stopping is quick.
    std::uint64_t portion() const noexcept;
    // `bytes` were read: waits until it is time for the next.
    Task<> pace(std::uint64_t bytes);

    bool stopping() const noexcept { return run.stop_requested(); }
    ScrubCount& count() noexcept { return position.count; }
    Actor actor() const { return {.user_id = 0, .at = needs_.clock.now()}; }
    // What was stored later is not judged.
    Micros judged_before() const { return needs_.clock.now() - options.min_age; }

    JobRun& run;
    const ScrubOptions options;
    ScrubPosition position;

private:
    Task<> flush();

    const Needs needs_;
    std::vector<NewFinding> findings_;
    std::vector<StoredBlob> orphans_;
    std::chrono::steady_clock::time_point next_read_{};
    std::chrono::steady_clock::time_point next_save_{};
};

}  // namespace entrepot

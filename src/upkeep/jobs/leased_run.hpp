#pragma once

#include "core/clock.hpp"
#include "ports/job_handler.hpp"
#include "ports/job_store.hpp"

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// One run of a job under its lease. The handler uses it on the run's executor; what the runner asks of it is safe from
// any thread.
class LeasedRun final : public JobRun {
public:
    LeasedRun(LeasedJob job, JobStore& store, const Clock& clock)
        : job_{std::move(job)}, store_{store}, clock_{clock}, started_{clock.steady()}
    {
    }

    std::int64_t id() const noexcept override { return job_.lease.id; }
    std::int64_t fence() const noexcept override { return job_.lease.fence; }
    std::int32_t attempt() const noexcept override { return job_.attempt; }
    std::string_view parameters() const noexcept override { return job_.parameters; }
    std::string_view checkpoint() const noexcept override { return job_.checkpoint; }
    bool stop_requested() const noexcept override { return stop_ != Stop::no; }
    Task<> save(std::string checkpoint, std::string progress) override;
    void log(std::string line) override;

    const LeasedJob& job() const noexcept { return job_; }
    std::chrono::steady_clock::time_point started() const noexcept { return started_; }

    // A later one takes the place of an earlier one.
    enum class Stop {
        no,
        program_ends,  // it runs again
        asked,         // by somebody: it doesn't run again
        lost,          // another worker has it
    };
    void stop(Stop why) noexcept;
    Stop why_stopped() const noexcept { return stop_; }
    // Lines that were not written yet; they count as written now, unless they are brought back.
    std::vector<JobLine> take_lines();
    void keep_lines(std::vector<JobLine> lines);

private:
    const LeasedJob job_;
    JobStore& store_;
    const Clock& clock_;
    const std::chrono::steady_clock::time_point started_;
    std::atomic<Stop> stop_ = Stop::no;
    std::mutex mutex_;
    std::vector<JobLine> lines_;
    std::size_t left_out_ = 0;
};

// What every engine can store: valid UTF-8 without NUL, cut to `most` bytes. Other bytes become '?'.
std::string storable_text(std::string_view text, std::size_t most);

}  // namespace entrepot

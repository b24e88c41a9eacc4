#pragma once

#include "core/clock.hpp"
#include "core/random.hpp"
#include "core/task_group.hpp"
#include "ports/job_handler.hpp"
#include "ports/job_store.hpp"
#include "upkeep/jobs/leased_run.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace entrepot {

struct JobRunnerOptions {
    std::int64_t workers = 8;           // runs at once
    unsigned threads = 2;               // they share
    std::chrono::seconds lease{30};     // renewed at a third of it
    std::chrono::seconds patience{10};  // of stop(), for runs to end
    Micros first_retry = 10'000'000;    // doubled with each attempt, half of it random
    Micros longest_retry = 3'600'000'000;
    std::string host{};  // for people
    bool alone = false;  // no other program works on this queue: what is leased at the start was left by a crash
};

// How runs of a kind ended in this process.
struct JobRunCounts {
    std::string kind;
    std::int64_t running = 0;
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::uint64_t retried = 0;
    std::uint64_t stopped = 0;
    std::uint64_t put_off = 0;
    std::uint64_t lost = 0;  // another worker had it at the end
};

// Takes waiting jobs in batches, runs each by the handler of its kind, and writes how batches of them ended in the same
// transaction in which it takes the next. Its bookkeeping belongs to one strand, each run has a strand of its own, and
// all share few threads. Quick jobs are leased a little ahead: as many as run within 20 ms.
class JobRunner {
public:
    JobRunner(JobStore& store, const Clock& clock, Random& random, JobRunnerOptions options);
    ~JobRunner();
    JobRunner(const JobRunner&) = delete;
    JobRunner& operator=(const JobRunner&) = delete;

    // Before start(). The handler outlives the runner. `most_at_once`: of this kind in this process; 0: all workers.
    void handle(std::string kind, JobHandler& handler, std::int64_t most_at_once = 0);
    void start();
    // Asks running handlers to stop, gives back what has not ended, and joins the threads. Blocks.
    void stop();

    // Names this program in leases.
    const std::string& worker() const noexcept { return worker_; }
    Micros started_at() const noexcept { return started_at_; }
    const JobRunnerOptions& options() const noexcept { return options_; }
    std::vector<JobRunCounts> counts() const;

private:
    struct Queue {
        JobHandler* handler = nullptr;
        std::int64_t most = 0;
        std::int64_t running = 0;
        std::int64_t ready = 0;      // leased and not started
        double average_micros = -1;  // of a run; negative: none has ended
        bool waiting = false;        // there may be waiting jobs
    };
    using Run = std::shared_ptr<LeasedRun>;

    asio::awaitable<void> work_until_stopped();
    Task<> round();
    Task<> introduce();
    Task<> look();
    Task<> renew();
    Task<> exchange();
    Task<> write_logs();
    asio::awaitable<void> pause(bool after_failure);
    void look_at(Micros time);

    std::vector<JobWant> wants() const;
    std::int64_t room() const;
    static std::int64_t ahead(const Queue& queue);
    bool has_more() const;
    void start_ready();
    asio::awaitable<void> run_one(Run run);
    void settle(const LeasedRun& run, Result<JobEnd> end, std::vector<JobLine> lines);
    JobOutcome outcome_of(const LeasedRun& run, Result<JobEnd> end);
    Micros retry_after(std::int32_t attempt);
    void begin_to_stop();
    void give_back_ready();
    void wake();
    template <class Change>
    void count(const std::string& kind, Change change);

    JobStore& store_;
    const Clock& clock_;
    Random& random_;
    const JobRunnerOptions options_;
    const std::string worker_;
    Micros started_at_ = 0;

    asio::thread_pool pool_;
    asio::strand<asio::thread_pool::executor_type> strand_;
    // From here on to counts_: on the strand alone.
    std::map<std::string, Queue> queues_;
    std::map<std::int64_t, Run> running_;
    std::deque<LeasedJob> ready_;
    std::vector<JobOutcome> outcomes_;
    asio::steady_timer timer_;
    bool introduced_ = false;
    bool woken_ = false;
    bool stopping_ = false;
    std::chrono::steady_clock::time_point next_look_{};
    std::chrono::steady_clock::time_point next_renewal_{};
    std::promise<void> ended_;

    mutable std::mutex mutex_;
    std::map<std::string, JobRunCounts> counts_;
    bool started_ = false;
    TaskGroup group_;
};

}  // namespace entrepot

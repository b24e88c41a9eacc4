#include "upkeep/jobs/job_runner.hpp"

#include "core/log.hpp"
#include "upkeep/jobs/schedules.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <limits>
#include <utility>

#include <unistd.h>

namespace entrepot {

namespace {

using namespace std::chrono_literals;

constexpr auto between_looks = 900ms;  // with the look itself: within a second
constexpr std::chrono::steady_clock::duration after_failing = 1s;
constexpr double run_ahead_micros = 20'000;
constexpr double most_ahead = 512;
constexpr std::size_t longest_result = 64 << 10;

}  // namespace

JobRunner::JobRunner(JobStore& store, const Clock& clock, Random& random, JobRunnerOptions options)
    : store_{store},
      clock_{clock},
      random_{random},
      options_{options},
      worker_{random.hex(8)},
      pool_{std::max(options.threads, 1U)},
      strand_{asio::make_strand(pool_)},
      timer_{strand_}
{
}

JobRunner::~JobRunner()
{
    stop();
}

void JobRunner::handle(std::string kind, JobHandler& handler, std::int64_t most_at_once)
{
    const auto most = most_at_once > 0 ? std::min(most_at_once, options_.workers) : options_.workers;
    counts_[kind].kind = kind;
    queues_[std::move(kind)] = {.handler = &handler, .most = most};
}

void JobRunner::start()
{
    started_ = true;
    started_at_ = clock_.now();
    next_renewal_ = clock_.steady() + options_.lease / 3;
    store_.on_added([this](const std::string& kind) {
        asio::post(strand_, [this, kind] {
            const auto queue = queues_.find(kind);
            if (queue == queues_.end()) return;
            queue->second.waiting = true;
            wake();
        });
    });
    asio::co_spawn(strand_, work_until_stopped(), [this](const std::exception_ptr& thrown) {
        if (thrown) {
            ended_.set_exception(thrown);
        } else {
            ended_.set_value();
        }
    });
}

void JobRunner::stop()
{
    if (!std::exchange(started_, false)) return;
    store_.on_added(nullptr);
    asio::post(strand_, [this] { begin_to_stop(); });
    try {
        ended_.get_future().get();
    } catch (const std::exception& thrown) {
        log::error("the job runner failed", {{"what", thrown.what()}});
    }
    pool_.join();
}

void JobRunner::begin_to_stop()
{
    stopping_ = true;
    for (const auto& [id, run] : running_) run->stop(LeasedRun::Stop::program_ends);
    give_back_ready();
    wake();
}

void JobRunner::give_back_ready()
{
    for (const auto& job : std::exchange(ready_, {})) {
        --queues_.at(job.kind).ready;
        outcomes_.push_back({.lease = job.lease, .kind = JobOutcome::Kind::back, .not_before = clock_.now()});
    }
}

asio::awaitable<void> JobRunner::work_until_stopped()
{
    auto give_up = std::chrono::steady_clock::time_point::max();
    bool insisted = false;
    while (!stopping_ || !running_.empty() || !outcomes_.empty()) {
        const auto done = co_await round();
        if (!done) log::failure(log::Level::warning, "working on jobs", done.error());
        if (stopping_) {
            if (give_up == std::chrono::steady_clock::time_point::max()) give_up = clock_.steady() + options_.patience;
            if (clock_.steady() >= give_up) {
                if (std::exchange(insisted, true) || running_.empty()) break;
                give_up += options_.patience;
                log::warning("jobs do not stop by themselves", {{"jobs", std::ssize(running_)}});
                co_await group_.drain(options_.patience / 2);
            }
        }
        if (!done || !has_more()) co_await pause(!done);
    }
}

Task<> JobRunner::round()
{
    if (!introduced_) {
        CO_CHECK(co_await introduce());
    }
    const auto now = clock_.steady();
    if (now >= next_renewal_) {
        CO_CHECK(co_await renew());
    }
    if (now >= next_look_) {
        next_look_ = now + between_looks;
        CO_CHECK(co_await write_logs());
        CO_CHECK(co_await look());
    }
    co_return co_await exchange();
}

Task<> JobRunner::introduce()
{
    std::vector<std::string> kinds{Schedules::paused_kind};
    for (const auto& [kind, queue] : queues_) kinds.push_back(kind);
    CO_CHECK(co_await store_.introduce(
        {.id = worker_,
         .host = options_.host,
         .pid = ::getpid(),
         .concurrency = options_.workers,
         .started_at = started_at_},
        std::move(kinds)
    ));
    introduced_ = true;
    if (options_.alone) {
        CO_CHECK(co_await store_.recover(clock_.now(), std::numeric_limits<Micros>::max()));
    }
    co_return Result<>{};
}

Task<> JobRunner::look()
{
    if (stopping_) co_return Result<>{};
    CO_TRY(auto found, co_await store_.look(worker_, clock_.now()));
    if (found.overdue) {
        const auto now = clock_.now();
        CO_CHECK(co_await store_.recover(now, now));
        CO_TRY(found, co_await store_.look(worker_, now));
    }
    for (const auto& kind : found.waiting) {
        if (const auto queue = queues_.find(kind); queue != queues_.end()) queue->second.waiting = true;
    }
    for (const auto id : found.to_stop) {
        if (const auto run = running_.find(id); run != running_.end()) run->second->stop(LeasedRun::Stop::asked);
    }
    if (found.next != 0) look_at(found.next);
    co_return Result<>{};
}

void JobRunner::look_at(Micros time)
{
    const std::chrono::microseconds wait{std::max<Micros>(time - clock_.now(), 0)};
    if (wait < between_looks) next_look_ = std::min(next_look_, clock_.steady() + wait + 1ms);
}

// Leases of this worker that nobody here knows of are those of an exchange whose answer was lost.
Task<> JobRunner::renew()
{
    const auto until = clock_.now() + std::chrono::microseconds{options_.lease}.count();
    CO_TRY(const auto leases, co_await store_.renew(worker_, clock_.now(), until));
    next_renewal_ = clock_.steady() + options_.lease / 3;
    std::set<JobLease> held{leases.begin(), leases.end()};
    for (const auto& [id, run] : running_) {
        if (held.erase(run->job().lease) == 0) run->stop(LeasedRun::Stop::lost);
    }
    for (const auto& job : ready_) held.erase(job.lease);
    for (const auto& outcome : outcomes_) held.erase(outcome.lease);
    for (const auto& lease : held) {
        outcomes_.push_back({.lease = lease, .kind = JobOutcome::Kind::back, .not_before = clock_.now()});
    }
    co_return Result<>{};
}

Task<> JobRunner::write_logs()
{
    // A copy: runs end while others' lines are written.
    const auto running = running_;
    for (const auto& [id, run] : running) {
        auto lines = run->take_lines();
        if (lines.empty()) continue;
        const auto written = co_await store_.append(run->job().lease, lines);
        if (written) continue;
        if (written.error().code() != Errc::conflict) {
            run->keep_lines(std::move(lines));
            co_return std::unexpected{written.error()};
        }
        // Of a run that has ended meanwhile it is no loss of its lease.
        if (running_.contains(id)) run->stop(LeasedRun::Stop::lost);
    }
    co_return Result<>{};
}

Task<> JobRunner::exchange()
{
    auto wanted = wants();
    if (outcomes_.empty() && wanted.empty()) co_return Result<>{};
    const auto outcomes = std::exchange(outcomes_, {});
    // Who adds from now on is heard of later than what this finds.
    for (const auto& want : wanted) queues_.at(want.kind).waiting = false;
    const auto now = clock_.now();
    const auto until = now + std::chrono::microseconds{options_.lease}.count();
    const auto most = wanted.empty() ? 0 : room();
    auto done = co_await store_.exchange(worker_, outcomes, wanted, most, now, until);
    if (!done) {
        for (const auto& want : wanted) queues_.at(want.kind).waiting = true;
        outcomes_.insert(outcomes_.end(), outcomes.begin(), outcomes.end());
        co_return std::unexpected{std::move(done).error()};
    }
    for (const auto& lease : done->refused) {
        log::info("another worker has taken a job over", {{"job", lease.id}, {"fence", lease.fence}});
    }
    const bool was_full = std::cmp_equal(done->leased.size(), most);
    for (const auto& want : wanted) {
        const auto leased = std::ranges::count(done->leased, want.kind, &LeasedJob::kind);
        if (was_full || leased == want.most) queues_.at(want.kind).waiting = true;
    }
    for (auto& job : done->leased) {
        ++queues_.at(job.kind).ready;
        ready_.push_back(std::move(job));
    }
    if (stopping_) {
        give_back_ready();
    } else {
        start_ready();
    }
    co_return Result<>{};
}

std::int64_t JobRunner::ahead(const Queue& queue)
{
    if (queue.average_micros < 0) return 0;
    const auto most = static_cast<double>(queue.most) * run_ahead_micros / std::max(queue.average_micros, 1.0);
    return static_cast<std::int64_t>(std::min(most, most_ahead));
}

std::vector<JobWant> JobRunner::wants() const
{
    std::vector<JobWant> wanted;
    if (stopping_) return wanted;
    for (const auto& [kind, queue] : queues_) {
        const auto most = queue.most + ahead(queue) - queue.running - queue.ready;
        if (queue.waiting && most > 0) wanted.push_back({kind, most});
    }
    if (room() <= 0) wanted.clear();
    return wanted;
}

std::int64_t JobRunner::room() const
{
    std::int64_t farthest = 0;
    for (const auto& [kind, queue] : queues_) {
        if (queue.waiting) farthest = std::max(farthest, ahead(queue));
    }
    return options_.workers + farthest - std::ssize(running_) - std::ssize(ready_);
}

bool JobRunner::has_more() const
{
    return !outcomes_.empty() || !wants().empty();
}

void JobRunner::start_ready()
{
    std::deque<LeasedJob> held;
    while (!ready_.empty() && std::cmp_less(running_.size(), options_.workers)) {
        LeasedJob job = std::move(ready_.front());
        ready_.pop_front();
        Queue& queue = queues_.at(job.kind);
        if (queue.running == queue.most) {
            held.push_back(std::move(job));
            continue;
        }
        --queue.ready;
        ++queue.running;
        count(job.kind, [](JobRunCounts& counts) { ++counts.running; });
        const auto run = std::make_shared<LeasedRun>(std::move(job), store_, clock_);
        running_.emplace(run->id(), run);
        group_.spawn(asio::make_strand(pool_), run_one(run));
    }
    ready_.insert(ready_.begin(), std::make_move_iterator(held.begin()), std::make_move_iterator(held.end()));
}

asio::awaitable<void> JobRunner::run_one(Run run)
{
    Result<JobEnd> end = fail(Errc::internal, "the job failed");
    try {
        // Found before: the map doesn't change after start().
        end = co_await queues_.at(run->job().kind).handler->run(*run);
    } catch (const std::exception& thrown) {
        end = fail(Errc::internal, "the job failed", thrown.what());
    }
    auto lines = run->take_lines();
    asio::post(strand_, [this, run, end = std::move(end), lines = std::move(lines)]() mutable {
        settle(*run, std::move(end), std::move(lines));
    });
}

void JobRunner::settle(const LeasedRun& run, Result<JobEnd> end, std::vector<JobLine> lines)
{
    Queue& queue = queues_.at(run.job().kind);
    const std::chrono::duration<double, std::micro> took = clock_.steady() - run.started();
    queue.average_micros =
        queue.average_micros < 0 ? took.count() : queue.average_micros * 0.875 + took.count() * 0.125;
    --queue.running;
    running_.erase(run.id());
    auto outcome = outcome_of(run, std::move(end));
    if (outcome.not_before != 0) look_at(outcome.not_before);
    outcome.lines = std::move(lines);
    outcomes_.push_back(std::move(outcome));
    if (!stopping_) start_ready();
    wake();
}

JobOutcome JobRunner::outcome_of(const LeasedRun& run, Result<JobEnd> end)
{
    const auto& job = run.job();
    const auto why = run.why_stopped();
    JobOutcome outcome{.lease = job.lease};
    const auto tell = [&](std::uint64_t JobRunCounts::* counter) {
        count(job.kind, [&](JobRunCounts& counts) {
            --counts.running;
            ++(counts.*(why == LeasedRun::Stop::lost ? &JobRunCounts::lost : counter));
        });
    };
    if (end) {
        outcome.result = storable_text(end->result, longest_result);
        switch (end->kind) {
            case JobEnd::Kind::done: tell(&JobRunCounts::succeeded); return outcome;
            case JobEnd::Kind::failed:
                tell(&JobRunCounts::failed);
                outcome.kind = JobOutcome::Kind::failed;
                return outcome;
            case JobEnd::Kind::stopped:
                tell(&JobRunCounts::stopped);
                outcome.kind =
                    why == LeasedRun::Stop::program_ends ? JobOutcome::Kind::back : JobOutcome::Kind::stopped;
                outcome.not_before = clock_.now();
                return outcome;
            case JobEnd::Kind::later:
                tell(&JobRunCounts::put_off);
                outcome.kind = JobOutcome::Kind::back;
                outcome.not_before = clock_.now() + end->wait;
                return outcome;
        }
    }
    const auto& error = end.error();
    outcome.result = storable_text(error.message(), longest_result);
    if (why != LeasedRun::Stop::no) {
        // Its work was cut off by us.
        tell(&JobRunCounts::stopped);
        outcome.kind = why == LeasedRun::Stop::asked ? JobOutcome::Kind::stopped : JobOutcome::Kind::back;
        outcome.not_before = clock_.now();
        return outcome;
    }
    const bool again = job.attempt < job.most_attempts;
    log::failure(again ? log::Level::info : log::Level::warning, "job " + std::to_string(run.id()), error);
    tell(again ? &JobRunCounts::retried : &JobRunCounts::failed);
    outcome.kind = again ? JobOutcome::Kind::again : JobOutcome::Kind::failed;
    const Micros asked = std::chrono::microseconds{error.retry_after()}.count();
    outcome.not_before = clock_.now() + std::max(retry_after(job.attempt), asked);
    return outcome;
}

// Twice as long each time, half of it by chance, so that what failed together doesn't come back together.
Micros JobRunner::retry_after(std::int32_t attempt)
{
    Micros wait = options_.first_retry;
    for (std::int32_t i = 1; i < attempt && wait < options_.longest_retry; ++i) wait *= 2;
    wait = std::min(wait, options_.longest_retry);
    std::array<std::byte, 2> chance{};
    random_.fill(chance);
    const auto part = (std::to_integer<Micros>(chance[0]) << 8) | std::to_integer<Micros>(chance[1]);
    return wait / 2 + wait / 2 * part / 65'536;
}

asio::awaitable<void> JobRunner::pause(bool after_failure)
{
    if (std::exchange(woken_, false) && !after_failure) co_return;
    const auto now = clock_.steady();
    timer_.expires_after(after_failure ? after_failing : std::min(next_look_, next_renewal_) - now);
    boost::system::error_code woken;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    woken_ = false;
}

void JobRunner::wake()
{
    woken_ = true;
    timer_.cancel();
}

template <class Change>
void JobRunner::count(const std::string& kind, Change change)
{
    const std::lock_guard lock{mutex_};
    change(counts_[kind]);
}

std::vector<JobRunCounts> JobRunner::counts() const
{
    const std::lock_guard lock{mutex_};
    std::vector<JobRunCounts> all;
    for (const auto& [kind, counts] : counts_) all.push_back(counts);
    return all;
}

}  // namespace entrepot

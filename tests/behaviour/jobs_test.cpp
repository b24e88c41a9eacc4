// The queue's runner and its schedules on a real SQLite store.
#include "core/run_to_end.hpp"
#include "drivers/filesystem/scratch_directory.hpp"
#include "drivers/sqlite/sqlite_store.hpp"
#include "tests/support/fake_clock.hpp"
#include "upkeep/jobs/job_runner.hpp"
#include "upkeep/jobs/jobs.hpp"
#include "upkeep/jobs/schedules.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <thread>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

template <class T>
T value_of(Result<T> result)
{
    if (!result) throw std::runtime_error{result.error().message() + " " + result.error().detail()};
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

bool eventually(const std::function<bool()>& condition)
{
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

// Answers what it was told to, in turn; the last one for ever.
class Scripted final : public JobHandler {
public:
    explicit Scripted(std::vector<Result<JobEnd>> answers) : answers_{std::move(answers)} {}

    Task<JobEnd> run(JobRun& run) override
    {
        run.log("attempt " + std::to_string(run.attempt()) + " of " + std::string{run.parameters()});
        const auto number = runs++;
        co_return answers_[std::min(number, answers_.size() - 1)];
    }
    std::atomic<std::size_t> runs = 0;

private:
    const std::vector<Result<JobEnd>> answers_;
};

// Works until it is asked to stop, a step each millisecond that it saves.
class Patient final : public JobHandler {
public:
    Task<JobEnd> run(JobRun& run) override
    {
        ++running;
        most = std::max(most.load(), running.load());
        const auto home = co_await asio::this_coro::executor;
        asio::steady_timer timer{home};
        int step = run.checkpoint().empty() ? 0 : std::stoi(std::string{run.checkpoint()});
        first_step = step;
        Result<> saved;
        while (!run.stop_requested() && saved && !may_end) {
            timer.expires_after(1ms);
            co_await timer.async_wait(asio::use_awaitable);
            saved = co_await run.save(std::to_string(++step), "{}");
        }
        --running;
        if (!saved) co_return std::unexpected{saved.error()};
        co_return JobEnd{.kind = may_end ? JobEnd::Kind::done : JobEnd::Kind::stopped};
    }
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    std::atomic<int> first_step = 0;
    std::atomic<bool> may_end = false;
};

class Throwing final : public JobHandler {
public:
    Task<JobEnd> run(JobRun&) override
    {
        throw std::runtime_error{"a bug"};
        co_return JobEnd{};
    }
};

class JobRunnerTest : public testing::Test {
protected:
    JobRunnerTest() { options.first_retry = 1; }
    ~JobRunnerTest() override
    {
        runner.reset();
        store->stop();
    }

    JobRunner& make_runner()
    {
        runner = std::make_unique<JobRunner>(store->job_store(), clock, random, options);
        return *runner;
    }
    std::int64_t add(std::string kind, std::int32_t most_attempts = 3)
    {
        NewJob job;
        job.kind = std::move(kind);
        job.parameters = "{}";
        job.most_attempts = most_attempts;
        job.actor.at = clock.now();
        return value_of(run_to_end(store->job_queue().add({job}))).front();
    }
    Job find(std::int64_t id) { return value_of(run_to_end(store->jobs().find(id))); }
    std::int64_t unfinished()
    {
        std::int64_t jobs = 0;
        for (const auto& queue : value_of(run_to_end(store->jobs().queues()))) {
            jobs += queue.waiting + queue.delayed + queue.running;
        }
        return jobs;
    }
    bool becomes(std::int64_t id, JobState state)
    {
        return eventually([&] { return find(id).state == state; });
    }

    ScratchDirectory directory{memory_or_disk()};
    SystemClock clock;
    SystemRandom random;
    std::unique_ptr<MetadataStore> store = open_sqlite_store({.file = (directory.path() / "m.db").string()}, clock);
    JobRunnerOptions options;
    std::unique_ptr<JobRunner> runner;
};

TEST_F(JobRunnerTest, runs_what_is_added_and_keeps_its_result_and_log)
{
    Scripted handler{{JobEnd{.result = R"({"freed":3})"}}};
    make_runner().handle("k", handler);
    const auto before = add("k");
    runner->start();
    EXPECT_TRUE(becomes(before, JobState::succeeded));
    const auto later = add("k");
    EXPECT_TRUE(becomes(later, JobState::succeeded));
    EXPECT_EQ(find(later).result, R"({"freed":3})");
    Jobs jobs{store->jobs(), clock, {}};
    EXPECT_NE(value_of(run_to_end(jobs.log_text(later))).find("attempt 1 of {}\n"), std::string::npos);
    const auto counts = runner->counts();
    ASSERT_EQ(counts.size(), 1U);
    EXPECT_EQ(counts.front().succeeded, 2U);
    EXPECT_EQ(counts.front().running, 0);
}

TEST_F(JobRunnerTest, an_error_is_tried_again_and_at_last_a_dead_letter_that_can_be_retried)
{
    const auto away = fail(Errc::unavailable, "the receiver is away");
    Scripted handler{{away, away, away, JobEnd{}}};
    make_runner().handle("k", handler);
    runner->start();
    const auto id = add("k", 3);
    EXPECT_TRUE(becomes(id, JobState::failed));
    EXPECT_EQ(handler.runs, 3U);
    EXPECT_EQ(find(id).result, "the receiver is away");
    EXPECT_EQ(find(id).attempts, 3);
    value_of(run_to_end(store->jobs().retry(id)));
    EXPECT_TRUE(becomes(id, JobState::succeeded));
    EXPECT_EQ(runner->counts().front().retried, 2U);
    EXPECT_EQ(runner->counts().front().failed, 1U);
}

TEST_F(JobRunnerTest, later_is_no_attempt_and_failed_is_for_good)
{
    Scripted handler{
        {JobEnd{.kind = JobEnd::Kind::later, .wait = 1},
         JobEnd{.kind = JobEnd::Kind::later, .wait = 1},
         JobEnd{.kind = JobEnd::Kind::failed, .result = "no such policy"}}
    };
    make_runner().handle("k", handler);
    runner->start();
    const auto id = add("k", 1);
    EXPECT_TRUE(becomes(id, JobState::failed));
    EXPECT_EQ(find(id).attempts, 1);
    EXPECT_EQ(find(id).result, "no such policy");
}

TEST_F(JobRunnerTest, a_handler_that_throws_is_a_failed_attempt)
{
    Throwing handler;
    make_runner().handle("k", handler);
    runner->start();
    EXPECT_TRUE(becomes(add("k", 1), JobState::failed));
}

TEST_F(JobRunnerTest, text_that_no_engine_could_store_does_not_hold_up_the_queue)
{
    Scripted handler{{JobEnd{.result = std::string{"a\0b\xff", 4}}}};
    make_runner().handle("k", handler);
    runner->start();
    const auto id = add("k");
    EXPECT_TRUE(becomes(id, JobState::succeeded));
    EXPECT_EQ(find(id).result, "a?b?");
}

TEST_F(JobRunnerTest, no_more_run_at_once_than_there_are_workers_or_than_the_kind_allows)
{
    options.workers = 3;
    Patient all;
    Patient few;
    make_runner().handle("all", all);
    runner->handle("few", few, 1);
    for (int i = 0; i < 6; ++i) add("few");
    std::int64_t last = 0;
    for (int i = 0; i < 6; ++i) last = add("all");
    runner->start();
    EXPECT_TRUE(eventually([&] { return all.running + few.running == 3; }));
    few.may_end = true;
    all.may_end = true;
    EXPECT_TRUE(becomes(last, JobState::succeeded));
    EXPECT_TRUE(eventually([&] { return unfinished() == 0; }));
    EXPECT_EQ(few.most, 1);
    EXPECT_LE(all.most, 3);
}

TEST_F(JobRunnerTest, a_job_that_somebody_stops_ends_and_one_that_the_program_stops_goes_on_where_it_was)
{
    Patient handler;
    make_runner().handle("k", handler);
    runner->start();
    const auto stopped = add("k");
    EXPECT_TRUE(eventually([&] { return handler.running == 1; }));
    value_of(run_to_end(store->jobs().stop(stopped, clock.now())));
    EXPECT_TRUE(becomes(stopped, JobState::stopped));

    const auto id = add("k");
    EXPECT_TRUE(eventually([&] { return find(id).progress == "{}"; }));
    runner->stop();
    EXPECT_EQ(find(id).state, JobState::delayed) << "given back at once";
    EXPECT_EQ(find(id).attempts, 0);
    make_runner().handle("k", handler);
    handler.first_step = 0;
    runner->start();
    EXPECT_TRUE(eventually([&] { return handler.first_step > 0; }));
    handler.may_end = true;
    EXPECT_TRUE(becomes(id, JobState::succeeded));
}

TEST_F(JobRunnerTest, a_run_whose_lease_went_to_another_worker_ends_without_effect)
{
    Patient handler;
    make_runner().handle("k", handler);
    runner->start();
    const auto id = add("k");
    EXPECT_TRUE(eventually([&] { return find(id).progress == "{}"; }));
    // As though this process had been asleep for longer than its lease.
    auto& port = store->job_store();
    value_of(run_to_end(port.recover(clock.now(), clock.now() + 3'600'000'000)));
    const auto taken =
        value_of(run_to_end(port.exchange("other", {}, {{"k", 1}}, 1, clock.now(), clock.now() + 60'000'000)));
    // It may have been quicker to take it again itself: then there is nothing to see.
    if (taken.leased.size() == 1) {
        EXPECT_TRUE(eventually([&] { return handler.running == 0; }));
        EXPECT_EQ(find(id).state, JobState::running);
        EXPECT_EQ(find(id).worker, "other");
        EXPECT_TRUE(eventually([&] { return runner->counts().front().lost == 1; }));
    }
}

TEST_F(JobRunnerTest, what_a_crash_left_leased_is_taken_up_at_once_where_nobody_else_works)
{
    const auto id = add("k");
    value_of(run_to_end(store->job_store().exchange("dead", {}, {{"k", 1}}, 1, clock.now(), clock.now() + 60'000'000)));
    options.alone = true;
    Scripted handler{{JobEnd{}}};
    make_runner().handle("k", handler);
    runner->start();
    EXPECT_TRUE(becomes(id, JobState::succeeded));
    EXPECT_EQ(find(id).losses, 1);
}

TEST_F(JobRunnerTest, a_paused_kind_rests_and_others_run)
{
    Scripted paused{{JobEnd{}}};
    Scripted other{{JobEnd{}}};
    make_runner().handle("paused", paused);
    runner->handle("other", other);
    value_of(run_to_end(store->job_store().introduce({.id = "before"}, {"paused"})));
    value_of(run_to_end(store->jobs().pause("paused", true, 1)));
    const auto rests = add("paused");
    runner->start();
    EXPECT_TRUE(becomes(add("other"), JobState::succeeded));
    EXPECT_EQ(paused.runs, 0U);
    value_of(run_to_end(store->jobs().pause("paused", false, 1)));
    EXPECT_TRUE(becomes(rests, JobState::succeeded));
}

TEST_F(JobRunnerTest, thousands_of_jobs_run_once_each)
{
    Scripted handler{{JobEnd{}}};
    make_runner().handle("k", handler);
    NewJob job;
    job.kind = "k";
    const auto ids = value_of(run_to_end(store->job_queue().add(std::vector<NewJob>(3000, job))));
    runner->start();
    EXPECT_TRUE(eventually([&] { return handler.runs >= 3000U; }));
    EXPECT_TRUE(eventually([&] { return runner->counts().front().succeeded == 3000; }));
    runner->stop();
    EXPECT_EQ(handler.runs, 3000U);
    EXPECT_EQ(unfinished(), 0);
}

class SchedulesTest : public JobRunnerTest {
protected:
    FakeClock time;
    Schedules schedules{store->schedules(), store->jobs(), time};

    static Schedule wanted(std::string type, std::string cron = {})
    {
        Schedule schedule;
        schedule.kind = "k";
        schedule.type = std::move(type);
        schedule.cron = std::move(cron);
        return schedule;
    }
    std::size_t jobs_after_firing()
    {
        value_of(run_to_end(schedules.fire_due()));
        return value_of(run_to_end(store->jobs().list({}))).items.size();
    }
    std::string next() { return rfc3339(value_of(run_to_end(schedules.find("k", 0))).next_at); }
};

// The clock begins at 2026-09-21T14:13:20Z.
TEST_F(SchedulesTest, a_schedule_comes_round_and_leaves_a_job_each_time)
{
    value_of(run_to_end(schedules.set(wanted("Hourly"))));
    EXPECT_EQ(next(), "2026-09-21T15:00:00Z");
    EXPECT_EQ(jobs_after_firing(), 0U);
    time.advance(47min);
    EXPECT_EQ(jobs_after_firing(), 1U);
    EXPECT_EQ(jobs_after_firing(), 1U);
    EXPECT_EQ(next(), "2026-09-21T16:00:00Z");
    value_of(run_to_end(schedules.set(wanted("Custom", "0 30 2 * * *"))));
    EXPECT_EQ(next(), "2026-09-22T02:30:00Z");
    value_of(run_to_end(schedules.set(wanted("None"))));
    time.advance(240h);
    EXPECT_EQ(jobs_after_firing(), 1U);
    value_of(run_to_end(schedules.remove("k", 0)));
    value_of(run_to_end(schedules.remove("k", 0)));
}

TEST_F(SchedulesTest, what_was_missed_runs_once_late_or_not_at_all)
{
    value_of(run_to_end(schedules.set(wanted("Hourly"))));
    time.advance(10h);
    EXPECT_EQ(jobs_after_firing(), 1U) << "once, not ten times";
    EXPECT_EQ(next(), "2026-09-22T01:00:00Z");
    auto skipping = wanted("Hourly");
    skipping.runs_missed = false;
    value_of(run_to_end(schedules.set(skipping)));
    time.advance(10h);
    EXPECT_EQ(jobs_after_firing(), 1U);
    EXPECT_EQ(next(), "2026-09-22T11:00:00Z");
    time.advance(47min);
    EXPECT_EQ(jobs_after_firing(), 2U) << "in time";
}

TEST_F(SchedulesTest, nothing_fires_while_schedules_are_paused)
{
    value_of(run_to_end(store->job_store().introduce({.id = "before"}, {Schedules::paused_kind})));
    value_of(run_to_end(schedules.set(wanted("Hourly"))));
    value_of(run_to_end(store->jobs().pause(Schedules::paused_kind, true, 1)));
    time.advance(2h);
    EXPECT_EQ(jobs_after_firing(), 0U);
    value_of(run_to_end(store->jobs().pause(Schedules::paused_kind, false, 1)));
    EXPECT_EQ(jobs_after_firing(), 1U);
}

TEST_F(SchedulesTest, nonsense_is_refused)
{
    for (const auto& schedule :
         {wanted("Custom"),
          wanted("Custom", "0 0 0 30 2 *"),
          wanted("Sometimes", "0 0 * * * *"),
          wanted("Daily", "nonsense"),
          wanted("", "0 0 * * * *")}) {
        const auto refused = run_to_end(schedules.set(schedule));
        ASSERT_FALSE(refused) << schedule.type;
        EXPECT_EQ(refused.error().code(), Errc::bad_request);
        EXPECT_FALSE(Schedules::check(schedule.type, schedule.cron));
    }
}

TEST_F(SchedulesTest, history_is_cleared_by_age)
{
    Jobs jobs{store->jobs(), time, {.keep = 3'600'000'000, .most = 100}};
    NewJob job;
    job.kind = "k";
    job.actor.at = time.now();
    const auto ids = value_of(run_to_end(store->job_queue().add({job, job})));
    value_of(run_to_end(jobs.stop(ids[0])));
    value_of(run_to_end(jobs.remove_old()));
    EXPECT_EQ(find(ids[0]).state, JobState::stopped);
    time.advance(2h);
    value_of(run_to_end(jobs.remove_old()));
    EXPECT_FALSE(run_to_end(store->jobs().find(ids[0])));
    EXPECT_EQ(find(ids[1]).state, JobState::waiting);
    value_of(run_to_end(jobs.stop_queue("k")));
    EXPECT_EQ(find(ids[1]).state, JobState::stopped);
}

}  // namespace
}  // namespace entrepot

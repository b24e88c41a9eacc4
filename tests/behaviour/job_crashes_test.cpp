// Programs that run jobs are killed at random moments while they do. Whatever happens to them, every job ends, and each
// of its steps takes effect once: what a run still does after its lease went to another is told apart by its fence.
#include "core/run_to_end.hpp"
#include "drivers/filesystem/scratch_directory.hpp"
#include "drivers/postgres/postgres_store.hpp"
#include "drivers/sqlite/sqlite_store.hpp"
#include "tests/support/postgres_server.hpp"
#include "upkeep/jobs/job_runner.hpp"

#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr int steps = 4;

using Open = std::function<std::unique_ptr<MetadataStore>(const Clock&)>;

template <class T>
T value_of(Result<T> result)
{
    if (!result) throw std::runtime_error{result.error().message() + " " + result.error().detail()};
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// Writes a line "job step fence" for each step and saves which one comes next.
class Steps final : public JobHandler {
public:
    explicit Steps(const std::filesystem::path& file)
        : effects_{::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)}
    {
    }

    Task<JobEnd> run(JobRun& run) override
    {
        asio::steady_timer timer{co_await asio::this_coro::executor};
        int step = run.checkpoint().empty() ? 0 : std::stoi(std::string{run.checkpoint()});
        for (; step < steps; ++step) {
            const auto line =
                std::to_string(run.id()) + " " + std::to_string(step) + " " + std::to_string(run.fence()) + "\n";
            if (::write(effects_, line.data(), line.size()) < 0) co_return fail(Errc::unavailable, "no effect");
            run.log("step " + std::to_string(step));
            timer.expires_after(5ms);
            co_await timer.async_wait(asio::use_awaitable);
            CO_CHECK(co_await run.save(std::to_string(step + 1), "{}"));
        }
        co_return JobEnd{};
    }

private:
    const int effects_;
};

// Never returns: this is the program that is killed.
[[noreturn]] void work(const Open& open, const std::filesystem::path& effects, bool alone)
{
    const SystemClock clock;
    SystemRandom random;
    const auto store = open(clock);
    Steps handler{effects};
    JobRunnerOptions options;
    options.lease = 1s;
    options.alone = alone;
    JobRunner runner{store->job_store(), clock, random, options};
    runner.handle("steps", handler);
    runner.start();
    while (true) std::this_thread::sleep_for(1h);
}

::pid_t start(const Open& open, const std::filesystem::path& effects, bool alone)
{
    const auto child = ::fork();
    if (child == 0) {
        try {
            work(open, effects, alone);
        } catch (...) {
            ::_exit(1);
        }
    }
    return child;
}

void kill_and_reap(::pid_t child)
{
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
}

// The log of effects in the order of their fences: a step of an older run never comes after one of a newer run's later
// step, and every step of every job is there.
void check_effects(const std::filesystem::path& file, const std::vector<std::int64_t>& ids)
{
    std::ifstream stream{file};
    std::map<std::pair<std::int64_t, int>, std::int64_t> applied;  // (job, step) → the highest fence
    std::int64_t job = 0;
    int step = 0;
    std::int64_t fence = 0;
    std::int64_t lines = 0;
    while (stream >> job >> step >> fence) {
        ++lines;
        auto& highest = applied[{job, step}];
        highest = std::max(highest, fence);
    }
    EXPECT_EQ(std::ssize(applied), std::ssize(ids) * steps) << "every step, and no other";
    for (const auto id : ids) {
        std::int64_t before = 0;
        for (int i = 0; i < steps; ++i) {
            EXPECT_GE(applied[std::pair(id, i)], before) << "a step was last done by an older run than the one before";
            before = applied[std::pair(id, i)];
        }
    }
    EXPECT_GT(lines, std::ssize(applied)) << "nothing was killed in the middle: this test has seen nothing";
}

std::int64_t unfinished(MetadataStore& store)
{
    std::int64_t count = 0;
    for (const auto& queue : value_of(run_to_end(store.jobs().queues()))) {
        count += queue.waiting + queue.delayed + queue.running;
    }
    return count;
}

int rounds()
{
    return std::getenv("ENTREPOT_SOAK") ? 200 : 6;
}
std::int64_t jobs()
{
    return 50 * rounds();
}

// Until the runs have had so many effects, or nothing comes any more.
void wait_for_effects(const std::filesystem::path& file, std::int64_t wanted)
{
    for (int i = 0; i < 10'000; ++i) {
        std::ifstream stream{file};
        if (std::count(std::istreambuf_iterator<char>{stream}, {}, '\n') >= wanted) return;
        std::this_thread::sleep_for(2ms);
    }
    ADD_FAILURE() << "the jobs stand still";
}
// How many there are when somebody is to be killed for the i-th time.
std::int64_t effects_at(int i)
{
    return jobs() * steps * (i + 1) / (rounds() + 1);
}

std::vector<std::int64_t> add_jobs(MetadataStore& store, const Clock& clock)
{
    NewJob job;
    job.kind = "steps";
    job.actor.at = clock.now();
    return value_of(run_to_end(store.job_queue().add(std::vector<NewJob>(static_cast<std::size_t>(jobs()), job))));
}

void expect_all_succeeded(MetadataStore& store, const std::vector<std::int64_t>& ids)
{
    for (const auto id : ids) {
        const auto job = value_of(run_to_end(store.jobs().find(id)));
        EXPECT_EQ(job.state, JobState::succeeded) << id << ": " << job.result;
        EXPECT_GE(job.log_lines, 1) << id;
    }
}

TEST(JobCrashes, on_sqlite_the_next_program_finishes_what_a_killed_one_began)
{
    const ScratchDirectory directory;
    const SystemClock clock;
    const auto file = (directory.path() / "m.db").string();
    const auto effects = directory.path() / "effects";
    const Open open = [&](const Clock& with) { return open_sqlite_store({.file = file}, with); };
    std::vector<std::int64_t> ids;
    // No store is open here while a child has it.
    const auto with_store = [&](auto work_on) {
        const auto store = open(clock);
        work_on(*store);
        store->stop();
    };
    with_store([&](MetadataStore& store) { ids = add_jobs(store, clock); });
    for (int i = 0; i < rounds(); ++i) {
        const auto child = start(open, effects, true);
        wait_for_effects(effects, effects_at(i));
        kill_and_reap(child);
    }
    with_store([&](MetadataStore& store) {
        SystemRandom chance;
        Steps handler{effects};
        JobRunner runner{store.job_store(), clock, chance, {.alone = true}};
        runner.handle("steps", handler);
        runner.start();
        for (int i = 0; i < 600 && unfinished(store) > 0; ++i) std::this_thread::sleep_for(50ms);
        runner.stop();
        expect_all_succeeded(store, ids);
    });
    check_effects(effects, ids);
}

TEST(JobCrashes, on_postgresql_others_take_over_from_one_that_is_killed)
{
    const ScratchDirectory directory;
    const SystemClock clock;
    const auto url = PostgresServer::shared().create_database();
    const auto effects = directory.path() / "effects";
    const Open open = [&](const Clock& with) {
        PostgresOptions options;
        options.patience = std::chrono::minutes{1};  // on a machine that stands still at times
        options.url = url;
        options.connections = 3;
        return open_postgres_store(options, with);
    };
    // The schema, and nothing of this process's that a child could inherit.
    open(clock)->stop();
    std::vector<::pid_t> children;
    for (int i = 0; i < 3; ++i) children.push_back(start(open, effects, false));
    auto first = open(clock);
    const auto ids = add_jobs(*first, clock);
    first->stop();
    first.reset();
    for (int i = 0; i < rounds(); ++i) {
        auto& victim = children[static_cast<std::size_t>(i) % children.size()];
        wait_for_effects(effects, effects_at(i));
        kill_and_reap(victim);
        victim = start(open, effects, false);
    }
    const auto store = open(clock);
    for (int i = 0; i < 1200 && unfinished(*store) > 0; ++i) std::this_thread::sleep_for(50ms);
    for (const auto child : children) kill_and_reap(child);
    expect_all_succeeded(*store, ids);
    store->stop();
    check_effects(effects, ids);
}

}  // namespace
}  // namespace entrepot

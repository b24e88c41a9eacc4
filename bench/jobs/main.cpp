// Adds jobs that do nothing and runs them to their end through the runner that the server has; then, before a queue of
// `backlog` waiting jobs, takes and ends jobs one batch after another. The database should be new.
#include "core/run_to_end.hpp"
#include "drivers/postgres/postgres_store.hpp"
#include "drivers/sqlite/sqlite_store.hpp"
#include "upkeep/jobs/job_runner.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace entrepot {
namespace {

using Steady = std::chrono::steady_clock;

struct BenchOptions {
    std::string database;
    std::int64_t jobs = 20'000;
    std::int64_t backlog = 0;
    std::int64_t tenants = 100;
    std::int64_t workers = 8;
    std::int64_t rounds = 200;
};

template <class T>
T or_throw(Result<T> result)
{
    if (!result) throw std::runtime_error{result.error().message() + " " + result.error().detail()};
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

double seconds_since(Steady::time_point start)
{
    return std::chrono::duration<double>(Steady::now() - start).count();
}

double cpu_seconds()
{
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

class Nothing final : public JobHandler {
public:
    Task<JobEnd> run(JobRun&) override
    {
        ++runs;
        co_return JobEnd{};
    }
    std::atomic<std::int64_t> runs = 0;
};

void add_jobs(MetadataStore& store, const std::string& kind, std::int64_t count, const BenchOptions& options)
{
    constexpr std::int64_t at_once = 1000;
    const SystemClock clock;
    for (std::int64_t next = 0; next < count;) {
        std::vector<NewJob> jobs;
        for (; next < count && std::ssize(jobs) < at_once; ++next) {
            NewJob job;
            job.kind = kind;
            job.tenant_id = 1 + next % options.tenants;
            job.parameters = "{}";
            job.actor.at = clock.now();
            jobs.push_back(std::move(job));
        }
        or_throw(run_to_end(store.job_queue().add(std::move(jobs))));
    }
}

void run_jobs(MetadataStore& store, const BenchOptions& options)
{
    const auto added = Steady::now();
    add_jobs(store, "bench", options.jobs, options);
    std::printf("added    %8.0f jobs/s\n", static_cast<double>(options.jobs) / seconds_since(added));
    const SystemClock clock;
    SystemRandom random;
    Nothing handler;
    JobRunnerOptions chosen;
    chosen.workers = options.workers;
    JobRunner runner{store.job_store(), clock, random, chosen};
    runner.handle("bench", handler);
    const auto cpu = cpu_seconds();
    const auto start = Steady::now();
    runner.start();
    const auto unfinished = [&] {
        for (const auto& queue : or_throw(run_to_end(store.jobs().queues()))) {
            if (queue.kind == "bench") return queue.waiting + queue.delayed + queue.running;
        }
        return std::int64_t{0};
    };
    while (handler.runs < options.jobs || unfinished() > 0) std::this_thread::sleep_for(std::chrono::milliseconds{5});
    const auto took = seconds_since(start);
    const auto burnt = cpu_seconds() - cpu;
    runner.stop();
    const auto jobs = static_cast<double>(options.jobs);
    std::printf("ran      %8.0f jobs/s, %.0f us of this process's CPU a job\n", jobs / took, burnt / jobs * 1e6);
    if (handler.runs != options.jobs) throw std::runtime_error{"jobs ran more than once"};
}

double percentile(std::vector<double>& values, double part)
{
    std::ranges::sort(values);
    return values.at(static_cast<std::size_t>(part * static_cast<double>(values.size() - 1)));
}

void take_from_backlog(MetadataStore& store, const BenchOptions& options)
{
    const auto added = Steady::now();
    add_jobs(store, "backlog", options.backlog, options);
    std::printf(
        "backlog of %lld added at %.0f jobs/s\n",
        static_cast<long long>(options.backlog),
        static_cast<double>(options.backlog) / seconds_since(added)
    );
    const SystemClock clock;
    std::vector<double> looks;
    std::vector<double> exchanges;
    std::vector<JobOutcome> outcomes;
    for (std::int64_t round = 0; round < options.rounds; ++round) {
        auto start = Steady::now();
        or_throw(run_to_end(store.job_store().look("w", clock.now())));
        looks.push_back(seconds_since(start) * 1e3);
        start = Steady::now();
        const auto done = or_throw(run_to_end(store.job_store().exchange(
            "w", std::move(outcomes), {{"backlog", 8}}, 8, clock.now(), clock.now() + 30'000'000
        )));
        exchanges.push_back(seconds_since(start) * 1e3);
        outcomes.clear();
        for (const auto& job : done.leased) outcomes.push_back({.lease = job.lease});
    }
    std::printf("look      p50 %.2f ms, p99 %.2f ms\n", percentile(looks, 0.5), percentile(looks, 0.99));
    std::printf(
        "8 ended, 8 leased  p50 %.2f ms, p99 %.2f ms\n", percentile(exchanges, 0.5), percentile(exchanges, 0.99)
    );
    const auto start = Steady::now();
    or_throw(run_to_end(store.jobs().queues()));
    std::printf("counts of all queues %.1f ms\n", seconds_since(start) * 1e3);
}

std::unique_ptr<MetadataStore> open_store(const BenchOptions& options, const Clock& clock)
{
    if (options.database.starts_with("postgres")) {
        PostgresOptions postgres;
        postgres.url = options.database;
        return open_postgres_store(postgres, clock);
    }
    SqliteOptions sqlite;
    sqlite.file = options.database;
    return open_sqlite_store(sqlite, clock);
}

void run(const BenchOptions& options)
{
    const SystemClock clock;
    const auto store = open_store(options, clock);
    run_jobs(*store, options);
    if (options.backlog > 0) take_from_backlog(*store, options);
    store->stop();
}

}  // namespace
}  // namespace entrepot

int main(int argc, char** argv)
{
    entrepot::BenchOptions options;
    CLI::App app{"how fast jobs run"};
    app.add_option("--database", options.database, "postgresql://…, or SQLite's file")->required();
    app.add_option("--jobs", options.jobs);
    app.add_option("--backlog", options.backlog);
    app.add_option("--tenants", options.tenants);
    app.add_option("--workers", options.workers);
    app.add_option("--rounds", options.rounds);
    CLI11_PARSE(app, argc, argv);
    try {
        entrepot::run(options);
    } catch (const std::exception& thrown) {
        std::fprintf(stderr, "%s\n", thrown.what());
        return 1;
    }
    return 0;
}

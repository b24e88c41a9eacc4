// Measures garbage collection on a SQLite or PostgreSQL catalog and files: first how fast dead manifests, their links
// and their blobs go, then what pushes and pulls feel of a collection that keeps a rate. Writes lines for bench/GC.md.
#include "tests/support/gc_installation.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

namespace entrepot {
namespace {

using Time = std::chrono::steady_clock;

struct Options {
    std::filesystem::path directory;
    std::string database;
    std::int64_t live = 60'000;
    std::int64_t dead = 20'000;
    std::int64_t rate = 500;
    int seconds = 15;
    int pushers = 2;
    int pushes_a_second = 40;  // of each
};

template <class T>
T or_throw(Result<T> result)
{
    if (!result) throw std::runtime_error{result.error().message() + " " + result.error().detail()};
    if constexpr (!std::is_void_v<T>) return *std::move(result);
}

double seconds_since(Time::time_point began)
{
    return std::chrono::duration<double>(Time::now() - began).count();
}

// Says when each step ended.
class TimedRun final : public JobRun {
public:
    TimedRun(std::string parameters, const std::atomic<bool>& stop) : parameters_{std::move(parameters)}, stop_{stop} {}
    std::int64_t id() const noexcept override { return 1; }
    std::int64_t fence() const noexcept override { return 1; }
    std::int32_t attempt() const noexcept override { return 1; }
    std::string_view parameters() const noexcept override { return parameters_; }
    std::string_view checkpoint() const noexcept override { return {}; }
    bool stop_requested() const noexcept override { return stop_; }
    Task<> save(std::string, std::string) override { co_return Result<>{}; }
    void log(std::string line) override
    {
        steps.push_back(seconds_since(began_));
        began_ = Time::now();
        std::printf("  %s\n", line.c_str());
    }
    std::vector<double> steps;

private:
    std::string parameters_;
    const std::atomic<bool>& stop_;
    Time::time_point began_ = Time::now();
};

class Bench {
public:
    explicit Bench(Options options) : options_{std::move(options)}, system_{options_.database, options_.directory}
    {
        or_throw(system_.create_projects());
        or_throw(system_.start());
    }

    void run()
    {
        for (const auto& place : repositories()) {
            for (const auto& blob : shared_) or_throw(bring(place, blob));
        }
        seed("live", options_.live, [this](std::int64_t number) { push_live(number); });
        seed("dead", options_.dead, [this](std::int64_t number) { push_dead(number); });
        collect_all();
        seed("dead", options_.rate * options_.seconds, [this](std::int64_t number) { push_dead(1'000'000 + number); });
        const auto idle = serve("idle", false);
        const auto busy = serve("while collecting", true);
        std::printf(
            "| p99 of a push | %.1f ms idle, %.1f ms collecting | %.2fx |\n",
            idle.push,
            busy.push,
            busy.push / idle.push
        );
        std::printf(
            "| p99 of a pull | %.2f ms idle, %.2f ms collecting | %.2fx |\n",
            idle.pull,
            busy.pull,
            busy.pull / idle.pull
        );
    }

private:
    struct Tails {
        double push = 0;
        double pull = 0;
    };

    Result<> bring(const RepositoryName& place, const std::string& blob)
    {
        Body body{blob};
        return run_to_end(system_.uploads.push(place, digest_of(blob), body, Installation::admin()));
    }
    void commit(const RepositoryName& place, const std::vector<std::string>& blobs, std::int64_t number, bool tagged)
    {
        const auto image = image_of(blobs, std::to_string(number));
        NewManifest manifest{
            .repository = place,
            .digest = digest_of(image),
            .bytes = image,
            .manifest = Manifest::parse(media::oci_manifest, image).value(),
            .tags = {},
            .actor = system_.actor(),
        };
        if (tagged) manifest.tags.push_back(Tag::parse("v" + std::to_string(number)).value());
        or_throw(run_to_end(system_.store->manifests().commit(std::move(manifest))));
    }
    static const RepositoryName& place_of(std::int64_t number)
    {
        return repositories()[static_cast<std::size_t>(number) % repositories().size()];
    }
    void push_live(std::int64_t number) { commit(place_of(number), shared_, number, true); }
    // Two blobs of its own, a tag that nobody keeps: dead from the start.
    void push_dead(std::int64_t number)
    {
        const auto own = std::to_string(number) + std::string(1000, 'x');
        const std::vector<std::string> blobs{"c" + own, "l" + own};
        for (const auto& blob : blobs) or_throw(bring(place_of(number), blob));
        commit(place_of(number), blobs, number, false);
    }

    template <class Push>
    void seed(const char* what, std::int64_t count, Push push)
    {
        const auto began = Time::now();
        std::atomic<std::int64_t> next = 0;
        std::vector<std::jthread> crowd;
        for (int i = 0; i < 48; ++i) {
            crowd.emplace_back([&] {
                for (auto number = next++; number < count; number = next++) push(number);
            });
        }
        crowd.clear();
        std::printf("%lld %s manifests pushed in %.0f s\n", static_cast<long long>(count), what, seconds_since(began));
        std::fflush(stdout);
    }

    void collect_all()
    {
        TimedRun run{R"({"delete_untagged": true})", never_};
        const auto count = GarbageCount::parse(or_throw(run_to_end(system_.collection.run(run))).result);
        const auto a_second = [&](std::uint64_t done, std::size_t step) {
            return static_cast<double>(done) / run.steps.at(step);
        };
        std::printf("| manifests marked and removed | ≥ 5,000/s | %.0f/s |\n", a_second(count.manifests, 0));
        std::printf("| links swept | | %.0f/s |\n", a_second(count.links, 1));
        std::printf("| blobs removed | ≥ 1,000/s | %.0f/s |\n", a_second(count.blobs, 2));
        std::fflush(stdout);
    }

    // Pushes at a fixed rate and pulls beside them; answers the 99th percentiles in milliseconds.
    Tails serve(const char* name, bool collecting)
    {
        const auto until = Time::now() + std::chrono::seconds{options_.seconds};
        std::atomic<bool> stop = false;
        std::vector<double> pushes;
        std::vector<double> pulls;
        std::mutex mutex;
        std::vector<std::jthread> crowd;
        for (int i = 0; i < options_.pushers; ++i)
            crowd.emplace_back([&, i] { push_at_rate(until, i, pushes, mutex); });
        crowd.emplace_back([&] { pull_at_rate(until, pulls); });
        std::jthread collector;
        if (collecting) {
            collector = std::jthread{[&] {
                TimedRun run{R"({"delete_untagged": true, "rate": )" + std::to_string(options_.rate) + "}", stop};
                while (!stop) (void)run_to_end(paced_.run(run));
            }};
        }
        crowd.clear();
        stop = true;
        if (collecting) collector.join();
        const Tails tails{percentile(pushes), percentile(pulls)};
        std::printf("%s: %zu pushes, %zu pulls\n", name, pushes.size(), pulls.size());
        std::fflush(stdout);
        return tails;
    }
    void push_at_rate(Time::time_point until, int who, std::vector<double>& times, std::mutex& mutex)
    {
        auto next = Time::now();
        while (Time::now() < until) {
            next += std::chrono::microseconds{1'000'000 / options_.pushes_a_second};
            std::this_thread::sleep_until(next);
            const auto number = pushed_++;
            const auto began = Time::now();
            const auto own = "push " + std::to_string(number);
            or_throw(bring(place_of(who), own));
            commit(place_of(who), {own, shared_[1]}, 10'000'000 + number, true);
            const std::lock_guard guard{mutex};
            times.push_back(seconds_since(began) * 1000);
        }
    }
    void pull_at_rate(Time::time_point until, std::vector<double>& times)
    {
        std::mt19937 random{7};
        auto next = Time::now();
        while (Time::now() < until) {
            next += std::chrono::milliseconds{2};
            std::this_thread::sleep_until(next);
            const auto number = static_cast<std::int64_t>(random()) % options_.live;
            const auto tag = Reference::parse("v" + std::to_string(number)).value();
            const auto began = Time::now();
            or_throw(run_to_end(system_.pull.load_manifest(place_of(number), tag, Pull::Purpose::look)));
            or_throw(run_to_end(system_.pull.load_blob(place_of(number), digest_of(shared_[1]))));
            times.push_back(seconds_since(began) * 1000);
        }
    }
    static double percentile(std::vector<double>& times)
    {
        std::ranges::sort(times);
        return times.at(times.size() * 99 / 100);
    }

    Options options_;
    Installation system_;
    // A lease that these pushes don't outlast.
    GarbageCollection paced_{system_.store->garbage(), system_.blobs, system_.clock, {.lease = 2'000'000}};
    const std::vector<std::string> shared_{"a config", "a layer"};
    std::atomic<bool> never_ = false;
    std::atomic<std::int64_t> pushed_ = 0;
};

}  // namespace
}  // namespace entrepot

int main(int count, char** arguments)
{
    entrepot::Options options;
    CLI::App app{"entrepot_gc_bench: what garbage collection does a second, and what others feel of it"};
    app.add_option("--directory", options.directory, "An empty folder on the disk to be measured")->required();
    app.add_option("--database", options.database, "postgresql://… that is empty; otherwise SQLite in the folder");
    app.add_option("--live", options.live, "Manifests that stay");
    app.add_option("--dead", options.dead, "Manifests that go, with two blobs of their own each");
    app.add_option("--rate", options.rate, "Of the collection beside pushes and pulls");
    app.add_option("--seconds", options.seconds, "Of each half of the comparison");
    CLI11_PARSE(app, count, arguments);
    entrepot::Bench{options}.run();
    return 0;
}

#pragma once

#include "agent/agent_counters.hpp"
#include "agent/image_carrier.hpp"
#include "agent/image_desk.hpp"
#include "agent/range_fetches.hpp"
#include "core/clock.hpp"
#include "core/task_group.hpp"
#include "swarm/wire/control_frames.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace entrepot {

// Images that the registry wants on this node before anybody asks (PREHEAT): asked for with the token that comes with
// the job, brought by the carrier behind what runtimes wait for, and from the registry by Range where the carrier
// brings nothing. Nobody on the node may pull because of it. Nothing is remembered over a restart: the registry says
// again what has not ended. Safe from any thread; what it was made with outlives the tasks.
class PreheatJobs {
public:
    struct Needs {
        ImageDesk& desk;
        RangeFetches& fetches;
        ImageCarrier* carrier = nullptr;  // null: there are no such jobs
        AgentCounters& counters;
        TaskGroup& tasks;
        const Clock& clock;
        asio::any_io_executor where;  // a loop
    };
    struct Options {
        std::size_t at_once = 2;                     // others wait
        std::chrono::milliseconds patience{10'000};  // without any chunk; then the registry is asked for some
        std::chrono::milliseconds between_looks{200};
        std::chrono::milliseconds between_reports{1'000};
        std::chrono::milliseconds first_retry{500};  // of what the registry did not answer; each twice the one before
        std::chrono::milliseconds longest_retry{30'000};
        std::size_t most_remembered = 256;  // that have ended
    };

    PreheatJobs(Needs needs, Options options) : needs_{needs}, options_{options} {}

    // A job, or news of one: another token, another deadline, or that it is to end. Returns at once.
    void take(const PreheatFrame& frame);

private:
    struct Job {
        explicit Job(PreheatFrame its) : frame{std::move(its)} {}
        PreheatFrame frame;   // as it was heard last
        unsigned tokens = 1;  // that came
        bool ended = false;
        PreheatProgressFrame last;  // what the registry was told
    };
    using JobPtr = std::shared_ptr<Job>;
    struct Wish {
        PreheatFrame frame;
        unsigned tokens;
    };
    class Turn;
    class Fetching;

    asio::awaitable<void> carry_out(JobPtr job);
    Task<> fetch(JobPtr job);
    Task<> take_turn(JobPtr job, Turn& turn);
    Task<ServedImagePtr> open(JobPtr job, Wish& wish);
    Wish wish_of(const Job& job);
    Result<> check(const Job& job);
    bool is_wanted_by_another(const Job& job);
    void tell(Job& job, PreheatState state, std::uint64_t done, std::uint64_t total, std::string_view message);
    void forget_ended();

    const Needs needs_;
    const Options options_;
    std::mutex mutex_;  // of all below, and of what is in jobs
    std::map<std::uint64_t, JobPtr> jobs_;
    std::size_t running_ = 0;
};

}  // namespace entrepot

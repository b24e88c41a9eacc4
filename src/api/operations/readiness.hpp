#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "core/task_group.hpp"

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Whether what we stand on answers. Each part is probed by one coroutine at a time, whoever asks, and its outcome is
// good for `fresh`; a probe that hangs makes nobody wait longer than `patience`. Safe from any loop.
class Readiness {
public:
    struct Part {
        std::string name;  // "database"
        std::function<Task<>()> probe;
    };
    struct Limits {
        std::chrono::milliseconds patience{3'000};
        std::chrono::milliseconds fresh{1'000};
    };
    struct Failure {
        std::string part;
        Error error;
    };

    Readiness(std::vector<Part> parts, const Clock& clock, Limits limits);

    // What fails; empty when all is well.
    asio::awaitable<std::vector<Failure>> check();
    // Waits for probes on their way; the parts may go afterwards.
    asio::awaitable<std::size_t> drain(std::chrono::steady_clock::duration patience) { return probes_.drain(patience); }

private:
    using Time = std::chrono::steady_clock::time_point;
    struct State {
        Part part;
        bool running = false;
        Time since{};                     // start of the probe that runs, end of the last one
        std::optional<Result<>> outcome;  // of the last one
    };

    void start_where_stale(const asio::any_io_executor& where);
    bool settled() const;
    std::vector<Failure> failures() const;
    asio::awaitable<void> probe(std::size_t index);

    const Clock& clock_;
    Limits limits_;
    mutable std::mutex mutex_;
    std::vector<State> states_;
    TaskGroup probes_;
};

}  // namespace entrepot

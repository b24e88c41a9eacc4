#pragma once

#include "core/asio.hpp"

#include <chrono>
#include <cstddef>
#include <memory>

namespace entrepot {

// Coroutines that run beside their owner and that it can wait for. Declare it as the owner's last member, and drain it
// before the owner goes. spawn() and size() are safe from any thread.
class TaskGroup {
public:
    TaskGroup();
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // Starts the task on `where`, a loop or a strand. An exception that leaves it is logged. False, and the task is
    // dropped unstarted, once drain() has been called.
    bool spawn(asio::any_io_executor where, asio::awaitable<void> task);

    // Asks every child to stop (total cancellation), insists after `patience` (terminal), and gives up after waiting as
    // long again. Returns how many are left then. To be awaited on a loop or a strand, by one coroutine at a time.
    asio::awaitable<std::size_t> drain(std::chrono::steady_clock::duration patience);

    std::size_t size() const;

private:
    // Shared with the children, so that one which ends late finds its bookkeeping still there.
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace entrepot

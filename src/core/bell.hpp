#pragma once

#include "core/asio.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace entrepot {

// Wakes coroutines of any loop when something has changed that they wait for. Safe from any thread.
class Bell {
public:
    // How often it was rung: to be read before one looks at what one waits for.
    std::uint64_t rung() const noexcept;
    // Resumes when it was rung since `heard`, or after `patience`.
    asio::awaitable<void> wait(std::uint64_t heard, std::chrono::steady_clock::duration patience);
    void ring();

private:
    using Timer = std::shared_ptr<asio::steady_timer>;
    class Place;

    mutable std::mutex mutex_;
    std::uint64_t rung_ = 0;
    std::vector<Timer> waiting_;
};

}  // namespace entrepot

#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "core/task_group.hpp"
#include "delivery/image_bundles.hpp"
#include "ports/event_cursor.hpp"
#include "ports/event_log.hpp"

#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

namespace entrepot {

// Makes bundles of what is pushed before a node asks for them: hashing the chunks of a large image takes as long as
// reading it, which the first node would wait for. Of several instances one does it. None of it is kept: after a crash,
// or where too much was pushed at once, a bundle is made when it is asked for, as before.
class ImagePreparing {
public:
    static constexpr std::size_t most_waiting = 1'000;  // images; more are left out

    // One image at a time, on `pool`. All outlive it, and drain() comes before.
    ImagePreparing(EventLog& events, const Clock& clock, ImageBundles& bundles, asio::thread_pool& pool);

    // Reads what has happened since the last time, and begins with what came of it. For one caller at a time.
    Task<> run();
    // Begins nothing any more, and waits for the one under way; ImageBundles::drain() ends that sooner.
    asio::awaitable<void> drain();
    // Images that wait, and the one under way. From any thread.
    std::size_t waiting() const;
    std::uint64_t prepared() const noexcept { return prepared_; }  // images, since the start; from any thread

private:
    struct Pushed {
        RepositoryName repository;
        Digest manifest;
    };
    static std::vector<Pushed> pushed_in(const std::vector<Event>& events);
    void begin(std::vector<Pushed> images);
    std::optional<Pushed> next();
    asio::awaitable<void> work();

    EventLog& events_;
    ImageBundles& bundles_;
    asio::thread_pool& pool_;
    EventCursor cursor_;
    mutable std::mutex mutex_;
    std::deque<Pushed> waiting_;
    bool working_ = false;
    std::atomic<std::uint64_t> prepared_{0};
    TaskGroup tasks_;
};

}  // namespace entrepot

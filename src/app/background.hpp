#pragma once

#include "core/task.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace entrepot {

// Work that comes round again: each chore runs on this object's one thread, one run at a time, `every` so long after
// its last run ended. A failing chore is logged and comes round all the same.
class Background {
public:
    struct Chore {
        std::string name;
        std::chrono::steady_clock::duration every;
        std::function<Task<>()> run;
    };
    explicit Background(std::vector<Chore> chores);
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    void start();
    // Runs the chore of that name soon, out of turn. From any thread.
    void hurry(std::string_view name);
    // Lets running chores end and joins the thread; no chore runs afterwards. Blocks.
    void stop();

private:
    struct Round {
        Chore chore;
        asio::steady_timer timer;
        bool again = false;  // hurried while it ran
    };
    asio::awaitable<void> keep_running(Round& round);

    asio::io_context loop_{1};
    std::list<Round> rounds_;
    bool stopping_ = false;  // on the loop's thread only
    std::jthread thread_;
};

// Hurries these chores of whichever Background there is by then.
std::function<void()> hurrying(std::atomic<Background*>& listener, std::vector<std::string_view> chores);

}  // namespace entrepot

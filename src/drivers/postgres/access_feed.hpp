#pragma once

#include "drivers/postgres/postgres_connection.hpp"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>

namespace entrepot {

// Hears of changes to what decisions are made from: LISTEN wakes it at once, and a counter that it reads every second
// tells what a lost notification would have told. Calls back from its own thread; once after every connection, since
// something may have been missed. Notifications of new events are passed on too; who follows those looks by itself.
class AccessFeed {
public:
    AccessFeed(
        const std::string& url, std::function<void()> changed, std::function<void()> on_event, const Clock& clock
    );
    ~AccessFeed();
    AccessFeed(const AccessFeed&) = delete;
    AccessFeed& operator=(const AccessFeed&) = delete;

private:
    void follow_until_stopped();
    Result<bool> look();
    Result<> listen();
    static void tell(const std::function<void()>& whom);
    // For a second at most, for less when the server or stop wakes it.
    void wait();

    const Clock& clock_;
    PostgresConnection connection_;
    std::function<void()> changed_;
    std::function<void()> on_event_;
    std::optional<std::int64_t> counter_;
    std::atomic<bool> stopping_ = false;
    int wake_ = -1;
    std::thread thread_;
};

}  // namespace entrepot

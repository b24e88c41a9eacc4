#pragma once

#include "drivers/postgres/postgres_connection.hpp"
#include "drivers/postgres/reconnection.hpp"
#include "drivers/sql/sql_engine.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace entrepot {

// A pool of connections, each on its own thread, over one queue. Every work has `patience` from when it was handed in;
// what has not succeeded by then fails with unavailable. A transaction that lost its connection before COMMIT, or met a
// deadlock, is run again.
class PostgresEngine final : public SqlEngine {
public:
    // `on_event` is called from a connection's thread after a commit that recorded events.
    PostgresEngine(
        const std::string& url,
        unsigned connections,
        std::chrono::milliseconds patience,
        const Clock& clock,
        std::function<void()> on_event = {}
    );
    ~PostgresEngine() override { stop(); }

    void stop() override;
    bool commits_in_order() const noexcept override { return false; }

private:
    enum class Kind { read, durable_write, process_write };
    struct Item {
        Kind kind;
        PostgresConnection::TimePoint deadline;
        std::unique_ptr<SqlWork> work;
    };
    struct Attempt {
        Result<> outcome;
        bool again = false;
    };

    void submit_read(std::unique_ptr<SqlWork> work) override;
    void submit_write(Durability durability, std::unique_ptr<SqlWork> work) override;
    void submit(Kind kind, std::unique_ptr<SqlWork> work);

    void work_until_stopped(PostgresConnection& connection);
    Result<> serve(PostgresConnection& connection, Item& item);
    Result<> ensure_connected(PostgresConnection& connection);
    static Attempt try_once(PostgresConnection& connection, Item& item);
    static Attempt try_transaction(PostgresConnection& connection, Item& item);

    const std::chrono::milliseconds patience_;
    const Clock& clock_;
    const std::function<void()> on_event_;
    Reconnection reconnection_;
    std::mutex mutex_;
    std::condition_variable waiting_;
    std::deque<Item> queue_;
    bool stopping_ = false;
    std::vector<std::unique_ptr<PostgresConnection>> connections_;
    std::vector<std::thread> threads_;
};

}  // namespace entrepot

#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "drivers/sqlite/sqlite_connection.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace entrepot {

// One writer thread and a few readers on a SQLite file. The writer takes all that waits (at most `most_in_group`),
// runs each work in a savepoint of one transaction so that it fails alone, and answers all after COMMIT. A group that
// holds anything durable is synced; one of process durability alone is only written.
class SqliteEngine final : public SqlEngine {
public:
    static constexpr std::size_t most_in_group = 256;

    // Opens all connections; the writing one is ready for migrate() until start(). Throws std::runtime_error.
    SqliteEngine(const std::string& file, unsigned readers);
    ~SqliteEngine() override;

    SqliteConnection& writer() noexcept { return *writer_; }
    // `on_event` is called from the writer's thread after a commit that may have recorded events.
    void start(std::function<void()> on_event = {});
    void stop() override;
    bool commits_in_order() const noexcept override { return true; }

private:
    struct Write {
        Durability durability;
        std::unique_ptr<SqlWork> work;
        Result<> outcome;
    };

    void submit_read(std::unique_ptr<SqlWork> work) override;
    void submit_write(Durability durability, std::unique_ptr<SqlWork> work) override;

    void read_until_stopped(SqliteConnection& connection);
    void write_until_stopped();
    std::vector<Write> next_group();
    void write_group(std::vector<Write>& group);
    Result<> run_group(std::vector<Write>& group);
    Result<> run_one(SqlWork& work);
    Result<> set_synchronous(Durability durability);
    void tidy_log(bool was_full);

    // 64 MB: readers kept the log from starting over, now they are waited for.
    static constexpr int most_pages_of_log = 16000;
    int most_pages_ = most_pages_of_log;  // the writer's thread alone

    std::mutex mutex_;
    std::condition_variable writes_wait_;
    std::condition_variable reads_wait_;
    std::deque<Write> writes_;
    std::deque<std::unique_ptr<SqlWork>> reads_;
    bool stopping_ = false;

    std::string file_;
    std::unique_ptr<SqliteConnection> writer_;
    std::vector<std::unique_ptr<SqliteConnection>> readers_;
    std::optional<Durability> synchronous_;
    std::function<void()> on_event_;
    std::vector<std::thread> threads_;
};

}  // namespace entrepot

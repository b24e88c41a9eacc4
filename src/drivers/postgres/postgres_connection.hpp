#pragma once

#include "core/clock.hpp"
#include "drivers/sql/migrate.hpp"
#include "drivers/sql/sql_engine.hpp"

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

struct pg_conn;
struct pg_result;

namespace entrepot {

// One connection to PostgreSQL, used by one thread. Nothing waits longer than the deadline, also not for a server that
// has stopped answering: what is under way is then given up together with the connection. Failures become storage_full,
// conflict, bad_request (text the server can't store) or unavailable; the detail holds the server's words.
class PostgresConnection final : public SqlConnection {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    PostgresConnection(std::string url, const Clock& clock) : url_{std::move(url)}, clock_{clock} {}
    ~PostgresConnection() override { disconnect(); }
    PostgresConnection(const PostgresConnection&) = delete;
    PostgresConnection& operator=(const PostgresConnection&) = delete;

    void set_deadline(TimePoint deadline) noexcept { deadline_ = deadline; }
    Result<> connect();
    void disconnect() noexcept;
    bool connected() const noexcept { return connection_ != nullptr; }

    bool has_rivals() const noexcept override { return true; }
    Result<SqlRows> run_with(const SqlStatement& statement, std::span<const SqlParameter> parameters) override;
    Result<SqlRows> run_once(const std::string& text, std::span<const SqlParameter> parameters) override;
    Result<> run_script(std::string_view text) override;

    Result<> begin() override { return begin(Durability::durable); }
    Result<> begin(Durability durability);
    Result<> commit() override;
    void rollback() override;
    Result<> stream(const std::string& text, const std::function<Result<>(SqlRow&)>& each) override;
    // COPY … FROM STDIN with all that it takes.
    Result<> copy_in(const std::string& command, std::string_view data);

    // Whether the last failure passes when the whole transaction is run again: a deadlock, or a row that vanished
    // between two statements.
    bool worth_repeating() const noexcept { return worth_repeating_; }

    // For LISTEN: the socket to poll (-1 without a connection), and the channels of notifications that came in.
    int socket() const noexcept;
    Result<std::vector<std::string>> take_notifications();

private:
    struct Cleared {
        void operator()(pg_result* result) const noexcept;
    };
    using Answer = std::unique_ptr<pg_result, Cleared>;

    Result<> finish_connecting();
    Result<> prepare(const SqlStatement& statement);
    Result<Answer> answer();
    Result<> send_all();
    Result<Answer> next_answer();
    Result<> wait_for_socket(bool also_writing);
    std::unexpected<Error> lost(const char* doing);
    std::unexpected<Error> refused(const pg_result* result);

    std::string url_;
    const Clock& clock_;
    TimePoint deadline_{};
    pg_conn* connection_ = nullptr;
    // By the addresses of text and row lock: literals of the same text share one address, with and without a lock.
    std::map<std::pair<const char*, const char*>, std::string> prepared_;
    bool worth_repeating_ = false;
};

}  // namespace entrepot

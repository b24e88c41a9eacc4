#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <sys/types.h>

namespace entrepot {

// A throw-away PostgreSQL server (Debian's packages, version 15 or later) in a temporary directory, on a free port of
// 127.0.0.1, that need not survive anything. Run by root it serves as the user postgres. Everything throws
// std::runtime_error with a sentence that says what to do, also where PostgreSQL is not installed.
class PostgresServer {
public:
    PostgresServer();
    ~PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    // The one server of this test program, started when it is first asked for.
    static PostgresServer& shared();

    // Back when the server accepts connections, on the same port as before.
    void start();
    // At once, cutting every connection.
    void stop();
    // The listening process stands still: connections are accepted and never answered.
    void freeze();
    void thaw();

    std::string url(const std::string& database) const;
    // A new empty database; returns its URL.
    std::string create_database();
    void drop_database(const std::string& url);

private:
    std::filesystem::path binary(const char* name) const;

    std::filesystem::path binaries_;
    std::filesystem::path directory_;
    std::uint16_t port_ = 0;
    ::pid_t process_ = 0;
    int databases_ = 0;
};

// Runs statements on a connection of its own.
void run_on_postgres(const std::string& url, const std::string& script);
// The one number that a query answers.
std::int64_t number_on_postgres(const std::string& url, const std::string& query);

}  // namespace entrepot

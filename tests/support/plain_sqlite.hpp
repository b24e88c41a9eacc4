#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include <sqlite3.h>

namespace entrepot {

// A connection of a test's own to a store's file, past the store.
class PlainSqlite {
public:
    explicit PlainSqlite(const std::string& file)
    {
        if (sqlite3_open(file.c_str(), &database_) != SQLITE_OK) throw std::runtime_error{"cannot open " + file};
        sqlite3_busy_timeout(database_, 5000);
    }
    ~PlainSqlite() { sqlite3_close(database_); }
    PlainSqlite(const PlainSqlite&) = delete;
    PlainSqlite& operator=(const PlainSqlite&) = delete;

    void run(const std::string& script)
    {
        if (sqlite3_exec(database_, script.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
            throw std::runtime_error{sqlite3_errmsg(database_)};
        }
    }
    std::int64_t number(const std::string& query)
    {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(database_, query.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
            throw std::runtime_error{sqlite3_errmsg(database_)};
        }
        sqlite3_step(statement);
        const std::int64_t value = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        return value;
    }

private:
    sqlite3* database_ = nullptr;
};

}  // namespace entrepot

#pragma once

#include "drivers/sql/migrate.hpp"

#include <string>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace entrepot {

// One connection to a SQLite file, used by one thread at a time. SQLITE_FULL and the kernel's ENOSPC become
// storage_full, refused constraints conflict, everything else unavailable; the detail holds SQLite's own words.
class SqliteConnection final : public SqlConnection {
public:
    enum class Use { reading, writing };

    // Throws std::runtime_error when the file can't be opened as a database.
    SqliteConnection(const std::string& file, Use use);
    ~SqliteConnection() override;
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;

    bool has_rivals() const noexcept override { return false; }
    Result<SqlRows> run_with(const SqlStatement& statement, std::span<const SqlParameter> parameters) override;
    Result<SqlRows> run_once(const std::string& text, std::span<const SqlParameter> parameters) override;
    Result<> run_script(std::string_view text) override;

    Result<> begin() override;
    Result<> commit() override;
    void rollback() override;
    Result<> stream(const std::string& text, const std::function<Result<>(SqlRow&)>& each) override;
    // False once SQLite has rolled the transaction back by itself, as it may after a full disk.
    bool in_transaction() const noexcept;

    // Pages in the write-ahead log after the last commit.
    int log_pages() const noexcept { return log_pages_; }
    // Moves the log into the database; `wholly` also waits for readers and cuts the log to nothing.
    void checkpoint(bool wholly);

private:
    Result<sqlite3_stmt*> prepared(const SqlStatement& statement);
    Result<SqlRows> run_prepared(sqlite3_stmt* statement, std::span<const SqlParameter> parameters);
    std::unexpected<Error> failure(const char* doing) const;
    Result<SqlRows> rows_of(sqlite3_stmt* statement);

    sqlite3* database_ = nullptr;
    std::unordered_map<const char*, sqlite3_stmt*> statements_;  // by the address of their literal
    int log_pages_ = 0;
};

}  // namespace entrepot

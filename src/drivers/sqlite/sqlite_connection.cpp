#include "drivers/sqlite/sqlite_connection.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <stdexcept>

namespace entrepot {

namespace {

constexpr int busy_timeout_ms = 4000;
constexpr int longest_wait_for_readers_ms = 500;

constexpr SqlStatement begin_writing{"BEGIN IMMEDIATE"};
constexpr SqlStatement commit_transaction{"COMMIT"};

// Memory at rest counts: small page caches and no mapping, for the kernel caches the file anyway. What lists need again
// and again, the upper pages of the trees of a database of gigabytes, has room in them.
constexpr const char* shared_pragmas =
    "PRAGMA foreign_keys = ON; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096;";
// The log is moved by checkpoint() alone, after the callers are answered.
constexpr const char* writing_pragmas =
    "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 16777216; "
    "PRAGMA synchronous = FULL;";
constexpr const char* reading_pragmas = "PRAGMA query_only = ON;";

int bind(sqlite3_stmt* statement, int index, const SqlParameter& parameter)
{
    struct Binder {
        sqlite3_stmt* statement;
        int index;
        int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
        int operator()(std::int64_t number) const { return sqlite3_bind_int64(statement, index, number); }
        int operator()(std::string_view text) const
        {
            const char* start = text.data() ? text.data() : "";
            return sqlite3_bind_text64(statement, index, start, text.size(), SQLITE_STATIC, SQLITE_UTF8);
        }
        int operator()(const SqlBytes& value) const
        {
            const char* start = value.bytes.data() ? value.bytes.data() : "";
            return sqlite3_bind_blob64(statement, index, start, value.bytes.size(), SQLITE_STATIC);
        }
    };
    return std::visit(Binder{statement, index}, parameter);
}

// "$1" is a name to SQLite, to be looked up at every use; "?1" is the number that PostgreSQL means by it.
std::string numbered(std::string_view text)
{
    std::string result{text};
    bool quoted = false;
    for (std::size_t at = 0; at + 1 < result.size(); ++at) {
        if (result[at] == '\'') quoted = !quoted;
        if (!quoted && result[at] == '$' && result[at + 1] >= '1' && result[at + 1] <= '9') result[at] = '?';
    }
    return result;
}

SqlRow::Field field_of(sqlite3_stmt* statement, int column)
{
    switch (sqlite3_column_type(statement, column)) {
        case SQLITE_NULL: return std::monostate{};
        case SQLITE_INTEGER: return std::int64_t{sqlite3_column_int64(statement, column)};
        default: break;
    }
    const auto* start = static_cast<const char*>(sqlite3_column_blob(statement, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
    return start ? std::string(start, size) : std::string{};
}

SqlRow row_of(sqlite3_stmt* statement)
{
    const int columns = sqlite3_column_count(statement);
    std::vector<SqlRow::Field> fields;
    fields.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) fields.push_back(field_of(statement, column));
    return SqlRow{std::move(fields)};
}

bool says_full(int code, int system_error) noexcept
{
    const int primary = code & 0xff;
    if (primary == SQLITE_FULL) return true;
    return primary == SQLITE_IOERR && (system_error == ENOSPC || system_error == EDQUOT);
}

// The file holds sealed keys and password hashes; SQLite gives its log the same mode. One that exists stays as it is,
// and a failure shows on opening.
void create_private(const std::string& file)
{
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor >= 0) ::close(descriptor);
}

}  // namespace

SqliteConnection::SqliteConnection(const std::string& file, Use use)
{
    if (use == Use::writing) create_private(file);
    const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | (use == Use::writing ? SQLITE_OPEN_CREATE : 0);
    const int opened = sqlite3_open_v2(file.c_str(), &database_, flags, nullptr);
    const std::string reason = database_ ? sqlite3_errmsg(database_) : "out of memory";
    if (opened != SQLITE_OK) {
        sqlite3_close_v2(database_);
        throw std::runtime_error{"cannot open the database " + file + ": " + reason};
    }
    sqlite3_extended_result_codes(database_, 1);
    sqlite3_busy_timeout(database_, busy_timeout_ms);
    auto prepared = run_script(shared_pragmas);
    if (prepared) prepared = run_script(use == Use::writing ? writing_pragmas : reading_pragmas);
    if (!prepared) {
        sqlite3_close_v2(database_);
        throw std::runtime_error{"cannot use the database " + file + ": " + prepared.error().detail()};
    }
    const auto remember_pages = [](void* self, sqlite3*, const char*, int pages) {
        static_cast<SqliteConnection*>(self)->log_pages_ = pages;
        return SQLITE_OK;
    };
    if (use == Use::writing) sqlite3_wal_hook(database_, remember_pages, this);
}

SqliteConnection::~SqliteConnection()
{
    for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close_v2(database_);
}

Result<SqlRows> SqliteConnection::run_with(const SqlStatement& statement, std::span<const SqlParameter> parameters)
{
    TRY(sqlite3_stmt * ready, prepared(statement));
    const auto reset = [](sqlite3_stmt* used) {
        sqlite3_reset(used);
        sqlite3_clear_bindings(used);
    };
    const std::unique_ptr<sqlite3_stmt, decltype(reset)> guard{ready, reset};
    return run_prepared(ready, parameters);
}

Result<SqlRows> SqliteConnection::run_once(const std::string& text, std::span<const SqlParameter> parameters)
{
    sqlite3_stmt* once = nullptr;
    if (sqlite3_prepare_v3(database_, numbered(text).c_str(), -1, 0, &once, nullptr) != SQLITE_OK) {
        return failure(text.c_str());
    }
    const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> guard{once, &sqlite3_finalize};
    return run_prepared(once, parameters);
}

Result<SqlRows> SqliteConnection::run_prepared(sqlite3_stmt* statement, std::span<const SqlParameter> parameters)
{
    // Those that the text doesn't name at its end have no number there.
    const auto named = std::min(parameters.size(), static_cast<std::size_t>(sqlite3_bind_parameter_count(statement)));
    int number = 0;
    for (const SqlParameter& parameter : parameters.first(named)) {
        if (bind(statement, ++number, parameter) != SQLITE_OK) return failure(sqlite3_sql(statement));
    }
    return rows_of(statement);
}

Result<SqlRows> SqliteConnection::rows_of(sqlite3_stmt* statement)
{
    SqlRows rows;
    while (true) {
        const int stepped = sqlite3_step(statement);
        if (stepped == SQLITE_DONE) return rows;
        if (stepped != SQLITE_ROW) return failure(sqlite3_sql(statement));
        rows.push_back(row_of(statement));
    }
}

Result<> SqliteConnection::stream(const std::string& text, const std::function<Result<>(SqlRow&)>& each)
{
    sqlite3_stmt* once = nullptr;
    if (sqlite3_prepare_v3(database_, text.c_str(), -1, 0, &once, nullptr) != SQLITE_OK) return failure(text.c_str());
    const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> guard{once, &sqlite3_finalize};
    while (true) {
        const int stepped = sqlite3_step(once);
        if (stepped == SQLITE_DONE) return {};
        if (stepped != SQLITE_ROW) return failure(text.c_str());
        auto row = row_of(once);
        CHECK(each(row));
    }
}

Result<> SqliteConnection::run_script(std::string_view text)
{
    const std::string script{text};
    if (sqlite3_exec(database_, script.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return failure("script");
    return {};
}

Result<> SqliteConnection::begin()
{
    CHECK(run(begin_writing, {}));
    return {};
}

Result<> SqliteConnection::commit()
{
    CHECK(run(commit_transaction, {}));
    return {};
}

void SqliteConnection::rollback()
{
    if (in_transaction()) sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
}

bool SqliteConnection::in_transaction() const noexcept
{
    return sqlite3_get_autocommit(database_) == 0;
}

void SqliteConnection::checkpoint(bool wholly)
{
    const int mode = wholly ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int pages = 0;
    int moved = 0;
    if (wholly) sqlite3_busy_timeout(database_, longest_wait_for_readers_ms);
    // What can't be moved now is moved later.
    if (sqlite3_wal_checkpoint_v2(database_, nullptr, mode, &pages, &moved) == SQLITE_OK && pages == moved)
        log_pages_ = 0;
    if (wholly) sqlite3_busy_timeout(database_, busy_timeout_ms);
}

Result<sqlite3_stmt*> SqliteConnection::prepared(const SqlStatement& statement)
{
    sqlite3_stmt*& known = statements_[statement.text];
    if (known) return known;
    const auto text = numbered(statement.text);
    if (sqlite3_prepare_v3(database_, text.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &known, nullptr) != SQLITE_OK) {
        return failure(statement.text);
    }
    return known;
}

std::unexpected<Error> SqliteConnection::failure(const char* doing) const
{
    const int code = sqlite3_extended_errcode(database_);
    const std::string detail = std::string{sqlite3_errmsg(database_)} + " (" + std::to_string(code) + ") in: " + doing;
    if (says_full(code, sqlite3_system_errno(database_))) {
        return fail(Errc::storage_full, "the metadata store is full", detail);
    }
    if ((code & 0xff) == SQLITE_CONSTRAINT)
        return fail(Errc::conflict, "another change stands against this one", detail);
    return fail(Errc::unavailable, "the metadata store does not answer", detail);
}

}  // namespace entrepot

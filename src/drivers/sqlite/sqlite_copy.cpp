#include "drivers/sqlite/sqlite_copy.hpp"

#include "core/file_descriptor.hpp"
#include "drivers/sql/backup_tables.hpp"
#include "drivers/sql/sql_settings.hpp"
#include "drivers/sql/sql_snapshot.hpp"
#include "drivers/sqlite/migrations.hpp"
#include "drivers/sqlite/sqlite_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>

namespace entrepot {
namespace {

constexpr SqlStatement begin_reading{"BEGIN"};
constexpr SqlStatement list_columns{
    "SELECT t.name, c.name, c.type, c.pk FROM sqlite_schema t JOIN pragma_table_info(t.name) c "
    "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
};
constexpr SqlStatement list_given_ids{"SELECT name, seq FROM sqlite_sequence"};
constexpr SqlStatement list_indexes{"SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"};
constexpr SqlStatement forget_given_id{"DELETE FROM sqlite_sequence WHERE name = $1"};
constexpr SqlStatement set_given_id{"INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)"};
constexpr SqlStatement dangling{"SELECT \"table\", \"parent\" FROM pragma_foreign_key_check LIMIT 1"};

// Nothing of a file that is thrown away when it is not finished has to survive anything. Sorting indexes goes to disk
// beyond the cache.
constexpr const char* filling_pragmas = "PRAGMA foreign_keys = OFF; PRAGMA journal_mode = OFF; "
                                        "PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; "
                                        "PRAGMA temp_store = FILE; PRAGMA cache_size = -131072;";

Result<std::vector<StoredTable>> list_tables(SqlSession& session)
{
    TRY(auto rows, session.run(list_columns));
    std::vector<ListedColumn> columns;
    for (auto& row : rows) columns.push_back({row.take_text(0), row.take_text(1), row.take_text(2), row.integer(3)});
    return kept_tables(std::move(columns));
}

Result<std::unique_ptr<SqliteConnection>> connection_to(const std::filesystem::path& file, SqliteConnection::Use use)
{
    try {
        return std::make_unique<SqliteConnection>(file.string(), use);
    } catch (const std::runtime_error& failure) {
        return fail(Errc::unavailable, failure.what());
    }
}

std::unexpected<Error> file_failure(const std::string& doing, const std::filesystem::path& file)
{
    const int number = errno;
    const auto why = std::generic_category().message(number);
    return fail(
        number == ENOSPC || number == EDQUOT ? Errc::storage_full : Errc::unavailable,
        "can't " + doing + " " + file.string(),
        why
    );
}

Result<> sync_path(const std::filesystem::path& path)
{
    const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file || ::fsync(file.get()) != 0) return file_failure("sync", path);
    return {};
}

class SqliteFilling final : public MetadataFilling {
public:
    SqliteFilling(std::filesystem::path file, const Clock& clock)
        : file_{std::move(file)}, draft_{file_.string() + ".restoring"}, clock_{clock}
    {
    }
    ~SqliteFilling() override
    {
        connection_.reset();
        std::error_code ignored;
        std::filesystem::remove(draft_, ignored);
    }
    SqliteFilling(const SqliteFilling&) = delete;
    SqliteFilling& operator=(const SqliteFilling&) = delete;

    Result<> open()
    {
        std::error_code error;
        if (std::filesystem::exists(file_, error))
            return fail(Errc::conflict, "there is a database already: " + file_.string());
        for (const char* more : {"", "-wal", "-shm", "-journal"})
            std::filesystem::remove(draft_.string() + more, error);
        TRY(connection_, connection_to(draft_, SqliteConnection::Use::writing));
        return connection_->run_script(filling_pragmas);
    }

    Result<> prepare(std::int64_t version) override
    {
        TRY(const auto steps, migrations_up_to(sqlite_migrations(), version));
        CHECK(migrate(*connection_, {.lock = "", .migrations = steps}, clock_));
        TRY(tables_, list_tables(*connection_));
        CHECK(connection_->begin());
        for (const auto& table : tables_) CHECK(connection_->run_once("DELETE FROM " + quoted_name(table.name), {}));
        TRY(auto indexes, connection_->run(list_indexes));
        for (auto& index : indexes) {
            CHECK(connection_->run_once("DROP INDEX " + quoted_name(index.text(0)), {}));
            indexes_.push_back(index.take_text(1));
        }
        return connection_->commit();
    }

    const std::vector<StoredTable>& tables() const override { return tables_; }

    Result<> add(const StoredTable& table, std::span<const StoredRow> rows) override
    {
        CHECK(connection_->begin());
        const auto& insert = insert_into(table);
        std::vector<SqlParameter> parameters(table.columns.size());
        for (const auto& row : rows) {
            for (std::size_t i = 0; i < row.size(); ++i) parameters[i] = parameter_of(row[i], table.columns[i].kind);
            CHECK(connection_->run_with({insert.c_str()}, parameters));
        }
        return connection_->commit();
    }

    Result<std::int64_t> count(const std::string& table) override { return count_rows(*connection_, table); }

    Result<> complete(const GivenIds& given) override
    {
        CHECK(connection_->begin());
        for (const auto& [table, highest] : given) {
            CHECK(connection_->run(forget_given_id, {table}));
            CHECK(connection_->run(set_given_id, {table, highest}));
        }
        for (const auto& index : indexes_) CHECK(connection_->run_once(index, {}));
        TRY(const auto lost, connection_->run(dangling));
        if (!lost.empty()) {
            return fail(
                Errc::corrupt,
                "the backup's rows of " + lost.front().text(0) + " refer to rows of " + lost.front().text(1) +
                    " that it does not have"
            );
        }
        CHECK(connection_->commit());
        CHECK(migrate(*connection_, {.lock = "", .migrations = sqlite_migrations()}, clock_));
        CHECK(connection_->begin());
        CHECK(settle_restored(*connection_));
        return connection_->commit();
    }

    Result<std::vector<std::string>> discrepancies() override { return discrepancies_in(*connection_); }

    Result<> publish() override
    {
        connection_.reset();
        CHECK(sync_path(draft_));
        if (::rename(draft_.c_str(), file_.c_str()) != 0) return file_failure("rename", draft_);
        return sync_path(file_.has_parent_path() ? file_.parent_path() : std::filesystem::path{"."});
    }

private:
    static SqlParameter parameter_of(const StoredValue& value, StoredKind kind)
    {
        if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
        const auto* text = std::get_if<std::string>(&value);
        if (!text) return std::monostate{};
        if (kind == StoredKind::bytes) return SqlBytes{*text};
        return std::string_view{*text};
    }

    // The connection knows a statement by where its text lies.
    const std::string& insert_into(const StoredTable& table)
    {
        auto& text = inserts_[table.name];
        if (!text.empty()) return text;
        std::string values;
        for (std::size_t i = 1; i <= table.columns.size(); ++i) values += (i == 1 ? "$" : ", $") + std::to_string(i);
        text = "INSERT INTO " + quoted_name(table.name) + " (" + columns_of(table) + ") VALUES (" + values + ")";
        return text;
    }

    std::filesystem::path file_;
    std::filesystem::path draft_;
    const Clock& clock_;
    std::unique_ptr<SqliteConnection> connection_;
    std::vector<StoredTable> tables_;
    std::vector<std::string> indexes_;
    std::map<std::string, std::string> inserts_;
};

}  // namespace

Result<std::unique_ptr<MetadataSnapshot>> open_sqlite_snapshot(const std::filesystem::path& file)
{
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return fail(Errc::not_found, "there is no database " + file.string());
    TRY(auto connection, connection_to(file, SqliteConnection::Use::reading));
    CHECK(connection->run(begin_reading));
    TRY(const auto version, version_of_schema(*connection, sqlite_migrations().back().version));
    TRY(auto tables, list_tables(*connection));
    TRY(auto rows, connection->run(list_given_ids));
    GivenIds given;
    for (auto& row : rows)
        if (std::ranges::find(tables, row.text(0), &StoredTable::name) != tables.end())
            given[row.text(0)] = row.integer(1);
    return std::make_unique<SqlSnapshot>(std::move(connection), version, std::move(tables), std::move(given));
}

Result<std::unique_ptr<MetadataFilling>> open_sqlite_filling(const std::filesystem::path& file, const Clock& clock)
{
    auto filling = std::make_unique<SqliteFilling>(file, clock);
    CHECK(filling->open());
    return filling;
}

Result<>
note_in_sqlite(const std::filesystem::path& file, std::string_view name, std::string_view value, const Clock& clock)
{
    TRY(const auto connection, connection_to(file, SqliteConnection::Use::writing));
    CHECK(connection->begin());
    CHECK(put_setting_in(*connection, name, value, clock.now()));
    return connection->commit();
}

}  // namespace entrepot

#include "drivers/postgres/postgres_copy.hpp"

#include "drivers/postgres/copy_text.hpp"
#include "drivers/postgres/migrations.hpp"
#include "drivers/postgres/postgres_connection.hpp"
#include "drivers/sql/backup_tables.hpp"
#include "drivers/sql/sql_settings.hpp"
#include "drivers/sql/sql_snapshot.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

// Of one whole copy. A server that is gone shows by TCP, long before.
constexpr std::chrono::hours longest_copy{24 * 7};

constexpr const char* begin_reading = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
                                      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr const char* begin_filling = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; BEGIN";

constexpr SqlStatement list_columns{
    "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT), format_type(a.atttypid, a.atttypmod), "
    "CAST(COALESCE(array_position(CAST(i.indkey AS int2[]), a.attnum), -1) AS BIGINT) + 1 "
    "FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary "
    "WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS regnamespace)"
};
constexpr SqlStatement list_sequences{
    "SELECT CAST(c.relname AS TEXT), CAST(a.attname AS TEXT), pg_get_serial_sequence(quote_ident(c.relname), "
    "CAST(a.attname AS TEXT)) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attidentity <> '' "
    "WHERE c.relkind = 'r' AND c.relnamespace = CAST(current_schema() AS regnamespace)"
};
// What constraints don't need.
constexpr SqlStatement list_indexes{
    "SELECT CAST(x.relname AS TEXT), pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class x ON "
    "x.oid = i.indexrelid WHERE x.relnamespace = CAST(current_schema() AS regnamespace) "
    "AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)"
};
constexpr SqlStatement list_references{
    "SELECT CAST(c.relname AS TEXT), CAST(k.conname AS TEXT), pg_get_constraintdef(k.oid) FROM pg_constraint k "
    "JOIN pg_class c ON c.oid = k.conrelid WHERE k.contype = 'f' "
    "AND c.relnamespace = CAST(current_schema() AS regnamespace)"
};
constexpr SqlStatement any_table{"SELECT CAST(relname AS TEXT) FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') "
                                 "AND relnamespace = CAST(current_schema() AS regnamespace) LIMIT 1"};
constexpr SqlStatement set_sequence{"SELECT setval(CAST(CAST($1 AS TEXT) AS regclass), $2, true)"};
constexpr SqlStatement set_event_order{"UPDATE event_order SET newest = $1 WHERE one = 1"};

// Numbered events by their number, the others behind them as they would be numbered.
constexpr const char* place_of_event =
    "COALESCE(sequence, (SELECT newest FROM event_order) + ROW_NUMBER() OVER (PARTITION BY sequence IS NULL "
    "ORDER BY id))";

Result<std::unique_ptr<PostgresConnection>> connection_to(const std::string& url, const Clock& clock)
{
    auto connection = std::make_unique<PostgresConnection>(url, clock);
    connection->set_deadline(clock.steady() + longest_copy);
    CHECK(connection->connect());
    return connection;
}

Result<std::vector<StoredTable>> list_tables(SqlSession& session)
{
    TRY(auto rows, session.run(list_columns));
    std::vector<ListedColumn> columns;
    for (auto& row : rows) columns.push_back({row.take_text(0), row.take_text(1), row.take_text(2), row.integer(3)});
    return kept_tables(std::move(columns));
}

const StoredTable* find_table(const std::vector<StoredTable>& tables, const std::string& name)
{
    const auto found = std::ranges::find(tables, name, &StoredTable::name);
    return found == tables.end() ? nullptr : &*found;
}

// `events` with their places for ids.
std::string events_in_order(const StoredTable& events)
{
    std::string columns;
    for (const auto& column : events.columns) {
        const auto name = quoted_name(column.name);
        columns += (columns.empty() ? "" : ", ") + (column.name == "id" ? place_of_event + (" AS " + name) : name);
    }
    return "(SELECT " + columns + " FROM events) e";
}

Result<std::int64_t> number_of(SqlSession& session, const std::string& query)
{
    TRY(const auto rows, session.run_once(query, {}));
    return rows.at(0).integer(0);
}

Result<GivenIds> list_given_ids(SqlSession& session, const std::vector<StoredTable>& tables)
{
    GivenIds given;
    TRY(const auto sequences, session.run(list_sequences));
    for (const auto& sequence : sequences) {
        const auto& table = sequence.text(0);
        if (!find_table(tables, table)) continue;
        TRY(given[table],
            number_of(session, "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM " + sequence.text(2)));
    }
    if (find_table(tables, "events")) {
        TRY(given["events"],
            number_of(session, "SELECT newest + (SELECT COUNT(*) FROM events WHERE sequence IS NULL) FROM event_order")
        );
    }
    return given;
}

// Lets migrate() take its steps within a transaction that goes on.
class WithinTransaction final : public SqlConnection {
public:
    explicit WithinTransaction(SqlConnection& whole) noexcept : whole_{whole} {}

    bool has_rivals() const noexcept override { return whole_.has_rivals(); }
    Result<SqlRows> run_with(const SqlStatement& statement, std::span<const SqlParameter> parameters) override
    {
        return whole_.run_with(statement, parameters);
    }
    Result<SqlRows> run_once(const std::string& text, std::span<const SqlParameter> parameters) override
    {
        return whole_.run_once(text, parameters);
    }
    Result<> run_script(std::string_view text) override { return whole_.run_script(text); }
    Result<> begin() override { return {}; }
    Result<> commit() override { return {}; }
    void rollback() override {}
    Result<> stream(const std::string& text, const std::function<Result<>(SqlRow&)>& each) override
    {
        return whole_.stream(text, each);
    }

private:
    SqlConnection& whole_;
};

class PostgresFilling final : public MetadataFilling {
public:
    PostgresFilling(std::unique_ptr<PostgresConnection> connection, const Clock& clock)
        : connection_{std::move(connection)}, clock_{clock}
    {
    }

    Result<> open()
    {
        CHECK(connection_->run_script(begin_filling));
        CHECK(connection_->run_script(postgres_schema_lock));
        TRY(const auto found, connection_->run(any_table));
        if (found.empty()) return {};
        return fail(Errc::conflict, "the database is not empty: it has the table " + found.front().text(0));
    }

    Result<> prepare(std::int64_t version) override
    {
        TRY(const auto steps, migrations_up_to(postgres_migrations(), version));
        CHECK(migrate_within(steps));
        TRY(tables_, list_tables(*connection_));
        TRY(references_, connection_->run(list_references));
        for (const auto& key : references_) {
            CHECK(connection_->run_once(
                "ALTER TABLE " + quoted_name(key.text(0)) + " DROP CONSTRAINT " + quoted_name(key.text(1)), {}
            ));
        }
        TRY(indexes_, connection_->run(list_indexes));
        for (const auto& index : indexes_) CHECK(connection_->run_once("DROP INDEX " + quoted_name(index.text(0)), {}));
        for (const auto& table : tables_) CHECK(connection_->run_once("DELETE FROM " + quoted_name(table.name), {}));
        return {};
    }

    const std::vector<StoredTable>& tables() const override { return tables_; }

    Result<> add(const StoredTable& table, std::span<const StoredRow> rows) override
    {
        // An event's place is its number too.
        const auto is_id = [](const StoredColumn& column) { return column.name == "id"; };
        const bool are_events = table.name == "events";
        const auto id = static_cast<std::size_t>(std::ranges::find_if(table.columns, is_id) - table.columns.begin());
        CopyText copied;
        for (const auto& row : rows) {
            copied.begin_row(row.size() + (are_events ? 1 : 0));
            for (const auto& value : row) copied.add(value);
            if (are_events) copied.add(row.at(id));
        }
        return connection_->copy_in(
            "COPY " + quoted_name(table.name) + " (" + columns_of(table) + (are_events ? ", sequence" : "") +
                ") FROM STDIN (FORMAT binary)",
            copied.take()
        );
    }

    Result<std::int64_t> count(const std::string& table) override { return count_rows(*connection_, table); }

    Result<> complete(const GivenIds& given) override
    {
        CHECK(set_given(given));
        for (const auto& index : indexes_) CHECK(connection_->run_once(index.text(1), {}));
        for (const auto& key : references_) {
            auto added = connection_->run_once(
                "ALTER TABLE " + quoted_name(key.text(0)) + " ADD CONSTRAINT " + quoted_name(key.text(1)) + " " +
                    key.text(2),
                {}
            );
            if (!added && added.error().code() == Errc::conflict) {
                return fail(
                    Errc::corrupt,
                    "the backup's rows of " + key.text(0) + " refer to rows that it does not have",
                    added.error().detail()
                );
            }
            CHECK(added);
        }
        CHECK(migrate_within(postgres_migrations()));
        CHECK(settle_restored(*connection_));
        return connection_->run_script("ANALYZE");
    }

    Result<std::vector<std::string>> discrepancies() override { return discrepancies_in(*connection_); }
    Result<> publish() override { return connection_->commit(); }

private:
    Result<> migrate_within(std::span<const Migration> steps)
    {
        WithinTransaction within{*connection_};
        return migrate(within, {.lock = "", .migrations = steps}, clock_);
    }

    Result<> set_given(const GivenIds& given)
    {
        TRY(const auto sequences, connection_->run(list_sequences));
        for (const auto& sequence : sequences) {
            const auto found = given.find(sequence.text(0));
            if (found == given.end() || found->second <= 0) continue;
            CHECK(connection_->run(set_sequence, {sequence.text(2), found->second}));
        }
        const auto events = given.find("events");
        if (events != given.end()) CHECK(connection_->run(set_event_order, {events->second}));
        return {};
    }

    std::unique_ptr<PostgresConnection> connection_;
    const Clock& clock_;
    std::vector<StoredTable> tables_;
    SqlRows references_;
    SqlRows indexes_;
};

}  // namespace

Result<std::unique_ptr<MetadataSnapshot>> open_postgres_snapshot(const std::string& url, const Clock& clock)
{
    TRY(auto connection, connection_to(url, clock));
    CHECK(connection->run_script(begin_reading));
    TRY(const auto version, version_of_schema(*connection, postgres_migrations().back().version));
    TRY(auto tables, list_tables(*connection));
    TRY(auto given, list_given_ids(*connection, tables));
    std::map<std::string, std::string> sources;
    if (const auto* events = find_table(tables, "events")) sources["events"] = events_in_order(*events);
    return std::make_unique<SqlSnapshot>(
        std::move(connection), version, std::move(tables), std::move(given), std::move(sources)
    );
}

Result<std::unique_ptr<MetadataFilling>> open_postgres_filling(const std::string& url, const Clock& clock)
{
    TRY(auto connection, connection_to(url, clock));
    auto filling = std::make_unique<PostgresFilling>(std::move(connection), clock);
    CHECK(filling->open());
    return filling;
}

Result<> note_in_postgres(const std::string& url, std::string_view name, std::string_view value, const Clock& clock)
{
    TRY(const auto connection, connection_to(url, clock));
    CHECK(connection->begin());
    CHECK(put_setting_in(*connection, name, value, clock.now()));
    return connection->commit();
}

}  // namespace entrepot

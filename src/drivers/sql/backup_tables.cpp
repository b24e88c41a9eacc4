#include "drivers/sql/backup_tables.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace entrepot {
namespace {

constexpr std::array left_out{
    TableLeftOut{"blob_fetches", "fetches from upstreams that ran then"},
    TableLeftOut{"change_counters", "PostgreSQL's, of schema version 1 alone: told caches of changes"},
    TableLeftOut{
        "chunk_hashes", "made again of the blobs' bytes when they are asked for; more than all the rest together"
    },
    TableLeftOut{"chunk_roots", "as the hashes that they are of"},
    TableLeftOut{"event_order", "PostgreSQL's alone: made of the events' numbers"},
    TableLeftOut{"idempotency_keys", "answers to requests that are repeated within a day"},
    TableLeftOut{"job_workers", "processes that ran then"},
    TableLeftOut{"quota_claims", "room for what was on its way then"},
    TableLeftOut{"refresh_tokens", "one that was revoked since would be good again"},
    TableLeftOut{"schema_migrations", "the version is in the manifest; the restored schema has its own"},
    TableLeftOut{"sessions", "one that was ended since would be open again"},
    TableLeftOut{"swarm_instances", "processes that ran then"},
    TableLeftOut{"uploads", "the bytes of unfinished uploads are not kept"},
};

// PostgreSQL's alone: its events have a number beside their id, which is their id in a backup.
bool is_left_out(const ListedColumn& column)
{
    if (column.table == "events" && column.column == "sequence") return true;
    return std::ranges::find(left_out, std::string_view{column.table}, &TableLeftOut::table) != left_out.end();
}

Result<StoredKind> kind_of(const ListedColumn& column)
{
    if (column.type == "INTEGER" || column.type == "BIGINT" || column.type == "bigint") return StoredKind::integer;
    if (column.type == "TEXT" || column.type == "text") return StoredKind::text;
    if (column.type == "BLOB" || column.type == "bytea") return StoredKind::bytes;
    return fail(Errc::unsupported, "a backup can't hold the column " + column.table + "." + column.column, column.type);
}

}  // namespace

std::span<const TableLeftOut> tables_left_out_of_backups()
{
    return left_out;
}

Result<std::vector<StoredTable>> kept_tables(std::vector<ListedColumn> columns)
{
    std::erase_if(columns, is_left_out);
    std::ranges::sort(columns, {}, [](const ListedColumn& column) { return std::tie(column.table, column.column); });
    std::vector<StoredTable> tables;
    std::map<std::int64_t, std::size_t> key;
    const auto end_table = [&]() -> Result<> {
        if (tables.empty()) return {};
        if (key.empty()) return fail(Errc::unsupported, "the table " + tables.back().name + " has no primary key");
        for (const auto& [place, column] : key) tables.back().key.push_back(column);
        key.clear();
        return {};
    };
    for (const auto& column : columns) {
        if (tables.empty() || tables.back().name != column.table) {
            CHECK(end_table());
            tables.push_back({.name = column.table, .columns = {}, .key = {}});
        }
        TRY(const auto kind, kind_of(column));
        if (column.key > 0) key[column.key] = tables.back().columns.size();
        tables.back().columns.push_back({column.column, kind});
    }
    CHECK(end_table());
    return tables;
}

std::string quoted_name(std::string_view name)
{
    return '"' + std::string{name} + '"';
}

std::string columns_of(const StoredTable& table)
{
    std::string text;
    for (const auto& column : table.columns) text += (text.empty() ? "" : ", ") + quoted_name(column.name);
    return text;
}

std::string select_of(const StoredTable& table, std::string_view source)
{
    std::string order;
    for (const auto place : table.key) order += (order.empty() ? "" : ", ") + quoted_name(table.columns[place].name);
    return "SELECT " + columns_of(table) + " FROM " + (source.empty() ? quoted_name(table.name) : std::string{source}) +
           " ORDER BY " + order;
}

}  // namespace entrepot

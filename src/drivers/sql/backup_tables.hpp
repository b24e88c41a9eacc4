#pragma once

#include "ports/metadata_copy.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Which tables a backup keeps: every one of the schema that isn't named here with the reason why not.
struct TableLeftOut {
    std::string_view table;
    std::string_view why;
};
std::span<const TableLeftOut> tables_left_out_of_backups();

// As the engine's own schema lists them, in any order.
struct ListedColumn {
    std::string table;
    std::string column;
    std::string type;      // in the engine's words
    std::int64_t key = 0;  // place in the primary key from 1 on; 0: not in it
};
// Those that a backup keeps. unsupported for a column of another type than whole numbers, text and bytes, and for a
// table without a primary key.
Result<std::vector<StoredTable>> kept_tables(std::vector<ListedColumn> columns);

std::string quoted_name(std::string_view name);
// "a", "b"
std::string columns_of(const StoredTable& table);
// SELECT of all columns in the order of the key; from `source` where it isn't the table itself.
std::string select_of(const StoredTable& table, std::string_view source = {});

}  // namespace entrepot

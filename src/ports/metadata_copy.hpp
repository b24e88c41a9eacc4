#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace entrepot {

// All metadata as rows that no engine is told from: what a backup keeps and a restore writes. Everything here blocks
// and belongs to one thread; it is for commands, not for a server's loops.

enum class StoredKind : std::uint8_t { integer = 1, text = 2, bytes = 3 };

// NULL, an integer, or text and bytes as they are.
using StoredValue = std::variant<std::monostate, std::int64_t, std::string>;
using StoredRow = std::vector<StoredValue>;

struct StoredColumn {
    std::string name;
    StoredKind kind = StoredKind::integer;
    bool operator==(const StoredColumn&) const = default;
};

// A table and its columns, both in the order of their names, so that it is the same on every engine.
struct StoredTable {
    std::string name;
    std::vector<StoredColumn> columns;
    std::vector<std::size_t> key;  // places in `columns`: the primary key, in its order
    bool operator==(const StoredTable&) const = default;
};

// The highest id that was ever given to a row of a table.
using GivenIds = std::map<std::string, std::int64_t>;

// One moment of all that is kept; nothing that happens later is seen. unavailable, corrupt.
class MetadataSnapshot {
public:
    virtual ~MetadataSnapshot() = default;

    virtual std::int64_t schema_version() const = 0;
    // Those that a backup keeps, by name.
    virtual const std::vector<StoredTable>& tables() const = 0;
    virtual const GivenIds& given_ids() const = 0;
    // Each row in the order of the key, one in memory at a time. Ends with the first failure of `each`.
    virtual Result<> read(const StoredTable& table, const std::function<Result<>(const StoredRow&)>& each) = 0;
};

// An empty metadata store that is being filled; thrown away unless publish() succeeds. conflict when it isn't empty,
// unsupported for a schema that this program doesn't know, storage_full, unavailable, corrupt.
class MetadataFilling {
public:
    virtual ~MetadataFilling() = default;

    // Makes the schema as it was at `version`, without rows. First.
    virtual Result<> prepare(std::int64_t version) = 0;
    virtual const std::vector<StoredTable>& tables() const = 0;
    // Rows of one table, many at a time; the tables in any order, but one after the other.
    virtual Result<> add(const StoredTable& table, std::span<const StoredRow> rows) = 0;
    virtual Result<std::int64_t> count(const std::string& table) = 0;
    // All rows are there: sets what the next ids follow, checks what refers to what, brings the schema up to date and
    // puts in order what was under way at the snapshot's moment.
    virtual Result<> complete(const GivenIds& given) = 0;
    // After complete(): what does not add up, a line each.
    virtual Result<std::vector<std::string>> discrepancies() = 0;
    // After that nothing of it is lost any more.
    virtual Result<> publish() = 0;
};

}  // namespace entrepot

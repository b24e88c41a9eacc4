#pragma once

#include "ports/metadata_copy.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Rows of one table as the bytes of a chunk (docs/formats/backup.md). Pure.
struct RowChunk {
    StoredTable table;
    std::vector<StoredRow> rows;
};

// Where a chunk may end: most rows and bytes of one. A row alone may be larger.
inline constexpr std::size_t most_rows_of_chunk = 16'384;
inline constexpr std::size_t most_bytes_of_chunk = 4 << 20;
// What a reader takes: a chunk with its last row.
inline constexpr std::size_t longest_chunk = 64 << 20;

// Builds chunks row by row.
class RowChunkWriter {
public:
    explicit RowChunkWriter(const StoredTable& table);

    void add(const StoredRow& row);
    std::uint64_t rows() const noexcept { return rows_; }
    // Whether the chunk ends with the row that was added last: that row's key says so, wherever the chunk began, so
    // that a change moves no chunk's end but its own. About one row in 2,048, or the limits above.
    bool is_full() const;
    // The chunk; the next one begins.
    std::string take();

private:
    const StoredTable& table_;
    std::string head_;
    std::string text_;
    std::uint64_t rows_ = 0;
    bool ends_here_ = false;
};

// corrupt when the bytes are no such chunk. Every row has as many values as the table has columns, each NULL or of its
// column's kind.
Result<RowChunk> read_row_chunk(std::string_view bytes);

}  // namespace entrepot

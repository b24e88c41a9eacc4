#include "upkeep/backup/row_chunk.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

constexpr std::string_view magic{"entrepot rows 1\n"};
constexpr std::size_t most_columns = 256;
constexpr std::uint64_t mean_rows_of_chunk = 2'048;

void put_number(std::string& text, std::uint64_t number)
{
    for (; number >= 0x80; number >>= 7U) text.push_back(static_cast<char>(number | 0x80U));
    text.push_back(static_cast<char>(number));
}

void put_text(std::string& text, std::string_view value)
{
    put_number(text, value.size());
    text += value;
}

// Small numbers of either sign take few bytes.
std::uint64_t zigzag(std::int64_t number) noexcept
{
    return (static_cast<std::uint64_t>(number) << 1U) ^ static_cast<std::uint64_t>(number >> 63);
}

std::int64_t unzigzag(std::uint64_t number) noexcept
{
    return static_cast<std::int64_t>((number >> 1U) ^ (~(number & 1U) + 1));
}

void put_value(std::string& text, const StoredValue& value)
{
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        text.push_back('\1');
        put_number(text, zigzag(*number));
    } else if (const auto* words = std::get_if<std::string>(&value)) {
        text.push_back('\2');
        put_text(text, *words);
    } else {
        text.push_back('\0');
    }
}

// FNV-1a, its bits mixed: every bit of the key counts for the lowest ones.
std::uint64_t hash_of(std::string_view text) noexcept
{
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char letter : text) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
    hash ^= hash >> 33U;
    hash *= 0xff51afd7ed558ccd;
    return hash ^ (hash >> 33U);
}

// Takes a chunk apart, each step within its bytes.
class ChunkReader {
public:
    explicit ChunkReader(std::string_view bytes) noexcept : rest_{bytes} {}

    bool at_end() const noexcept { return rest_.empty(); }

    Result<std::string_view> take(std::uint64_t count)
    {
        if (count > rest_.size()) return fail(Errc::corrupt, "a chunk ends in the middle");
        const auto taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }
    Result<std::uint8_t> byte()
    {
        TRY(const auto one, take(1));
        return static_cast<std::uint8_t>(one.front());
    }
    // LEB128 in its shortest form.
    Result<std::uint64_t> number()
    {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            TRY(const auto part, byte());
            const std::uint64_t bits = part & 0x7fU;
            if ((bits << shift) >> shift != bits || (part == 0 && shift > 0)) break;
            value |= bits << shift;
            if (part < 0x80) return value;
        }
        return fail(Errc::corrupt, "a number in a chunk is not one");
    }
    Result<std::string_view> text()
    {
        TRY(const auto size, number());
        return take(size);
    }

private:
    std::string_view rest_;
};

Result<StoredKind> kind_of(std::uint8_t byte)
{
    if (byte < 1 || byte > 3) return fail(Errc::corrupt, "a column in a chunk has an unknown kind");
    return static_cast<StoredKind>(byte);
}

Result<StoredTable> read_table(ChunkReader& reader)
{
    TRY(const auto start, reader.take(magic.size()));
    if (start != magic) return fail(Errc::corrupt, "this is no chunk of rows");
    StoredTable table;
    TRY(const auto name, reader.text());
    table.name = name;
    TRY(const auto columns, reader.number());
    if (columns == 0 || columns > most_columns) return fail(Errc::corrupt, "a chunk has too many columns");
    for (std::uint64_t i = 0; i < columns; ++i) {
        TRY(const auto column, reader.text());
        TRY(const auto byte, reader.byte());
        TRY(const auto kind, kind_of(byte));
        table.columns.push_back({std::string{column}, kind});
    }
    TRY(const auto keys, reader.number());
    if (keys == 0 || keys > columns) return fail(Errc::corrupt, "a chunk's key is none");
    for (std::uint64_t i = 0; i < keys; ++i) {
        TRY(const auto place, reader.number());
        if (place >= columns) return fail(Errc::corrupt, "a chunk's key is none");
        table.key.push_back(place);
    }
    return table;
}

Result<StoredValue> read_value(ChunkReader& reader, StoredKind kind)
{
    TRY(const auto tag, reader.byte());
    if (tag == 0) return StoredValue{};
    const bool is_integer = kind == StoredKind::integer;
    if (tag != (is_integer ? 1 : 2)) return fail(Errc::corrupt, "a value in a chunk is not of its column's kind");
    if (is_integer) {
        TRY(const auto number, reader.number());
        return StoredValue{unzigzag(number)};
    }
    TRY(const auto text, reader.text());
    return StoredValue{std::string{text}};
}

}  // namespace

RowChunkWriter::RowChunkWriter(const StoredTable& table) : table_{table}
{
    head_ = magic;
    put_text(head_, table.name);
    put_number(head_, table.columns.size());
    for (const auto& column : table.columns) {
        put_text(head_, column.name);
        head_.push_back(static_cast<char>(column.kind));
    }
    put_number(head_, table.key.size());
    for (const auto place : table.key) put_number(head_, place);
    text_ = head_;
}

void RowChunkWriter::add(const StoredRow& row)
{
    for (const auto& value : row) put_value(text_, value);
    std::string key;
    for (const auto place : table_.key) put_value(key, row.at(place));
    ends_here_ = hash_of(key) % mean_rows_of_chunk == 0;
    ++rows_;
}

bool RowChunkWriter::is_full() const
{
    return rows_ > 0 && (ends_here_ || rows_ >= most_rows_of_chunk || text_.size() >= most_bytes_of_chunk);
}

std::string RowChunkWriter::take()
{
    rows_ = 0;
    ends_here_ = false;
    return std::exchange(text_, head_);
}

Result<RowChunk> read_row_chunk(std::string_view bytes)
{
    ChunkReader reader{bytes};
    RowChunk chunk;
    TRY(chunk.table, read_table(reader));
    while (!reader.at_end()) {
        if (chunk.rows.size() == most_rows_of_chunk) return fail(Errc::corrupt, "a chunk has too many rows");
        StoredRow row;
        row.reserve(chunk.table.columns.size());
        for (const auto& column : chunk.table.columns) {
            TRY(auto value, read_value(reader, column.kind));
            row.push_back(std::move(value));
        }
        chunk.rows.push_back(std::move(row));
    }
    return chunk;
}

}  // namespace entrepot

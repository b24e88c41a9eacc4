#include "drivers/postgres/postgres_values.hpp"

#include <libpq-fe.h>

namespace entrepot {

namespace {

// Object ids of pg_type: they never change.
constexpr unsigned bool_type = 16;
constexpr unsigned bytea_type = 17;
constexpr unsigned int8_type = 20;
constexpr unsigned int2_type = 21;
constexpr unsigned int4_type = 23;
constexpr unsigned text_type = 25;

constexpr int binary = 1;

std::array<char, 8> big_endian(std::int64_t number) noexcept
{
    std::array<char, 8> bytes{};
    auto rest = static_cast<std::uint64_t>(number);
    for (std::size_t i = bytes.size(); i-- > 0; rest >>= 8) bytes[i] = static_cast<char>(rest & 0xff);
    return bytes;
}

std::int64_t from_big_endian(const char* bytes, int length) noexcept
{
    // The first byte carries the sign.
    auto value = static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<signed char>(bytes[0])));
    for (int i = 1; i < length; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[i]);
    return static_cast<std::int64_t>(value);
}

bool is_integer(unsigned type) noexcept
{
    return type == int8_type || type == int4_type || type == int2_type || type == bool_type;
}

}  // namespace

PostgresParameters::PostgresParameters(std::span<const SqlParameter> parameters)
{
    integers_.reserve(parameters.size());  // add() keeps pointers into it
    struct Adder {
        PostgresParameters& into;
        void operator()(std::monostate) const { into.add(0, nullptr, 0); }
        void operator()(std::int64_t number) const
        {
            into.integers_.push_back(big_endian(number));
            into.add(int8_type, into.integers_.back().data(), 8);
        }
        void operator()(std::string_view text) const
        {
            into.add(text_type, text.data() ? text.data() : "", text.size());
        }
        void operator()(const SqlBytes& value) const
        {
            into.add(bytea_type, value.bytes.data() ? value.bytes.data() : "", value.bytes.size());
        }
    };
    for (const SqlParameter& parameter : parameters) std::visit(Adder{*this}, parameter);
}

void PostgresParameters::add(unsigned type, const char* value, std::size_t length)
{
    types.push_back(type);
    values.push_back(value);
    lengths.push_back(static_cast<int>(length));
    formats.push_back(binary);
}

SqlRows rows_of(const pg_result* result)
{
    SqlRows rows;
    const int count = PQntuples(result);
    const int columns = PQnfields(result);
    rows.reserve(static_cast<std::size_t>(count));
    for (int row = 0; row < count; ++row) {
        std::vector<SqlRow::Field> fields;
        fields.reserve(static_cast<std::size_t>(columns));
        for (int column = 0; column < columns; ++column) {
            const char* value = PQgetvalue(result, row, column);
            const int length = PQgetlength(result, row, column);
            if (PQgetisnull(result, row, column)) {
                fields.emplace_back(std::monostate{});
            } else if (is_integer(PQftype(result, column))) {
                fields.emplace_back(from_big_endian(value, length));
            } else {
                fields.emplace_back(std::string(value, static_cast<std::size_t>(length)));
            }
        }
        rows.emplace_back(std::move(fields));
    }
    return rows;
}

}  // namespace entrepot

#pragma once

#include "drivers/sql/sql_session.hpp"

#include <array>
#include <string>
#include <vector>

struct pg_result;

namespace entrepot {

// Parameters and rows in PostgreSQL's binary format ("Formats and Format Codes" of the frontend/backend protocol):
// integers big-endian, text and bytea as they are.

// Borrows the texts of the parameters.
class PostgresParameters {
public:
    explicit PostgresParameters(std::span<const SqlParameter> parameters);
    PostgresParameters(const PostgresParameters&) = delete;
    PostgresParameters& operator=(const PostgresParameters&) = delete;

    int count() const noexcept { return static_cast<int>(types.size()); }

    std::vector<unsigned> types;  // 0: the server infers it
    std::vector<const char*> values;
    std::vector<int> lengths;
    std::vector<int> formats;

private:
    void add(unsigned type, const char* value, std::size_t length);

    std::vector<std::array<char, 8>> integers_;
};

SqlRows rows_of(const pg_result* result);

}  // namespace entrepot

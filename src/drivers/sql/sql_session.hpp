#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace entrepot {

// One connection to a SQL database inside one transaction, as the shared statements see it. Belongs to one thread.

// A statement that both engines understand, with parameters $1, $2 … Texts are string literals: engines keep what they
// prepared under the literal's address. `row_lock` is appended where the engine has row locks, and only there.
struct SqlStatement {
    const char* text;
    const char* row_lock = "";
};

// Parameters borrow their text for the call.
struct SqlBytes {
    explicit SqlBytes(std::string_view value) noexcept : bytes{value} {}
    std::string_view bytes;
};
using SqlParameter = std::variant<std::monostate, std::int64_t, std::string_view, SqlBytes>;
using SqlParameters = std::initializer_list<SqlParameter>;

class SqlRow {
public:
    using Field = std::variant<std::monostate, std::int64_t, std::string>;

    explicit SqlRow(std::vector<Field> fields) noexcept : fields_{std::move(fields)} {}

    bool is_null(std::size_t column) const { return std::holds_alternative<std::monostate>(fields_.at(column)); }
    // These throw std::bad_variant_access for a NULL or another type: a bug in the statement.
    std::int64_t integer(std::size_t column) const { return std::get<std::int64_t>(fields_.at(column)); }
    const std::string& text(std::size_t column) const { return std::get<std::string>(fields_.at(column)); }
    std::string take_text(std::size_t column) { return std::move(std::get<std::string>(fields_.at(column))); }
    std::vector<Field> take_fields() noexcept { return std::move(fields_); }

private:
    std::vector<Field> fields_;
};
using SqlRows = std::vector<SqlRow>;

class SqlSession {
public:
    virtual ~SqlSession() = default;

    // Whether other transactions change the database at the same time.
    virtual bool has_rivals() const noexcept = 0;

    // All rows of the answer. conflict when a constraint refuses, storage_full, unavailable.
    Result<SqlRows> run(const SqlStatement& statement, SqlParameters parameters = {})
    {
        return run_with(statement, {parameters.begin(), parameters.size()});
    }
    virtual Result<SqlRows> run_with(const SqlStatement& statement, std::span<const SqlParameter> parameters) = 0;
    // A text that may never come again, so that nothing is kept of it.
    virtual Result<SqlRows> run_once(const std::string& text, std::span<const SqlParameter> parameters) = 0;
    // Several statements without parameters or rows: definitions.
    virtual Result<> run_script(std::string_view text) = 0;

    // Whether an event was recorded since it was last asked, in a transaction that may have failed.
    void note_event() noexcept { event_noted_ = true; }
    bool take_event_note() noexcept { return std::exchange(event_noted_, false); }

private:
    bool event_noted_ = false;
};

}  // namespace entrepot

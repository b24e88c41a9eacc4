#pragma once

#include "core/clock.hpp"
#include "drivers/sql/sql_session.hpp"

#include <functional>
#include <span>
#include <string>

namespace entrepot {

// A session that ends transactions too.
class SqlConnection : public SqlSession {
public:
    virtual Result<> begin() = 0;
    virtual Result<> commit() = 0;
    virtual void rollback() = 0;

    // A query whose rows are never all in memory. Ends with the first failure of `each`, which must not use the
    // connection; what is left of the answer is lost with it then.
    virtual Result<> stream(const std::string& text, const std::function<Result<>(SqlRow&)>& each) = 0;
};

// One numbered step of an engine's schema. `oldest_binary` is the lowest version whose binaries still work on the
// schema after this step: we expand first and contract a release later, so two neighbouring releases run side by side.
struct Migration {
    std::int64_t version = 0;
    const char* name = "";
    const char* script = "";
    std::int64_t oldest_binary = 0;
};

// How an engine begins to migrate. `lock` keeps other instances out until the transaction ends; may be empty.
struct MigrationPlan {
    const char* lock = "";
    std::span<const Migration> migrations;
};

// Brings the schema to the last migration, each in its own transaction, so it goes on where it was interrupted.
// unsupported when the database is newer than this binary can work with.
Result<> migrate(SqlConnection& connection, const MigrationPlan& plan, const Clock& clock);

}  // namespace entrepot

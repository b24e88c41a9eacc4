#pragma once

#include "access/access_entries.hpp"
#include "drivers/sql/sql_session.hpp"

#include <map>
#include <memory>
#include <string>

namespace entrepot {

// Reads what decisions are made from, inside one transaction: entry by entry, or all at once with one statement a
// table. An entry that is gone is told as removed.
class AccessReader {
public:
    explicit AccessReader(SqlSession& session) : session_{session} {}

    Result<> everything();
    Result<> project(std::int64_t id);
    Result<> tenant(std::int64_t id);
    Result<> principal(std::int64_t id);
    Result<> platform();
    Result<> roles();

    AccessChanges take() { return std::move(changes_); }

private:
    GrantEntry grant_of(SqlRow& row);
    Result<> grants_and_names();
    Result<> all_principals();

    SqlSession& session_;
    AccessChanges changes_;
    // Robots carry the same few sets over and over.
    std::map<std::pair<ObjectKind, std::string>, std::shared_ptr<const PermissionSet>> sets_;
};

}  // namespace entrepot

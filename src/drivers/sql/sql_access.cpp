#include "drivers/sql/sql_access.hpp"

#include "drivers/sql/access_entry_rows.hpp"

#include <string_view>

namespace entrepot {

namespace {

constexpr SqlStatement read_state{"SELECT version, oldest FROM access_state WHERE one = 1"};

constexpr SqlStatement changed_objects{
    "SELECT DISTINCT kind, id FROM access_changes WHERE version > $1 AND version <= $2 ORDER BY kind, id"
};

Result<> read_one(AccessReader& reader, std::string_view kind, std::int64_t id)
{
    if (kind == "project") return reader.project(id);
    if (kind == "tenant") return reader.tenant(id);
    if (kind == "principal") return reader.principal(id);
    if (kind == "platform") return reader.platform();
    if (kind == "roles") return reader.roles();
    return fail(Errc::corrupt, "a change of access is of no known kind");
}

// The version is read first: what commits in between is read too early here, and again under its own version.
Result<AccessChanges> read_changes(SqlSession& session, std::int64_t since)
{
    TRY(const auto state, session.run(read_state));
    if (state.empty()) return fail(Errc::corrupt, "the version of access is gone");
    const auto version = state.front().integer(0);
    const auto oldest = state.front().integer(1);

    AccessReader reader{session};
    // A version from the future is another database's, put in place of this one.
    if (since <= 0 || since > version || since < oldest - 1) {
        CHECK(reader.everything());
    } else if (since < version) {
        TRY(const auto changed, session.run(changed_objects, {since, version}));
        for (const auto& row : changed) CHECK(read_one(reader, row.text(0), row.integer(1)));
    }
    auto changes = reader.take();
    changes.version = version;
    return changes;
}

}  // namespace

Task<AccessChanges> SqlAccess::changes_since(std::int64_t version)
{
    const auto work = [version](SqlSession& session) { return read_changes(session, version); };
    co_return co_await engine_.read(work);
}

}  // namespace entrepot

#include "drivers/sql/access_rows.hpp"

#include <array>
#include <string_view>

namespace entrepot {

namespace {

// Waits for whoever else raises it, until they have committed.
constexpr SqlStatement raise_version{"UPDATE access_state SET version = version + 1 WHERE one = 1 RETURNING version"};

constexpr SqlStatement insert_change{
    "INSERT INTO access_changes (version, kind, id) VALUES ($1, $2, $3) ON CONFLICT (version, kind, id) DO NOTHING"
};

constexpr SqlStatement drop_changes{"DELETE FROM access_changes WHERE version < $1"};
constexpr SqlStatement move_oldest{"UPDATE access_state SET oldest = $1 WHERE one = 1"};

// Old changes go in lots, not one by one.
constexpr std::int64_t between_trims = 256;

std::string_view word_for(AccessObject kind) noexcept
{
    switch (kind) {
        case AccessObject::project: return "project";
        case AccessObject::tenant: return "tenant";
        case AccessObject::principal: return "principal";
        case AccessObject::platform: return "platform";
        case AccessObject::roles: return "roles";
    }
    return "";
}

Result<> trim(SqlSession& session, std::int64_t version)
{
    const auto oldest = version - kept_access_changes + 1;
    if (version % between_trims != 0 || oldest <= 1) return {};
    CHECK(session.run(drop_changes, {oldest}));
    CHECK(session.run(move_oldest, {oldest}));
    return {};
}

}  // namespace

Result<> note_access_change(SqlSession& session, AccessObject kind, std::int64_t id)
{
    const std::array ids{id};
    return note_access_changes(session, kind, ids);
}

Result<> note_access_changes(SqlSession& session, AccessObject kind, std::span<const std::int64_t> ids)
{
    if (ids.empty()) return {};
    TRY(const auto rows, session.run(raise_version));
    if (rows.empty()) return fail(Errc::corrupt, "the version of access is gone");
    const auto version = rows.front().integer(0);
    for (const auto id : ids) CHECK(session.run(insert_change, {version, word_for(kind), id}));
    return trim(session, version);
}

}  // namespace entrepot

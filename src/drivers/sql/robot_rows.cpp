#include "drivers/sql/robot_rows.hpp"

#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/grant_rows.hpp"

namespace entrepot {
namespace {

constexpr SqlStatement delete_robot{"DELETE FROM robots WHERE user_id = $1"};
constexpr SqlStatement delete_credentials{"DELETE FROM credentials WHERE user_id = $1"};
constexpr SqlStatement delete_refresh_tokens{"DELETE FROM refresh_tokens WHERE user_id = $1"};
// No living name holds a '#'.
constexpr SqlStatement retire_principal{
    "UPDATE users SET name = name || '#' || CAST(id AS TEXT), kind = 'deleted', disabled = 1, updated_at = $2 "
    "WHERE id = $1"
};

}  // namespace

Result<> retire_robots(SqlSession& session, std::span<const std::int64_t> ids, Micros now)
{
    for (const auto id : ids) {
        CHECK(remove_grants_of_subject(session, "robot", id));
        for (const auto* statement : {&delete_robot, &delete_credentials, &delete_refresh_tokens}) {
            CHECK(session.run(*statement, {id}));
        }
        CHECK(session.run(retire_principal, {id, now}));
    }
    return note_access_changes(session, AccessObject::principal, ids);
}

}  // namespace entrepot

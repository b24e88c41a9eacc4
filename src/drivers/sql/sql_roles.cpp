#include "drivers/sql/sql_roles.hpp"

#include "access/permission_text.hpp"
#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/event_rows.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr SqlStatement select_roles{"SELECT id, name, description, permissions FROM roles ORDER BY id"};
constexpr SqlStatement lock_role{"SELECT id, name FROM roles WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement select_last{"SELECT COALESCE(MAX(id), 0) FROM roles"};
constexpr SqlStatement select_name{"SELECT id FROM roles WHERE name = $1"};
constexpr SqlStatement insert_role{
    "INSERT INTO roles (id, name, description, permissions, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $5)"
};
constexpr SqlStatement update_role{
    "UPDATE roles SET name = $2, description = $3, permissions = $4, updated_at = $5 WHERE id = $1"
};
constexpr SqlStatement any_grant{"SELECT id FROM grants WHERE role_id = $1 LIMIT 1"};
constexpr SqlStatement delete_role{"DELETE FROM roles WHERE id = $1"};

std::unexpected<Error> no_such_role()
{
    return fail(Errc::not_found, "there is no such role");
}

Result<> expect_free_name(SqlSession& session, const Role& role)
{
    TRY(const auto rows, session.run(select_name, {role.name}));
    if (rows.empty() || rows.front().integer(0) == role.id) return {};
    return fail(Errc::conflict, "role " + role.name + " exists already");
}

}  // namespace

Task<std::vector<Role>> SqlRoles::all()
{
    const auto work = [](SqlSession& session) -> Result<std::vector<Role>> {
        TRY(auto rows, session.run(select_roles));
        std::vector<Role> roles;
        roles.reserve(rows.size());
        for (auto& row : rows) {
            Role role;
            role.id = row.integer(0);
            role.name = row.take_text(1);
            role.description = row.take_text(2);
            role.permissions = permissions_in(row.text(3), ObjectKind::project);
            roles.push_back(std::move(role));
        }
        return roles;
    };
    co_return co_await engine_.read(work);
}

Task<Role> SqlRoles::create(Role role, Actor actor)
{
    const auto work = [role = std::move(role), actor](SqlSession& session) -> Result<Role> {
        // First: whoever else makes a role waits here, so nobody is given the same id.
        CHECK(note_access_change(session, AccessObject::roles, 0));
        CHECK(expect_free_name(session, role));
        TRY(const auto last, session.run(select_last));
        auto made = role;
        made.id = std::max(last.front().integer(0) + 1, role::first_custom);
        const auto permissions = permission_text(made.permissions);
        CHECK(session.run(insert_role, {made.id, made.name, made.description, permissions, actor.at}));
        CHECK(record_event(session, event_about(event_type::role_created, actor, made.id, made.name)));
        return made;
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Role> SqlRoles::change(Role role, Actor actor)
{
    const auto work = [role = std::move(role), actor](SqlSession& session) -> Result<Role> {
        TRY(const auto found, session.run(lock_role, {role.id}));
        if (found.empty()) return no_such_role();
        CHECK(expect_free_name(session, role));
        const auto permissions = permission_text(role.permissions);
        CHECK(session.run(update_role, {role.id, role.name, role.description, permissions, actor.at}));
        CHECK(note_access_change(session, AccessObject::roles, 0));
        CHECK(record_event(session, event_about(event_type::role_updated, actor, role.id, role.name)));
        return role;
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlRoles::remove(std::int64_t id, Actor actor)
{
    const auto work = [id, actor](SqlSession& session) -> Result<> {
        TRY(const auto found, session.run(lock_role, {id}));
        if (found.empty()) return no_such_role();
        TRY(const auto granted, session.run(any_grant, {id}));
        if (!granted.empty()) return fail(Errc::precondition_failed, "the role is still granted to somebody");
        CHECK(session.run(delete_role, {id}));
        CHECK(record_event(session, event_about(event_type::role_deleted, actor, id, found.front().text(1))));
        return note_access_change(session, AccessObject::roles, 0);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot

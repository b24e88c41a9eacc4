#include "drivers/sql/sql_robots.hpp"

#include "access/permission_text.hpp"
#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/grant_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/robot_rows.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace entrepot {
namespace {

#define ROBOT_COLUMNS                                                                                              \
    "u.id, u.name, r.level, r.tenant_id, r.project_id, r.description, u.disabled, r.duration_days, r.expires_at, " \
    "r.created_by, r.last_used_at, r.created_at, r.updated_at"

constexpr const char* robot_columns = ROBOT_COLUMNS;
constexpr const char* robot_tables = "robots r JOIN users u ON u.id = r.user_id";
constexpr SqlStatement select_robot{"SELECT " ROBOT_COLUMNS
                                    " FROM robots r JOIN users u ON u.id = r.user_id WHERE u.id = $1"};
#undef ROBOT_COLUMNS

constexpr ListColumn robot_fields[] = {
    {"id", "u.id", ListColumn::Type::integer},
    {"name", "u.name"},
    {"description", "r.description"},
    {"disable", "u.disabled", ListColumn::Type::boolean},
    {"expires_at", "r.expires_at", ListColumn::Type::time},
    {"creation_time", "r.created_at", ListColumn::Type::time},
    {"update_time", "r.updated_at", ListColumn::Type::time},
};

constexpr const char* right_columns =
    "g.subject_id, g.object_kind, g.object_id, g.permissions, COALESCE(p.name, t.name, '')";
constexpr const char* right_tables =
    "grants g LEFT JOIN projects p ON g.object_kind = 'project' AND p.id = g.object_id "
    "LEFT JOIN tenants t ON g.object_kind = 'tenant' AND t.id = g.object_id";

constexpr SqlStatement lock_robot{"SELECT user_id FROM robots WHERE user_id = $1", "FOR UPDATE"};
constexpr SqlStatement insert_principal{
    "INSERT INTO users (name, is_admin, created_at, updated_at, kind, disabled) VALUES ($1, 0, $2, $2, 'robot', $3) "
    "ON CONFLICT (name) DO NOTHING RETURNING id"
};
constexpr SqlStatement insert_credential{
    "INSERT INTO credentials (user_id, kind, secret, version) VALUES ($1, 'robot', '', 1)"
};
constexpr SqlStatement insert_robot{
    "INSERT INTO robots (user_id, level, tenant_id, project_id, description, duration_days, expires_at, created_by, "
    "secret_hash, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)"
};
// With the engine's row lock the object can't go before the robot has come.
constexpr SqlStatement hold_project{"SELECT id FROM projects WHERE id = $1", "FOR KEY SHARE"};
constexpr SqlStatement hold_tenant{"SELECT id FROM tenants WHERE id = $1", "FOR KEY SHARE"};

constexpr SqlStatement update_robot{
    "UPDATE robots SET description = $2, duration_days = $3, expires_at = $4, updated_at = $5 WHERE user_id = $1"
};
constexpr SqlStatement update_principal{"UPDATE users SET disabled = $2, updated_at = $3 WHERE id = $1"};
constexpr SqlStatement delete_rights{
    "DELETE FROM grants WHERE subject_kind = 'robot' AND subject_id = $1 AND role_id = 0 AND origin = 'robot' "
    "RETURNING object_kind, object_id"
};
constexpr SqlStatement replace_secret{
    "UPDATE robots SET previous_hash = CASE WHEN $3 = 0 THEN '' ELSE secret_hash END, previous_until = $3, "
    "secret_hash = $2, updated_at = $4 WHERE user_id = $1"
};
constexpr SqlStatement raise_credential{
    "UPDATE credentials SET version = version + 1 WHERE user_id = $1 AND kind = 'robot'"
};

std::unexpected<Error> no_such_robot()
{
    return fail(Errc::not_found, "there is no such robot");
}

Robot robot_of(SqlRow& row)
{
    Robot robot;
    robot.id = row.integer(0);
    robot.name = row.take_text(1);
    robot.level = robot_level_named(row.text(2)).value_or(RobotLevel::system);
    robot.tenant_id = row.integer(3);
    robot.project_id = row.integer(4);
    robot.description = row.take_text(5);
    robot.disabled = row.integer(6) != 0;
    robot.duration_days = row.integer(7);
    robot.expires_at = row.integer(8);
    robot.created_by = row.integer(9);
    robot.last_used_at = row.integer(10);
    robot.created_at = row.integer(11);
    robot.updated_at = row.integer(12);
    return robot;
}

// Of all these robots with one statement.
Result<> read_rights(SqlSession& session, std::vector<Robot>& robots)
{
    std::vector<std::int64_t> ids;
    for (const auto& robot : robots) ids.push_back(robot.id);
    ListStatement statement{right_columns, right_tables, {}};
    statement.where("g.subject_kind = 'robot' AND g.role_id = 0 AND g.origin = 'robot'");
    statement.where_one_of("g.subject_id", ids);
    statement.order_by("g.object_kind, g.object_id");
    ListQuery all;
    all.limit = std::numeric_limits<std::int64_t>::max();
    CHECK(statement.apply(all));
    TRY(auto rows, statement.page(session));
    for (auto& row : rows) {
        const auto owner = std::ranges::find(robots, row.integer(0), &Robot::id);
        if (owner == robots.end()) continue;
        RobotRight right;
        right.kind = object_kind_named(row.text(1)).value_or(ObjectKind::project);
        right.object_id = row.integer(2);
        right.permissions = permissions_in(row.text(3), right.kind);
        right.object_name = row.take_text(4);
        owner->rights.push_back(std::move(right));
    }
    return {};
}

Result<Robot> load_robot(SqlSession& session, std::int64_t id)
{
    TRY(auto rows, session.run(select_robot, {id}));
    if (rows.empty()) return no_such_robot();
    std::vector<Robot> one{robot_of(rows.front())};
    CHECK(read_rights(session, one));
    return std::move(one.front());
}

Result<> record_robot(SqlSession& session, std::string_view type, const Robot& robot, const Actor& actor)
{
    auto event = event_about(type, actor, robot.id, robot.name);
    event.tenant_id = robot.tenant_id;
    event.project_id = robot.project_id;
    return record_event(session, event);
}

Result<> expect_there(SqlSession& session, ObjectKind kind, std::int64_t id)
{
    if (kind == ObjectKind::platform) return {};
    const bool is_tenant = kind == ObjectKind::tenant;
    TRY(const auto rows, session.run(is_tenant ? hold_tenant : hold_project, {id}));
    if (!rows.empty()) return {};
    return fail(Errc::not_found, is_tenant ? "there is no such tenant" : "there is no such project");
}

Result<> insert_rights(SqlSession& session, std::int64_t id, const std::vector<RobotRight>& rights, const Actor& actor)
{
    for (const auto& right : rights) {
        CHECK(expect_there(session, right.kind, right.object_id));
        const auto text = permission_text(right.permissions);
        const PlainGrantRow grant{
            .subject_kind = "robot",
            .subject_id = id,
            .object_kind = name_of(right.kind),
            .object_id = right.object_id,
            .role_id = 0,
            .permissions = text,
            .origin = "robot",
        };
        CHECK(add_plain_grant(session, grant, actor.user_id, actor.at));
    }
    return {};
}

Result<Robot> add_robot(SqlSession& session, const Robot& robot, const std::string& secret_hash, const Actor& actor)
{
    if (robot.tenant_id != 0) CHECK(expect_there(session, ObjectKind::tenant, robot.tenant_id));
    if (robot.project_id != 0) CHECK(expect_there(session, ObjectKind::project, robot.project_id));
    const std::int64_t disabled = robot.disabled ? 1 : 0;
    TRY(const auto rows, session.run(insert_principal, {robot.name, actor.at, disabled}));
    if (rows.empty()) return fail(Errc::conflict, "there is a robot or a user " + robot.name + " already");
    const auto id = rows.front().integer(0);
    CHECK(session.run(insert_credential, {id}));
    CHECK(session.run(
        insert_robot,
        {id,
         name_of(robot.level),
         robot.tenant_id,
         robot.project_id,
         robot.description,
         robot.duration_days,
         robot.expires_at,
         actor.user_id,
         secret_hash,
         actor.at}
    ));
    CHECK(insert_rights(session, id, robot.rights, actor));
    CHECK(note_access_change(session, AccessObject::principal, id));
    TRY(auto added, load_robot(session, id));
    CHECK(record_robot(session, event_type::robot_created, added, actor));
    return added;
}

Result<Robot> change_robot(SqlSession& session, std::int64_t id, const RobotChange& change, const Actor& actor)
{
    CHECK(session.run(lock_robot, {id}));
    TRY(auto robot, load_robot(session, id));
    if (change.description) robot.description = *change.description;
    if (change.disabled) robot.disabled = *change.disabled;
    if (change.duration_days) {
        robot.duration_days = *change.duration_days;
        robot.expires_at = change.expires_at;
    }
    CHECK(session.run(update_robot, {id, robot.description, robot.duration_days, robot.expires_at, actor.at}));
    CHECK(session.run(update_principal, {id, std::int64_t{robot.disabled ? 1 : 0}, actor.at}));
    if (change.rights) {
        TRY(const auto before, session.run(delete_rights, {id}));
        CHECK(insert_rights(session, id, *change.rights, actor));
        CHECK(note_object_changes(session, before));
    }
    CHECK(note_access_change(session, AccessObject::principal, id));
    CHECK(record_robot(session, event_type::robot_updated, robot, actor));
    return load_robot(session, id);
}

Result<>
rotate(SqlSession& session, std::int64_t id, const std::string& hash, Micros previous_until, const Actor& actor)
{
    TRY(const auto found, session.run(lock_robot, {id}));
    if (found.empty()) return no_such_robot();
    TRY(const auto robot, load_robot(session, id));
    CHECK(session.run(replace_secret, {id, hash, previous_until, actor.at}));
    CHECK(record_robot(session, event_type::robot_updated, robot, actor));
    if (previous_until == 0) CHECK(session.run(raise_credential, {id}));
    return note_access_change(session, AccessObject::principal, id);
}

Result<> remove_robot(SqlSession& session, std::int64_t id, const Actor& actor)
{
    TRY(const auto found, session.run(lock_robot, {id}));
    if (found.empty()) return no_such_robot();
    TRY(const auto robot, load_robot(session, id));
    CHECK(record_robot(session, event_type::robot_deleted, robot, actor));
    const std::array ids{id};
    return retire_robots(session, ids, actor.at);
}

Result<ListPage<Robot>> list_robots(SqlSession& session, RobotLevel level, std::int64_t home, const ListQuery& query)
{
    ListStatement statement{robot_columns, robot_tables, robot_fields};
    switch (level) {
        case RobotLevel::system: statement.where("r.level = 'system'"); break;
        case RobotLevel::tenant: statement.where("r.level = 'tenant' AND r.tenant_id = ?", {home}); break;
        case RobotLevel::project: statement.where("r.level = 'project' AND r.project_id = ?", {home}); break;
    }
    CHECK(statement.apply(query));
    statement.order_by("u.name");
    ListPage<Robot> page;
    TRY(auto rows, statement.page(session));
    for (auto& row : rows) page.items.push_back(robot_of(row));
    CHECK(read_rights(session, page.items));
    TRY(page.total, statement.count(session));
    return page;
}

}  // namespace

Task<ListPage<Robot>> SqlRobots::list(RobotLevel level, std::int64_t home, ListQuery query)
{
    const auto work = [level, home, query = std::move(query)](SqlSession& session) {
        return list_robots(session, level, home, query);
    };
    co_return co_await engine_.read(work);
}

Task<Robot> SqlRobots::find(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return load_robot(session, id); };
    co_return co_await engine_.read(work);
}

Task<Robot> SqlRobots::create(Robot robot, std::string secret_hash, Actor actor)
{
    const auto work = [robot = std::move(robot), hash = std::move(secret_hash), actor](SqlSession& session) {
        return add_robot(session, robot, hash, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Robot> SqlRobots::change(std::int64_t id, RobotChange change, Actor actor)
{
    const auto work = [id, change = std::move(change), actor](SqlSession& session) {
        return change_robot(session, id, change, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlRobots::set_secret(std::int64_t id, std::string hash, Micros previous_until, Actor actor)
{
    const auto work = [id, hash = std::move(hash), previous_until, actor](SqlSession& session) {
        return rotate(session, id, hash, previous_until, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlRobots::remove(std::int64_t id, Actor actor)
{
    const auto work = [id, actor](SqlSession& session) { return remove_robot(session, id, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot

#include "drivers/sql/sql_tenants.hpp"

#include "access/role.hpp"
#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/grant_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/project_budget.hpp"
#include "drivers/sql/robot_rows.hpp"
#include "drivers/sql/team_rows.hpp"
#include "drivers/sql/tenant_rows.hpp"

#include <algorithm>

namespace entrepot {
namespace {

#define TENANT_COLUMNS                                                                                       \
    "t.id, t.name, t.display_name, t.description, t.frozen, t.protected, t.quota_bytes, t.quota_artifacts, " \
    "(SELECT COUNT(*) FROM projects p WHERE p.tenant_id = t.id), "                                           \
    "(SELECT COUNT(*) FROM tenant_members m WHERE m.tenant_id = t.id), t.created_at, t.updated_at"

constexpr SqlStatement select_tenant{"SELECT " TENANT_COLUMNS " FROM tenants t WHERE t.id = $1"};
constexpr const char* tenant_columns = TENANT_COLUMNS;
#undef TENANT_COLUMNS

constexpr ListColumn tenant_fields[] = {
    {"id", "t.id", ListColumn::Type::integer},
    {"name", "t.name"},
    {"display_name", "t.display_name"},
    {"frozen", "t.frozen", ListColumn::Type::boolean},
    {"protected", "t.protected", ListColumn::Type::boolean},
    {"creation_time", "t.created_at", ListColumn::Type::time},
    {"update_time", "t.updated_at", ListColumn::Type::time},
};

constexpr SqlStatement insert_tenant{
    "INSERT INTO tenants (name, display_name, description, quota_bytes, quota_artifacts, created_at, updated_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (name) DO NOTHING RETURNING id"
};
constexpr SqlStatement update_tenant{
    "UPDATE tenants SET display_name = $2, description = $3, frozen = $4, protected = $5, updated_at = $6 WHERE id = $1"
};
constexpr SqlStatement update_quota{
    "UPDATE tenants SET quota_bytes = $2, quota_artifacts = $3, updated_at = $4 WHERE id = $1"
};
constexpr SqlStatement any_project{"SELECT id FROM projects WHERE tenant_id = $1 LIMIT 1"};
constexpr SqlStatement any_endpoint{"SELECT id FROM registries WHERE tenant_id = $1 AND tenant_id <> 0 LIMIT 1"};
constexpr SqlStatement member_ids{"SELECT user_id FROM tenant_members WHERE tenant_id = $1"};
constexpr SqlStatement team_ids{"SELECT id FROM teams WHERE tenant_id = $1"};
constexpr SqlStatement robot_ids{"SELECT user_id FROM robots WHERE tenant_id = $1"};
constexpr SqlStatement delete_grants_on_tenant{
    "DELETE FROM grants WHERE object_id = $1 AND object_kind NOT IN ('platform', 'project', 'repository')"
};
constexpr SqlStatement delete_tenant{"DELETE FROM tenants WHERE id = $1"};

constexpr SqlStatement select_quota{
    "SELECT t.quota_bytes, t.quota_artifacts, "
    "CAST(COALESCE(SUM(CASE WHEN p.quota_bytes > 0 THEN p.quota_bytes ELSE 0 END), 0) AS BIGINT), "
    "CAST(COALESCE(SUM(CASE WHEN p.quota_artifacts > 0 THEN p.quota_artifacts ELSE 0 END), 0) AS BIGINT), "
    "CAST(COALESCE(SUM(" PROJECT_BYTES "), 0) AS BIGINT), CAST(COALESCE(SUM(" PROJECT_ARTIFACTS "), 0) AS BIGINT) "
    "FROM tenants t LEFT JOIN projects p ON p.tenant_id = t.id WHERE t.id = $1 "
    "GROUP BY t.id, t.quota_bytes, t.quota_artifacts"
};

constexpr const char* member_columns = "u.id, u.name, u.email, u.realname, m.joined_at";
constexpr const char* member_from = "tenant_members m JOIN users u ON u.id = m.user_id";
constexpr ListColumn member_fields[] = {
    {"user_id", "u.id", ListColumn::Type::integer},
    {"username", "u.name"},
    {"email", "u.email"},
    {"realname", "u.realname"},
    {"joined_at", "m.joined_at", ListColumn::Type::time},
};
constexpr SqlStatement select_member{
    "SELECT u.id, u.name, u.email, u.realname, m.joined_at FROM tenant_members m JOIN users u ON u.id = m.user_id "
    "WHERE m.tenant_id = $1 AND m.user_id = $2"
};
// The roles that members were granted on the tenant itself.
constexpr const char* role_columns = "g.subject_id, g.role_id";
constexpr const char* roles_of_users =
    "g.object_kind = 'tenant' AND g.object_id = ? AND g.subject_kind = 'user' AND g.role_id > 0";
constexpr std::int64_t most_roles = 10'000;

constexpr SqlStatement select_user{"SELECT id FROM users WHERE id = $1 AND kind = 'user'", "FOR UPDATE"};
constexpr SqlStatement insert_member{
    "INSERT INTO tenant_members (tenant_id, user_id, joined_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING "
    "RETURNING user_id"
};
constexpr SqlStatement delete_member{
    "DELETE FROM tenant_members WHERE tenant_id = $1 AND user_id = $2 RETURNING user_id"
};
constexpr SqlStatement delete_team_memberships{
    "DELETE FROM team_members WHERE user_id = $2 AND team_id IN (SELECT id FROM teams WHERE tenant_id = $1)"
};
constexpr SqlStatement delete_grants_of_member{
    "DELETE FROM grants WHERE subject_kind = 'user' AND subject_id = $2 AND "
    "((object_kind IN ('project', 'repository') AND object_id IN (SELECT id FROM projects WHERE tenant_id = $1)) OR "
    "(object_kind NOT IN ('platform', 'project', 'repository') AND object_id = $1)) RETURNING object_kind, object_id"
};

Result<> record_tenant(
    SqlSession& session, std::string_view type, std::int64_t id, boost::json::object details, const Actor& actor
)
{
    auto event = event_by(type, actor);
    event.tenant_id = id;
    set_details(event, details);
    return record_event(session, event);
}

Tenant tenant_of(SqlRow& row)
{
    return {
        .id = row.integer(0),
        .name = row.take_text(1),
        .display_name = row.take_text(2),
        .description = row.take_text(3),
        .frozen = row.integer(4) != 0,
        .is_protected = row.integer(5) != 0,
        .quota_bytes = row.integer(6),
        .quota_artifacts = row.integer(7),
        .project_count = row.integer(8),
        .member_count = row.integer(9),
        .created_at = row.integer(10),
        .updated_at = row.integer(11),
    };
}

std::unexpected<Error> no_such_tenant()
{
    return fail(Errc::not_found, "there is no such tenant");
}

Result<Tenant> load_tenant(SqlSession& session, std::int64_t id)
{
    TRY(auto rows, session.run(select_tenant, {id}));
    if (rows.empty()) return no_such_tenant();
    return tenant_of(rows.front());
}

Result<std::vector<TenantMember>> members_of(SqlSession& session, std::int64_t tenant_id, SqlRows rows)
{
    std::vector<TenantMember> members;
    std::vector<std::int64_t> ids;
    for (auto& row : rows) {
        ids.push_back(row.integer(0));
        members.push_back(
            {.user_id = row.integer(0),
             .name = row.take_text(1),
             .email = row.take_text(2),
             .realname = row.take_text(3),
             .joined_at = row.integer(4),
             .roles = {}}
        );
    }
    ListStatement statement{role_columns, "grants g", {}};
    statement.where(roles_of_users, {tenant_id});
    statement.where_one_of("g.subject_id", ids);
    CHECK(statement.apply({.conditions = {}, .order = {}, .offset = 0, .limit = most_roles}));
    statement.order_by("g.role_id");
    TRY(const auto granted, statement.page(session));
    for (const auto& grant : granted) {
        const auto member = std::ranges::find(members, grant.integer(0), &TenantMember::user_id);
        if (member != members.end()) member->roles.push_back(grant.integer(1));
    }
    return members;
}

Result<>
join_tenant(SqlSession& session, std::int64_t tenant_id, std::int64_t user_id, std::int64_t role_id, const Actor& actor)
{
    TRY(const auto users, session.run(select_user, {user_id}));
    if (users.empty()) return fail(Errc::not_found, "there is no such user");
    TRY(const auto joined, session.run(insert_member, {tenant_id, user_id, actor.at}));
    if (joined.empty()) return fail(Errc::conflict, "this user is a member already");
    if (role_id != 0) {
        const PlainGrantRow grant{
            .subject_kind = "user",
            .subject_id = user_id,
            .object_kind = "tenant",
            .object_id = tenant_id,
            .role_id = role_id,
            .origin = "api",
        };
        CHECK(add_plain_grant(session, grant, actor.user_id, actor.at));
    }
    return note_access_change(session, AccessObject::principal, user_id);
}

Result<Tenant> create_tenant(SqlSession& session, const NewTenant& tenant, const Actor& actor)
{
    TRY(const auto rows,
        session.run(
            insert_tenant,
            {tenant.name, tenant.display_name, tenant.description, tenant.quota_bytes, tenant.quota_artifacts, actor.at}
        ));
    if (rows.empty()) return fail(Errc::conflict, "tenant " + tenant.name + " exists already");
    const auto id = rows.front().integer(0);
    CHECK(note_access_change(session, AccessObject::tenant, id));
    const NewTeam everyone{.name = implicit_team, .description = "All members of the tenant", .rights = {}};
    CHECK(insert_team(session, id, everyone, true, actor));
    for (const auto& team : tenant.teams) CHECK(insert_team(session, id, team, false, actor));
    for (const auto admin : tenant.admins) CHECK(join_tenant(session, id, admin, role::tenant_admin, actor));
    CHECK(record_tenant(session, event_type::tenant_created, id, {{"name", tenant.name}}, actor));
    return load_tenant(session, id);
}

Result<> remove_tenant(SqlSession& session, std::int64_t id, const Actor& actor)
{
    CHECK(lock_tenant(session, id));
    TRY(const auto tenant, load_tenant(session, id));
    if (id == default_tenant_id) return fail(Errc::precondition_failed, "the default tenant stays");
    if (tenant.is_protected) {
        return fail(Errc::precondition_failed, "tenant " + tenant.name + " is protected from deletion");
    }
    TRY(const auto projects, session.run(any_project, {id}));
    if (!projects.empty()) return fail(Errc::precondition_failed, "tenant " + tenant.name + " still has projects");
    TRY(const auto endpoints, session.run(any_endpoint, {id}));
    if (!endpoints.empty()) {
        return fail(Errc::precondition_failed, "tenant " + tenant.name + " still has registry endpoints");
    }
    TRY(const auto teams, session.run(team_ids, {id}));
    for (const auto& team : teams) CHECK(remove_grants_of_subject(session, "team", team.integer(0)));
    TRY(const auto robots, session.run(robot_ids, {id}));
    CHECK(retire_robots(session, first_column(robots), actor.at));
    TRY(const auto members, session.run(member_ids, {id}));
    CHECK(session.run(delete_grants_on_tenant, {id}));
    CHECK(session.run(delete_tenant, {id}));
    CHECK(record_tenant(session, event_type::tenant_deleted, id, {{"name", tenant.name}}, actor));
    CHECK(note_access_changes(session, AccessObject::principal, first_column(members)));
    return note_access_change(session, AccessObject::tenant, id);
}

Result<> leave_tenant(SqlSession& session, std::int64_t id, std::int64_t user_id, const Actor& actor)
{
    CHECK(lock_tenant(session, id));
    TRY(const auto left, session.run(delete_member, {id, user_id}));
    if (left.empty()) return fail(Errc::not_found, "the tenant has no such member");
    CHECK(session.run(delete_team_memberships, {id, user_id}));
    TRY(const auto grants, session.run(delete_grants_of_member, {id, user_id}));
    CHECK(note_object_changes(session, grants));
    CHECK(record_tenant(session, event_type::tenant_member_removed, id, {{"user_id", user_id}}, actor));
    return note_access_change(session, AccessObject::principal, user_id);
}

}  // namespace

Task<ListPage<Tenant>> SqlTenants::list(std::optional<std::vector<std::int64_t>> only, ListQuery query)
{
    const auto work = [only = std::move(only),
                       query = std::move(query)](SqlSession& session) -> Result<ListPage<Tenant>> {
        ListStatement statement{tenant_columns, "tenants t", tenant_fields};
        if (only) statement.where_one_of("t.id", *only);
        CHECK(statement.apply(query));
        statement.order_by("t.name");
        return statement.list(session, tenant_of);
    };
    co_return co_await engine_.read(work);
}

Task<Tenant> SqlTenants::find(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return load_tenant(session, id); };
    co_return co_await engine_.read(work);
}

Task<Tenant> SqlTenants::create(NewTenant tenant, Actor actor)
{
    const auto work = [tenant = std::move(tenant), actor](SqlSession& session) {
        return create_tenant(session, tenant, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Tenant> SqlTenants::change(std::int64_t id, TenantChange change, Actor actor)
{
    const auto work = [id, change = std::move(change), actor](SqlSession& session) -> Result<Tenant> {
        CHECK(lock_tenant(session, id));
        TRY(auto tenant, load_tenant(session, id));
        if (change.display_name) tenant.display_name = *change.display_name;
        if (change.description) tenant.description = *change.description;
        tenant.frozen = change.frozen.value_or(tenant.frozen);
        tenant.is_protected = change.is_protected.value_or(tenant.is_protected);
        tenant.updated_at = actor.at;
        const std::int64_t frozen = tenant.frozen ? 1 : 0;
        const std::int64_t kept = tenant.is_protected ? 1 : 0;
        CHECK(session.run(update_tenant, {id, tenant.display_name, tenant.description, frozen, kept, actor.at}));
        CHECK(note_access_change(session, AccessObject::tenant, id));
        CHECK(record_tenant(session, event_type::tenant_updated, id, {{"name", tenant.name}}, actor));
        return tenant;
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlTenants::remove(std::int64_t id, Actor actor)
{
    const auto work = [id, actor](SqlSession& session) { return remove_tenant(session, id, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<TenantQuota> SqlTenants::quota(std::int64_t id)
{
    const auto work = [id](SqlSession& session) -> Result<TenantQuota> {
        TRY(const auto rows, session.run(select_quota, {id}));
        if (rows.empty()) return no_such_tenant();
        const auto& row = rows.front();
        return TenantQuota{
            .quota_bytes = row.integer(0),
            .quota_artifacts = row.integer(1),
            .allocated_bytes = row.integer(2),
            .allocated_artifacts = row.integer(3),
            .used_bytes = row.integer(4),
            .used_artifacts = row.integer(5),
        };
    };
    co_return co_await engine_.read(work);
}

Task<> SqlTenants::allocate(std::int64_t id, std::int64_t bytes, std::int64_t artifacts, Actor actor)
{
    const auto work = [=](SqlSession& session) -> Result<> {
        CHECK(lock_tenant(session, id));
        CHECK(session.run(update_quota, {id, bytes, artifacts, actor.at}));
        CHECK(record_tenant(session, event_type::tenant_updated, id, {{"changed", {"quota"}}}, actor));
        return check_tenant_allocation(session, id);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<ListPage<TenantMember>> SqlTenants::members(std::int64_t id, ListQuery query)
{
    const auto work = [id, query = std::move(query)](SqlSession& session) -> Result<ListPage<TenantMember>> {
        ListStatement statement{member_columns, member_from, member_fields};
        statement.where("m.tenant_id = ?", {id});
        CHECK(statement.apply(query));
        statement.order_by("u.name");
        ListPage<TenantMember> page;
        TRY(auto rows, statement.page(session));
        TRY(page.items, members_of(session, id, std::move(rows)));
        TRY(page.total, statement.count(session));
        return page;
    };
    co_return co_await engine_.read(work);
}

Task<TenantMember> SqlTenants::member(std::int64_t id, std::int64_t user_id)
{
    const auto work = [id, user_id](SqlSession& session) -> Result<TenantMember> {
        TRY(auto rows, session.run(select_member, {id, user_id}));
        if (rows.empty()) return fail(Errc::not_found, "the tenant has no such member");
        TRY(auto members, members_of(session, id, std::move(rows)));
        return std::move(members.front());
    };
    co_return co_await engine_.read(work);
}

Task<> SqlTenants::add_member(std::int64_t id, std::int64_t user_id, std::int64_t role_id, Actor actor)
{
    const auto work = [=](SqlSession& session) -> Result<> {
        CHECK(lock_tenant(session, id));
        CHECK(join_tenant(session, id, user_id, role_id, actor));
        return record_tenant(session, event_type::tenant_member_added, id, {{"user_id", user_id}}, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlTenants::remove_member(std::int64_t id, std::int64_t user_id, Actor actor)
{
    const auto work = [=](SqlSession& session) { return leave_tenant(session, id, user_id, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot

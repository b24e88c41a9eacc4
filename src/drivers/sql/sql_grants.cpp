#include "drivers/sql/sql_grants.hpp"

#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/grant_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/tenant_rows.hpp"

namespace entrepot {
namespace {

#define GRANT_COLUMNS                                                                                            \
    "g.id, g.subject_kind, g.subject_id, COALESCE(u.name, t.name, e.name, ''), g.object_kind, g.object_id, "     \
    "COALESCE(p.name, n.name, ''), COALESCE(p.tenant_id, n.id, 0), g.pattern, g.role_id, COALESCE(r.name, ''), " \
    "g.permissions, g.expires_at, g.origin, g.created_by, g.created_at"
#define GRANT_FROM                                                                                              \
    "grants g LEFT JOIN users u ON g.subject_kind IN ('user', 'robot', 'workload') AND u.id = g.subject_id "    \
    "LEFT JOIN teams t ON g.subject_kind = 'team' AND t.id = g.subject_id "                                     \
    "LEFT JOIN external_groups e ON g.subject_kind = 'group' AND e.id = g.subject_id "                          \
    "LEFT JOIN projects p ON g.object_kind IN ('project', 'repository') AND p.id = g.object_id "                \
    "LEFT JOIN tenants n ON g.object_kind NOT IN ('platform', 'project', 'repository') AND n.id = g.object_id " \
    "LEFT JOIN roles r ON r.id = g.role_id"

constexpr const char* grant_columns = GRANT_COLUMNS;
constexpr const char* grant_from = GRANT_FROM;
constexpr SqlStatement select_grant{"SELECT " GRANT_COLUMNS " FROM " GRANT_FROM " WHERE g.id = $1"};
constexpr SqlStatement select_held{"SELECT " GRANT_COLUMNS " FROM " GRANT_FROM
                                   " WHERE g.subject_kind = $1 AND g.subject_id = $2 ORDER BY g.id"};
#undef GRANT_COLUMNS
#undef GRANT_FROM

constexpr ListColumn grant_fields[] = {
    {"id", "g.id", ListColumn::Type::integer},
    {"subject_kind", "g.subject_kind"},
    {"subject_id", "g.subject_id", ListColumn::Type::integer},
    {"subject", "COALESCE(u.name, t.name, e.name, '')"},
    {"object_kind", "g.object_kind"},
    {"object_id", "g.object_id", ListColumn::Type::integer},
    {"object", "COALESCE(p.name, n.name, '')"},
    {"tenant_id", "COALESCE(p.tenant_id, n.id, 0)", ListColumn::Type::integer},
    {"pattern", "g.pattern"},
    {"role_id", "g.role_id", ListColumn::Type::integer},
    {"origin", "g.origin"},
    {"expires_at", "g.expires_at", ListColumn::Type::time},
    {"creation_time", "g.created_at", ListColumn::Type::time},
};

constexpr SqlStatement principal_by_id{
    "SELECT u.id, u.name, COALESCE(r.tenant_id, 0), COALESCE(r.project_id, 0) FROM users u "
    "LEFT JOIN robots r ON r.user_id = u.id WHERE u.kind = $1 AND u.id = $2"
};
constexpr SqlStatement principal_by_name{
    "SELECT u.id, u.name, COALESCE(r.tenant_id, 0), COALESCE(r.project_id, 0) FROM users u "
    "LEFT JOIN robots r ON r.user_id = u.id WHERE u.kind = $1 AND u.name = $2"
};
constexpr SqlStatement team_by_id{"SELECT id, name, tenant_id, 0 FROM teams WHERE id = $1"};
constexpr SqlStatement team_by_name{"SELECT id, name, tenant_id, 0 FROM teams WHERE tenant_id = $1 AND name = $2"};
constexpr SqlStatement group_by_id{"SELECT id, name, 0, 0 FROM external_groups WHERE id = $1"};
// A name is one group's only within a type: the oldest.
constexpr SqlStatement group_by_name{"SELECT id, name, 0, 0 FROM external_groups WHERE name = $1 ORDER BY id LIMIT 1"};
constexpr SqlStatement tenants_of_principal{"SELECT tenant_id FROM tenant_members WHERE user_id = $1 ORDER BY tenant_id"
};

constexpr SqlStatement lock_principal{"SELECT id FROM users WHERE id = $1 AND kind = $2", "FOR UPDATE"};
constexpr SqlStatement lock_team{"SELECT id FROM teams WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement lock_group{"SELECT id FROM external_groups WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement lock_project{"SELECT id FROM projects WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement lock_role{"SELECT id FROM roles WHERE id = $1", "FOR UPDATE"};

constexpr SqlStatement delete_expired_twin{
    "DELETE FROM grants WHERE subject_kind = $1 AND subject_id = $2 AND object_kind = $3 AND object_id = $4 AND "
    "pattern = $5 AND role_id = $6 AND expires_at > 0 AND expires_at <= $7"
};
constexpr SqlStatement find_twin{
    "SELECT id FROM grants WHERE subject_kind = $1 AND subject_id = $2 AND object_kind = $3 AND object_id = $4 AND "
    "pattern = $5 AND role_id = $6"
};
constexpr SqlStatement find_project_role{
    "SELECT id FROM grants WHERE subject_kind = $1 AND subject_id = $2 AND object_kind = 'project' AND "
    "object_id = $3 AND pattern = '' AND role_id BETWEEN 1 AND 5 AND (expires_at = 0 OR expires_at > $4)"
};
constexpr SqlStatement insert_grant{
    "INSERT INTO grants (subject_kind, subject_id, object_kind, object_id, pattern, role_id, expires_at, origin, "
    "created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id"
};
constexpr SqlStatement update_role{"UPDATE grants SET role_id = $2 WHERE id = $1"};
constexpr SqlStatement lock_grant{"SELECT id FROM grants WHERE id = $1", "FOR UPDATE"};
// The people who administer the platform by themselves and for good, locked: of two that go at once one stays.
constexpr SqlStatement lock_admin_grants{
    "SELECT g.id, u.disabled FROM grants g JOIN users u ON u.id = g.subject_id WHERE g.subject_kind = 'user' AND "
    "u.kind = 'user' AND g.object_kind = 'platform' AND g.role_id = 6 AND g.expires_at = 0 ORDER BY g.id",
    "FOR UPDATE"
};
constexpr SqlStatement delete_grant{"DELETE FROM grants WHERE id = $1"};
constexpr SqlStatement lock_expired{
    "SELECT id FROM grants WHERE expires_at > 0 AND expires_at < $1 ORDER BY expires_at LIMIT 500", "FOR UPDATE"
};

constexpr bool in_project(ObjectKind kind) noexcept
{
    return kind == ObjectKind::project || kind == ObjectKind::repository;
}

Result<Grant> grant_of(SqlRow& row)
{
    const auto subject = subject_type_named(row.text(1));
    const auto object = object_kind_named(row.text(4));
    if (!subject || !object) return fail(Errc::corrupt, "a grant can't be read", row.text(1) + " " + row.text(4));
    Grant grant{
        .id = row.integer(0),
        .subject_type = *subject,
        .subject_id = row.integer(2),
        .subject_name = row.take_text(3),
        .object_kind = *object,
        .object_id = row.integer(5),
        .object_name = row.take_text(6),
        .tenant_id = row.integer(7),
        .pattern = row.take_text(8),
        .role_id = row.integer(9),
        .role_name = row.take_text(10),
        .permissions = row.take_text(11),
        .expires_at = row.integer(12),
        .origin = row.take_text(13),
        .created_by = row.integer(14),
        .created_at = row.integer(15),
    };
    if (const auto* builtin = builtin_role(grant.role_id)) grant.role_name = builtin->name;
    return grant;
}

Result<std::vector<Grant>> grants_of(SqlRows rows)
{
    std::vector<Grant> grants;
    grants.reserve(rows.size());
    for (auto& row : rows) {
        TRY(auto grant, grant_of(row));
        grants.push_back(std::move(grant));
    }
    return grants;
}

Result<ListPage<Grant>> page_of(SqlSession& session, const ListStatement& statement)
{
    ListPage<Grant> page;
    TRY(auto rows, statement.page(session));
    TRY(page.items, grants_of(std::move(rows)));
    TRY(page.total, statement.count(session));
    return page;
}

Result<Grant> load_grant(SqlSession& session, std::int64_t id)
{
    TRY(auto rows, session.run(select_grant, {id}));
    if (rows.empty()) return fail(Errc::not_found, "there is no such grant");
    return grant_of(rows.front());
}

// Who is given what on which object, by names and ids.
Result<> record_grant(SqlSession& session, std::string_view type, const Grant& grant, const Actor& actor)
{
    auto event = event_by(type, actor);
    if (in_project(grant.object_kind)) {
        event.project_id = grant.object_id;
    } else {
        event.tenant_id = grant.tenant_id;
    }
    boost::json::object details{
        {"id", grant.id},
        {"subject_kind", name_of(grant.subject_type)},
        {"subject_id", grant.subject_id},
        {"subject", grant.subject_name},
        {"object_kind", name_of(grant.object_kind)},
        {"object_id", grant.object_id},
        {"object", grant.object_name},
        {"role", grant.role_name},
    };
    if (!grant.pattern.empty()) details["pattern"] = grant.pattern;
    set_details(event, details);
    return record_event(session, event);
}

// "?, ?, ?" for the ids.
std::string places(const std::vector<std::int64_t>& ids, std::vector<std::variant<std::int64_t, std::string>>& values)
{
    std::string text;
    for (const auto id : ids) {
        text += text.empty() ? "?" : ", ?";
        values.emplace_back(id);
    }
    return text;
}

void restrict_to(ListStatement& statement, const GrantReach& reach)
{
    if (reach.everything) return;
    std::vector<std::variant<std::int64_t, std::string>> values;
    std::string condition = "1 = 0";
    if (!reach.tenants.empty())
        condition += " OR COALESCE(p.tenant_id, n.id) IN (" + places(reach.tenants, values) + ")";
    if (!reach.projects.empty()) condition += " OR p.id IN (" + places(reach.projects, values) + ")";
    statement.varies();
    statement.where(condition.c_str(), std::move(values));
}

Result<GrantSubject> subject_of(SqlSession& session, SubjectType type, SqlRows rows)
{
    if (rows.empty()) return fail(Errc::not_found, "there is no such " + std::string{name_of(type)});
    auto& row = rows.front();
    GrantSubject subject{
        .type = type,
        .id = row.integer(0),
        .name = row.take_text(1),
        .tenants = {},
        .project_id = row.integer(3),
    };
    if (row.integer(2) != 0) subject.tenants.push_back(row.integer(2));
    if (is_principal(type)) {
        TRY(const auto tenants, session.run(tenants_of_principal, {subject.id}));
        for (const auto& tenant : tenants) subject.tenants.push_back(tenant.integer(0));
    }
    return subject;
}

// Both ends of the new grant and its role stay until the transaction ends.
Result<> hold_ends(SqlSession& session, const NewGrant& grant)
{
    if (grant.member_of != 0) {
        CHECK(lock_tenant(session, grant.member_of));
        if (grant.subject_type == SubjectType::user) {
            CHECK(expect_tenant_member(session, grant.member_of, grant.subject_id));
        }
    }
    if (in_project(grant.object_kind)) {
        TRY(const auto project, session.run(lock_project, {grant.object_id}));
        if (project.empty()) return fail(Errc::not_found, "there is no such project");
    } else if (grant.object_kind != ObjectKind::platform) {
        CHECK(lock_tenant(session, grant.object_id));
    }
    SqlRows subject;
    if (is_principal(grant.subject_type)) {
        TRY(subject, session.run(lock_principal, {grant.subject_id, name_of(grant.subject_type)}));
    } else {
        TRY(subject, session.run(grant.subject_type == SubjectType::team ? lock_team : lock_group, {grant.subject_id}));
    }
    if (subject.empty()) return fail(Errc::not_found, "there is no such " + std::string{name_of(grant.subject_type)});
    return {};
}

Result<> hold_role(SqlSession& session, std::int64_t role_id)
{
    if (builtin_role(role_id) != nullptr) return {};
    TRY(const auto role, session.run(lock_role, {role_id}));
    if (role.empty()) return fail(Errc::not_found, "there is no such role");
    return {};
}

std::unexpected<Error> granted_already()
{
    return fail(Errc::conflict, "this is granted already");
}

Result<Grant> create_grant(SqlSession& session, const NewGrant& grant, const Actor& actor)
{
    CHECK(hold_ends(session, grant));
    CHECK(hold_role(session, grant.role_id));
    const auto subject = name_of(grant.subject_type);
    const auto object = name_of(grant.object_kind);
    CHECK(session.run(
        delete_expired_twin,
        {subject, grant.subject_id, object, grant.object_id, grant.pattern, grant.role_id, actor.at}
    ));
    if (grant.only_project_role) {
        TRY(const auto others, session.run(find_project_role, {subject, grant.subject_id, grant.object_id, actor.at}));
        if (!others.empty()) return fail(Errc::conflict, "this is a member of the project already");
    }
    TRY(const auto rows,
        session.run(
            insert_grant,
            {subject,
             grant.subject_id,
             object,
             grant.object_id,
             grant.pattern,
             grant.role_id,
             grant.expires_at,
             grant.origin,
             actor.user_id,
             actor.at}
        ));
    if (rows.empty()) return granted_already();
    CHECK(note_object_change(session, object, grant.object_id));
    TRY(auto created, load_grant(session, rows.front().integer(0)));
    CHECK(record_grant(session, event_type::grant_created, created, actor));
    return created;
}

// precondition_failed for the last enabled platform admin's grant.
Result<> expect_another_admin(SqlSession& session, std::int64_t id)
{
    TRY(const auto rows, session.run(lock_admin_grants));
    bool is_one = false;
    bool another = false;
    for (const auto& row : rows) {
        if (row.integer(0) == id) {
            is_one = true;
        } else if (row.integer(1) == 0) {
            another = true;
        }
    }
    if (!is_one || another) return {};
    return fail(Errc::precondition_failed, "somebody must administer the platform: this is the last who can");
}

Result<Grant> change_role(SqlSession& session, std::int64_t id, std::int64_t role_id, const Actor& actor)
{
    CHECK(session.run(lock_grant, {id}));
    TRY(auto grant, load_grant(session, id));
    if (grant.role_id == role_id) return grant;
    CHECK(expect_another_admin(session, id));
    CHECK(hold_role(session, role_id));
    TRY(const auto twins,
        session.run(
            find_twin,
            {name_of(grant.subject_type),
             grant.subject_id,
             name_of(grant.object_kind),
             grant.object_id,
             grant.pattern,
             role_id}
        ));
    if (!twins.empty()) return granted_already();
    CHECK(session.run(update_role, {id, role_id}));
    CHECK(note_object_change(session, name_of(grant.object_kind), grant.object_id));
    TRY(auto changed, load_grant(session, id));
    CHECK(record_grant(session, event_type::grant_updated, changed, actor));
    return changed;
}

Result<> remove_grant(SqlSession& session, std::int64_t id, const Actor& actor)
{
    CHECK(expect_another_admin(session, id));
    CHECK(session.run(lock_grant, {id}));
    TRY(const auto grant, load_grant(session, id));
    CHECK(session.run(delete_grant, {id}));
    CHECK(record_grant(session, event_type::grant_deleted, grant, actor));
    return note_object_change(session, name_of(grant.object_kind), grant.object_id);
}

Result<std::int64_t> remove_expired_grants(SqlSession& session, Micros before)
{
    TRY(const auto expired, session.run(lock_expired, {before}));
    for (const auto& row : expired) {
        TRY(const auto grant, load_grant(session, row.integer(0)));
        CHECK(session.run(delete_grant, {grant.id}));
        CHECK(record_grant(session, event_type::grant_deleted, grant, {0, before}));
        CHECK(note_object_change(session, name_of(grant.object_kind), grant.object_id));
    }
    return static_cast<std::int64_t>(expired.size());
}

}  // namespace

Task<ListPage<Grant>> SqlGrants::list(GrantReach reach, ListQuery query)
{
    const auto work = [reach = std::move(reach),
                       query = std::move(query)](SqlSession& session) -> Result<ListPage<Grant>> {
        ListStatement statement{grant_columns, grant_from, grant_fields};
        restrict_to(statement, reach);
        CHECK(statement.apply(query));
        statement.order_by("g.id");
        return page_of(session, statement);
    };
    co_return co_await engine_.read(work);
}

Task<Grant> SqlGrants::find(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return load_grant(session, id); };
    co_return co_await engine_.read(work);
}

Task<std::vector<Grant>> SqlGrants::held_by(SubjectType type, std::int64_t subject_id)
{
    const auto work = [type, subject_id](SqlSession& session) -> Result<std::vector<Grant>> {
        TRY(auto rows, session.run(select_held, {name_of(type), subject_id}));
        return grants_of(std::move(rows));
    };
    co_return co_await engine_.read(work);
}

Task<ListPage<Grant>> SqlGrants::project_members(
    std::int64_t project_id, std::string name, Micros now, std::int64_t offset, std::int64_t limit
)
{
    const auto work = [=](SqlSession& session) -> Result<ListPage<Grant>> {
        ListStatement statement{grant_columns, grant_from, grant_fields};
        statement.where("g.object_kind = 'project' AND g.object_id = ?", {project_id});
        statement.where("g.pattern = '' AND g.role_id BETWEEN 1 AND 5 AND g.subject_kind IN ('user', 'team', 'group')");
        statement.where("g.expires_at = 0 OR g.expires_at > ?", {now});
        ListQuery query;
        if (!name.empty()) query.conditions.push_back({"subject", ListCondition::Kind::fuzzy, {name}});
        query.offset = offset;
        query.limit = limit;
        CHECK(statement.apply(query));
        statement.order_by("COALESCE(u.name, t.name, e.name, ''), g.id");
        return page_of(session, statement);
    };
    co_return co_await engine_.read(work);
}

Task<GrantSubject> SqlGrants::find_subject(SubjectType type, std::int64_t id)
{
    const auto work = [type, id](SqlSession& session) -> Result<GrantSubject> {
        SqlRows rows;
        if (is_principal(type)) {
            TRY(rows, session.run(principal_by_id, {name_of(type), id}));
        } else {
            TRY(rows, session.run(type == SubjectType::team ? team_by_id : group_by_id, {id}));
        }
        return subject_of(session, type, std::move(rows));
    };
    co_return co_await engine_.read(work);
}

Task<GrantSubject> SqlGrants::find_subject(SubjectType type, std::string name, std::int64_t tenant_id)
{
    const auto work = [type, name = std::move(name), tenant_id](SqlSession& session) -> Result<GrantSubject> {
        SqlRows rows;
        if (is_principal(type)) {
            TRY(rows, session.run(principal_by_name, {name_of(type), name}));
        } else if (type == SubjectType::team) {
            TRY(rows, session.run(team_by_name, {tenant_id, name}));
        } else {
            TRY(rows, session.run(group_by_name, {name}));
        }
        return subject_of(session, type, std::move(rows));
    };
    co_return co_await engine_.read(work);
}

Task<Grant> SqlGrants::create(NewGrant grant, Actor actor)
{
    const auto work = [grant = std::move(grant), actor](SqlSession& session) {
        return create_grant(session, grant, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Grant> SqlGrants::set_role(std::int64_t id, std::int64_t role_id, Actor actor)
{
    const auto work = [id, role_id, actor](SqlSession& session) { return change_role(session, id, role_id, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlGrants::remove(std::int64_t id, Actor actor)
{
    const auto work = [id, actor](SqlSession& session) { return remove_grant(session, id, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::int64_t> SqlGrants::remove_expired(Micros before)
{
    const auto work = [before](SqlSession& session) { return remove_expired_grants(session, before); };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot

#include "drivers/sql/sql_teams.hpp"

#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/grant_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/team_rows.hpp"
#include "drivers/sql/tenant_rows.hpp"

namespace entrepot {
namespace {

// The implicit team has its tenant's members, and no rows of its own.
#define TEAM_COLUMNS                                                                       \
    "t.id, t.tenant_id, t.name, t.description, t.implicit, CASE WHEN t.implicit = 1 THEN " \
    "(SELECT COUNT(*) FROM tenant_members m WHERE m.tenant_id = t.tenant_id) ELSE "        \
    "(SELECT COUNT(*) FROM team_members m WHERE m.team_id = t.id) END, t.created_at, t.updated_at"

constexpr const char* team_columns = TEAM_COLUMNS;
constexpr SqlStatement select_team{"SELECT " TEAM_COLUMNS " FROM teams t WHERE t.id = $1 AND t.tenant_id = $2"};
constexpr SqlStatement select_implicit{"SELECT " TEAM_COLUMNS " FROM teams t WHERE t.tenant_id = $1 AND t.implicit = 1"
};
#undef TEAM_COLUMNS

constexpr ListColumn team_fields[] = {
    {"id", "t.id", ListColumn::Type::integer},
    {"name", "t.name"},
    {"description", "t.description"},
    {"implicit", "t.implicit", ListColumn::Type::boolean},
    {"creation_time", "t.created_at", ListColumn::Type::time},
    {"update_time", "t.updated_at", ListColumn::Type::time},
};

constexpr SqlStatement insert_row{"INSERT INTO teams (tenant_id, name, description, implicit, created_at, updated_at) "
                                  "VALUES ($1, $2, $3, $4, $5, $5) "
                                  "ON CONFLICT (tenant_id, name) DO NOTHING RETURNING id"};
constexpr SqlStatement select_of_name{"SELECT id FROM teams WHERE tenant_id = $1 AND name = $2"};
constexpr SqlStatement update_team{"UPDATE teams SET name = $2, description = $3, updated_at = $4 WHERE id = $1"};
constexpr SqlStatement delete_team{"DELETE FROM teams WHERE id = $1"};
constexpr SqlStatement member_ids{"SELECT user_id FROM team_members WHERE team_id = $1"};
constexpr SqlStatement insert_member{
    "INSERT INTO team_members (team_id, user_id, added_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING user_id"
};
constexpr SqlStatement delete_member{"DELETE FROM team_members WHERE team_id = $1 AND user_id = $2 RETURNING user_id"};

constexpr ListColumn member_fields[] = {
    {"user_id", "u.id", ListColumn::Type::integer},
    {"username", "u.name"},
    {"realname", "u.realname"},
};

Result<>
record_team(SqlSession& session, std::string_view type, const Team& team, const Actor& actor, std::int64_t user_id = 0)
{
    auto event = event_by(type, actor);
    event.tenant_id = team.tenant_id;
    boost::json::object details{{"id", team.id}, {"name", team.name}};
    if (user_id != 0) details["user_id"] = user_id;
    set_details(event, details);
    return record_event(session, event);
}

Team team_of(SqlRow& row)
{
    return {
        .id = row.integer(0),
        .tenant_id = row.integer(1),
        .name = row.take_text(2),
        .description = row.take_text(3),
        .implicit = row.integer(4) != 0,
        .member_count = row.integer(5),
        .created_at = row.integer(6),
        .updated_at = row.integer(7),
    };
}

Result<Team> load_team(SqlSession& session, std::int64_t tenant_id, std::int64_t id)
{
    TRY(auto rows, session.run(select_team, {id, tenant_id}));
    if (rows.empty()) return fail(Errc::not_found, "the tenant has no such team");
    return team_of(rows.front());
}

// Locks the tenant, so that its members and teams stay as they are; the implicit team is refused.
Result<Team> enter_team(SqlSession& session, std::int64_t tenant_id, std::int64_t id)
{
    CHECK(lock_tenant(session, tenant_id));
    TRY(auto team, load_team(session, tenant_id, id));
    if (team.implicit) {
        return fail(Errc::precondition_failed, "team " + team.name + " is made of all members of the tenant");
    }
    return team;
}

Result<Team> change_team(
    SqlSession& session,
    std::int64_t tenant_id,
    std::int64_t id,
    const std::optional<std::string>& name,
    const std::optional<std::string>& description,
    const Actor& actor
)
{
    CHECK(lock_tenant(session, tenant_id));
    TRY(auto team, load_team(session, tenant_id, id));
    if (name && *name != team.name) {
        if (team.implicit) return fail(Errc::precondition_failed, "the team of all members keeps its name");
        TRY(const auto others, session.run(select_of_name, {tenant_id, *name}));
        if (!others.empty()) return fail(Errc::conflict, "the tenant has a team " + *name + " already");
        team.name = *name;
    }
    if (description) team.description = *description;
    team.updated_at = actor.at;
    CHECK(session.run(update_team, {id, team.name, team.description, actor.at}));
    CHECK(record_team(session, event_type::team_updated, team, actor));
    return team;
}

Result<> remove_team(SqlSession& session, std::int64_t tenant_id, std::int64_t id, const Actor& actor)
{
    TRY(const auto team, enter_team(session, tenant_id, id));
    TRY(const auto members, session.run(member_ids, {id}));
    CHECK(remove_grants_of_subject(session, "team", id));
    CHECK(session.run(delete_team, {id}));
    CHECK(record_team(session, event_type::team_deleted, team, actor));
    return note_access_changes(session, AccessObject::principal, first_column(members));
}

}  // namespace

Result<std::int64_t>
insert_team(SqlSession& session, std::int64_t tenant_id, const NewTeam& team, bool implicit, const Actor& actor)
{
    const std::int64_t flag = implicit ? 1 : 0;
    TRY(const auto rows, session.run(insert_row, {tenant_id, team.name, team.description, flag, actor.at}));
    if (rows.empty()) return fail(Errc::conflict, "the tenant has a team " + team.name + " already");
    const auto id = rows.front().integer(0);
    for (const auto& right : team.rights) {
        const PlainGrantRow grant{
            .subject_kind = "team",
            .subject_id = id,
            .object_kind = right.object_kind,
            .object_id = tenant_id,
            .role_id = right.role_id,
            .permissions = right.permissions,
            .origin = "template",
        };
        CHECK(add_plain_grant(session, grant, actor.user_id, actor.at));
    }
    return id;
}

Task<ListPage<Team>> SqlTeams::list(std::int64_t tenant_id, ListQuery query)
{
    const auto work = [tenant_id, query = std::move(query)](SqlSession& session) -> Result<ListPage<Team>> {
        ListStatement statement{team_columns, "teams t", team_fields};
        statement.where("t.tenant_id = ?", {tenant_id});
        CHECK(statement.apply(query));
        statement.order_by("t.name");
        return statement.list(session, team_of);
    };
    co_return co_await engine_.read(work);
}

Task<Team> SqlTeams::find(std::int64_t tenant_id, std::int64_t id)
{
    const auto work = [tenant_id, id](SqlSession& session) { return load_team(session, tenant_id, id); };
    co_return co_await engine_.read(work);
}

Task<Team> SqlTeams::implicit(std::int64_t tenant_id)
{
    const auto work = [tenant_id](SqlSession& session) -> Result<Team> {
        TRY(auto rows, session.run(select_implicit, {tenant_id}));
        if (rows.empty()) return fail(Errc::not_found, "there is no such tenant");
        return team_of(rows.front());
    };
    co_return co_await engine_.read(work);
}

Task<Team> SqlTeams::create(std::int64_t tenant_id, NewTeam team, Actor actor)
{
    const auto work = [tenant_id, team = std::move(team), actor](SqlSession& session) -> Result<Team> {
        CHECK(lock_tenant(session, tenant_id));
        TRY(const auto id, insert_team(session, tenant_id, team, false, actor));
        TRY(auto created, load_team(session, tenant_id, id));
        CHECK(record_team(session, event_type::team_created, created, actor));
        return created;
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Team> SqlTeams::change(
    std::int64_t tenant_id,
    std::int64_t id,
    std::optional<std::string> name,
    std::optional<std::string> description,
    Actor actor
)
{
    const auto work = [=](SqlSession& session) {
        return change_team(session, tenant_id, id, name, description, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlTeams::remove(std::int64_t tenant_id, std::int64_t id, Actor actor)
{
    const auto work = [=](SqlSession& session) { return remove_team(session, tenant_id, id, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<ListPage<TeamMember>> SqlTeams::members(std::int64_t tenant_id, std::int64_t id, ListQuery query)
{
    const auto work = [tenant_id, id, query = std::move(query)](SqlSession& session) -> Result<ListPage<TeamMember>> {
        TRY(const auto team, load_team(session, tenant_id, id));
        const char* const columns =
            team.implicit ? "u.id, u.name, u.realname, m.joined_at" : "u.id, u.name, u.realname, m.added_at";
        const char* const from = team.implicit ? "tenant_members m JOIN users u ON u.id = m.user_id"
                                               : "team_members m JOIN users u ON u.id = m.user_id";
        ListStatement statement{columns, from, member_fields};
        if (team.implicit) {
            statement.where("m.tenant_id = ?", {tenant_id});
        } else {
            statement.where("m.team_id = ?", {id});
        }
        CHECK(statement.apply(query));
        statement.order_by("u.name");
        return statement.list(session, [](SqlRow& row) {
            return TeamMember{row.integer(0), row.take_text(1), row.take_text(2), row.integer(3)};
        });
    };
    co_return co_await engine_.read(work);
}

Task<> SqlTeams::add_member(std::int64_t tenant_id, std::int64_t id, std::int64_t user_id, Actor actor)
{
    const auto work = [=](SqlSession& session) -> Result<> {
        TRY(const auto team, enter_team(session, tenant_id, id));
        CHECK(expect_tenant_member(session, tenant_id, user_id));
        TRY(const auto rows, session.run(insert_member, {id, user_id, actor.at}));
        if (rows.empty()) return fail(Errc::conflict, "this user is in the team already");
        CHECK(record_team(session, event_type::team_member_added, team, actor, user_id));
        return note_access_change(session, AccessObject::principal, user_id);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlTeams::remove_member(std::int64_t tenant_id, std::int64_t id, std::int64_t user_id, Actor actor)
{
    const auto work = [=](SqlSession& session) -> Result<> {
        TRY(const auto team, enter_team(session, tenant_id, id));
        TRY(const auto rows, session.run(delete_member, {id, user_id}));
        if (rows.empty()) return fail(Errc::not_found, "the team has no such member");
        CHECK(record_team(session, event_type::team_member_removed, team, actor, user_id));
        return note_access_change(session, AccessObject::principal, user_id);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot

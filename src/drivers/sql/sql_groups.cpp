#include "drivers/sql/sql_groups.hpp"

#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/grant_rows.hpp"
#include "drivers/sql/list_statement.hpp"

namespace entrepot {
namespace {

constexpr const char* group_columns = "g.id, g.name, g.type, g.ldap_dn, g.created_at";
constexpr ListColumn group_fields[] = {
    {"id", "g.id", ListColumn::Type::integer},
    {"group_name", "g.name"},
    {"group_type", "g.type", ListColumn::Type::integer},
    {"ldap_group_dn", "g.ldap_dn"},
    {"creation_time", "g.created_at", ListColumn::Type::time},
};

constexpr SqlStatement select_group{
    "SELECT g.id, g.name, g.type, g.ldap_dn, g.created_at FROM external_groups g WHERE g.id = $1"
};
// An LDAP group is known by its DN, the others by their names.
constexpr SqlStatement select_twin{
    "SELECT g.id, g.name, g.type, g.ldap_dn, g.created_at FROM external_groups g WHERE g.type = $1 AND "
    "((g.type = 1 AND g.ldap_dn = $3) OR (g.type <> 1 AND g.name = $2)) ORDER BY g.id LIMIT 1"
};
constexpr SqlStatement insert_group{
    "INSERT INTO external_groups (name, type, ldap_dn, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING "
    "RETURNING id"
};
constexpr SqlStatement select_name_taken{
    "SELECT o.id FROM external_groups g JOIN external_groups o ON o.type = g.type AND o.ldap_dn = g.ldap_dn AND "
    "o.id <> g.id WHERE g.id = $1 AND o.name = $2"
};
constexpr SqlStatement update_name{"UPDATE external_groups SET name = $2 WHERE id = $1 RETURNING id"};
constexpr SqlStatement member_ids{"SELECT user_id FROM external_group_members WHERE group_id = $1"};
constexpr SqlStatement lock_group{"SELECT id, name FROM external_groups WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement delete_group{"DELETE FROM external_groups WHERE id = $1"};

ExternalGroup group_of(SqlRow& row)
{
    return {
        .id = row.integer(0),
        .name = row.take_text(1),
        .type = static_cast<GroupType>(row.integer(2)),
        .ldap_dn = row.take_text(3),
        .created_at = row.integer(4),
    };
}

std::unexpected<Error> no_such_group()
{
    return fail(Errc::not_found, "there is no such group");
}

Result<std::optional<ExternalGroup>> find_twin(SqlSession& session, const ExternalGroup& group)
{
    const auto type = static_cast<std::int64_t>(group.type);
    TRY(auto rows, session.run(select_twin, {type, group.name, group.ldap_dn}));
    if (rows.empty()) return std::optional<ExternalGroup>{};
    return std::optional{group_of(rows.front())};
}

Result<ExternalGroup> insert(SqlSession& session, ExternalGroup group, const Actor& actor)
{
    const auto type = static_cast<std::int64_t>(group.type);
    TRY(const auto rows, session.run(insert_group, {group.name, type, group.ldap_dn, actor.at}));
    if (rows.empty()) return fail(Errc::conflict, "group " + group.name + " exists already");
    group.id = rows.front().integer(0);
    group.created_at = actor.at;
    CHECK(record_event(session, event_about(event_type::group_created, actor, group.id, group.name)));
    return group;
}

}  // namespace

Task<ListPage<ExternalGroup>> SqlGroups::list(ListQuery query)
{
    const auto work = [query = std::move(query)](SqlSession& session) -> Result<ListPage<ExternalGroup>> {
        ListStatement statement{group_columns, "external_groups g", group_fields};
        CHECK(statement.apply(query));
        statement.order_by("g.name, g.id");
        return statement.list(session, group_of);
    };
    co_return co_await engine_.read(work);
}

Task<ExternalGroup> SqlGroups::find(std::int64_t id)
{
    const auto work = [id](SqlSession& session) -> Result<ExternalGroup> {
        TRY(auto rows, session.run(select_group, {id}));
        if (rows.empty()) return no_such_group();
        return group_of(rows.front());
    };
    co_return co_await engine_.read(work);
}

Task<ExternalGroup> SqlGroups::create(ExternalGroup group, Actor actor)
{
    const auto work = [group = std::move(group), actor](SqlSession& session) -> Result<ExternalGroup> {
        TRY(const auto twin, find_twin(session, group));
        if (twin) return fail(Errc::conflict, "group " + twin->name + " exists already");
        return insert(session, group, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<ExternalGroup> SqlGroups::find_or_create(ExternalGroup group, Actor actor)
{
    const auto work = [group = std::move(group), actor](SqlSession& session) -> Result<ExternalGroup> {
        TRY(auto twin, find_twin(session, group));
        if (twin) return *std::move(twin);
        return insert(session, group, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlGroups::rename(std::int64_t id, std::string name, Actor actor)
{
    const auto work = [id, name = std::move(name), actor](SqlSession& session) -> Result<> {
        TRY(const auto taken, session.run(select_name_taken, {id, name}));
        if (!taken.empty()) return fail(Errc::conflict, "group " + name + " exists already");
        TRY(const auto rows, session.run(update_name, {id, name}));
        if (rows.empty()) return no_such_group();
        return record_event(session, event_about(event_type::group_updated, actor, id, name));
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlGroups::remove(std::int64_t id, Actor actor)
{
    const auto work = [id, actor](SqlSession& session) -> Result<> {
        TRY(const auto found, session.run(lock_group, {id}));
        if (found.empty()) return no_such_group();
        TRY(const auto members, session.run(member_ids, {id}));
        CHECK(remove_grants_of_subject(session, "group", id));
        CHECK(session.run(delete_group, {id}));
        CHECK(record_event(session, event_about(event_type::group_deleted, actor, id, found.front().text(1))));
        return note_access_changes(session, AccessObject::principal, first_column(members));
    };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot

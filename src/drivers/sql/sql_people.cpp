#include "drivers/sql/sql_people.hpp"

#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/list_statement.hpp"

#include <array>

namespace entrepot {

namespace {

constexpr const char* person_columns =
    "u.id, u.name, u.email, u.realname, u.comment, u.disabled, u.created_at, u.updated_at, "
    "(SELECT COUNT(*) FROM grants g WHERE g.subject_kind = 'user' AND g.subject_id = u.id "
    "AND g.object_kind = 'platform' AND g.role_id = 6 AND g.expires_at = 0)";

constexpr std::array list_fields{
    ListColumn{"username", "u.name"},
    ListColumn{"email", "u.email"},
    ListColumn{"realname", "u.realname"},
    ListColumn{"user_id", "u.id", ListColumn::Type::integer},
    ListColumn{"creation_time", "u.created_at", ListColumn::Type::time},
};

constexpr SqlStatement find_name{"SELECT id FROM users WHERE name = $1"};

constexpr SqlStatement find_email{"SELECT id FROM users WHERE email = $1 AND email <> ''"};

constexpr SqlStatement update_profile{
    "UPDATE users SET email = $2, realname = $3, comment = $4, updated_at = $5 WHERE id = $1 AND kind = 'user' "
    "RETURNING id"
};

constexpr SqlStatement update_disabled{
    "UPDATE users SET disabled = $2, updated_at = $3 WHERE id = $1 AND kind = 'user' RETURNING id"
};

constexpr SqlStatement find_person{"SELECT name, disabled FROM users WHERE id = $1 AND kind = 'user'"};

// Enabled platform admins besides this user.
constexpr SqlStatement count_other_admins{
    "SELECT COUNT(*) FROM grants g JOIN users u ON u.id = g.subject_id WHERE g.subject_kind = 'user' "
    "AND g.object_kind = 'platform' AND g.role_id = 6 AND g.expires_at = 0 AND u.kind = 'user' AND u.disabled = 0 "
    "AND u.id <> $1"
};

constexpr SqlStatement find_admin_grant{
    "SELECT id FROM grants WHERE subject_kind = 'user' AND subject_id = $1 AND object_kind = 'platform' "
    "AND role_id = 6 AND expires_at = 0"
};

constexpr SqlStatement insert_admin_grant{
    "INSERT INTO grants (subject_kind, subject_id, object_kind, object_id, role_id, origin, created_by, created_at) "
    "VALUES ('user', $1, 'platform', 0, 6, 'sysadmin', $2, $3) "
    "ON CONFLICT (subject_kind, subject_id, object_kind, object_id, pattern, role_id) DO UPDATE SET expires_at = 0"
};

constexpr SqlStatement delete_admin_grant{
    "DELETE FROM grants WHERE subject_kind = 'user' AND subject_id = $1 AND object_kind = 'platform' AND role_id = 6"
};

constexpr SqlStatement touch_person{"UPDATE users SET updated_at = $2 WHERE id = $1"};

constexpr SqlStatement retire_person{
    "UPDATE users SET name = $2, kind = 'deleted', email = '', realname = '', comment = '', disabled = 1, "
    "updated_at = $3 WHERE id = $1"
};

constexpr SqlStatement objects_of_grants{
    "SELECT DISTINCT object_kind, object_id FROM grants WHERE subject_kind = 'user' AND subject_id = $1"
};

constexpr SqlStatement delete_sessions{"DELETE FROM sessions WHERE user_id = $1"};

// What goes with a person, beside the row itself.
constexpr std::array belongings{
    SqlStatement{"DELETE FROM credentials WHERE user_id = $1"},
    SqlStatement{"DELETE FROM access_tokens WHERE user_id = $1"},
    SqlStatement{"DELETE FROM refresh_tokens WHERE user_id = $1"},
    delete_sessions,
    SqlStatement{"DELETE FROM tenant_members WHERE user_id = $1"},
    SqlStatement{"DELETE FROM team_members WHERE user_id = $1"},
    SqlStatement{"DELETE FROM external_group_members WHERE user_id = $1"},
    SqlStatement{"DELETE FROM grants WHERE subject_kind = 'user' AND subject_id = $1"},
};

std::unexpected<Error> no_such_user()
{
    return fail(Errc::not_found, "no such user");
}

Account read_person(SqlRow& row)
{
    Account account;
    account.id = row.integer(0);
    account.name = row.take_text(1);
    account.email = row.take_text(2);
    account.realname = row.take_text(3);
    account.comment = row.take_text(4);
    account.disabled = row.integer(5) != 0;
    account.created_at = row.integer(6);
    account.updated_at = row.integer(7);
    account.is_admin = row.integer(8) != 0;
    return account;
}

Result<ListPage<Account>> read_page(SqlSession& session, const ListStatement& statement)
{
    return statement.list(session, read_person);
}

// Notes the change first: that locks the one row of access_state, so that two admins who take the grant from each
// other at once come one after the other.
Result<> check_not_last_admin(SqlSession& session, std::int64_t id)
{
    TRY(const auto person, session.run(find_person, {id}));
    if (person.empty()) return no_such_user();
    CHECK(note_access_change(session, AccessObject::principal, id));
    TRY(const auto grant, session.run(find_admin_grant, {id}));
    if (grant.empty() || person.front().integer(1) != 0) return {};
    TRY(const auto others, session.run(count_other_admins, {id}));
    if (others.front().integer(0) > 0) return {};
    return fail(Errc::precondition_failed, "this is the last platform admin");
}

// What is below a tenant but no project counts as its tenant's.
AccessObject noted_kind(std::string_view object_kind)
{
    if (object_kind == "platform") return AccessObject::platform;
    return object_kind == "project" || object_kind == "repository" ? AccessObject::project : AccessObject::tenant;
}

Result<> note_grants_of(SqlSession& session, std::int64_t id)
{
    TRY(const auto objects, session.run(objects_of_grants, {id}));
    for (const auto& object : objects)
        CHECK(note_access_change(session, noted_kind(object.text(0)), object.integer(1)));
    return {};
}

Result<bool> has_row(SqlSession& session, const SqlStatement& statement, const std::string& value)
{
    TRY(const auto rows, session.run(statement, {value}));
    return !rows.empty();
}

// `changed`: which of its parts.
Result<> record_change(SqlSession& session, std::int64_t id, std::string_view changed, const Actor& actor)
{
    TRY(const auto person, session.run(find_person, {id}));
    if (person.empty()) return no_such_user();
    auto event = event_by(event_type::user_updated, actor);
    set_details(event, {{"id", id}, {"name", person.front().text(0)}, {"changed", {changed}}});
    return record_event(session, event);
}

Result<> disable_user(SqlSession& session, std::int64_t id, bool disabled, const Actor& actor)
{
    if (disabled) {
        CHECK(check_not_last_admin(session, id));
        CHECK(session.run(delete_sessions, {id}));
    }
    const std::int64_t value = disabled ? 1 : 0;
    TRY(const auto rows, session.run(update_disabled, {id, value, actor.at}));
    if (rows.empty()) return no_such_user();
    return disabled ? Result<>{} : note_access_change(session, AccessObject::principal, id);
}

}  // namespace

Task<ListPage<Account>> SqlPeople::list(ListQuery query)
{
    const auto work = [query](SqlSession& session) -> Result<ListPage<Account>> {
        ListStatement statement{person_columns, "users u", list_fields};
        statement.where("u.kind = 'user'");
        CHECK(statement.apply(query));
        statement.order_by("u.id");
        return read_page(session, statement);
    };
    co_return co_await engine_.read(work);
}

Task<ListPage<Account>>
SqlPeople::search(std::string part, std::int64_t seen_by, std::int64_t offset, std::int64_t limit)
{
    const auto work = [part, seen_by, offset, limit](SqlSession& session) -> Result<ListPage<Account>> {
        ListStatement statement{person_columns, "users u", list_fields};
        statement.where("u.kind = 'user'");
        if (seen_by != everybody) {
            statement.where(
                "EXISTS (SELECT 1 FROM tenant_members m JOIN tenant_members s ON s.tenant_id = m.tenant_id "
                "WHERE m.user_id = u.id AND s.user_id = ?)",
                {seen_by}
            );
        }
        ListQuery query;
        query.conditions.push_back({"username", ListCondition::Kind::fuzzy, {part}});
        query.offset = offset;
        query.limit = limit;
        CHECK(statement.apply(query));
        statement.order_by("u.name");
        return read_page(session, statement);
    };
    co_return co_await engine_.read(work);
}

Task<bool> SqlPeople::has_name(std::string name)
{
    const auto work = [name](SqlSession& session) { return has_row(session, find_name, name); };
    co_return co_await engine_.read(work);
}

Task<bool> SqlPeople::has_email(std::string email)
{
    const auto work = [email](SqlSession& session) { return has_row(session, find_email, email); };
    co_return co_await engine_.read(work);
}

Task<> SqlPeople::set_profile(std::int64_t id, UserProfile profile, std::optional<bool> disabled, Actor actor)
{
    const auto work = [id, profile, disabled, actor](SqlSession& session) -> Result<> {
        TRY(const auto owners, session.run(find_email, {profile.email}));
        if (!owners.empty() && owners.front().integer(0) != id) {
            return fail(Errc::conflict, "a user with this email exists already");
        }
        TRY(const auto rows,
            session.run(update_profile, {id, profile.email, profile.realname, profile.comment, actor.at}));
        if (rows.empty()) return no_such_user();
        CHECK(record_change(session, id, "profile", actor));
        return disabled ? disable_user(session, id, *disabled, actor) : Result<>{};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlPeople::set_disabled(std::int64_t id, bool disabled, Actor actor)
{
    const auto work = [id, disabled, actor](SqlSession& session) -> Result<> {
        CHECK(disable_user(session, id, disabled, actor));
        return record_change(session, id, "disabled", actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlPeople::set_admin(std::int64_t id, bool admin, Actor actor)
{
    const auto work = [id, admin, actor](SqlSession& session) -> Result<> {
        if (admin) {
            TRY(const auto person, session.run(find_person, {id}));
            if (person.empty()) return no_such_user();
            CHECK(session.run(insert_admin_grant, {id, actor.user_id, actor.at}));
        } else {
            CHECK(check_not_last_admin(session, id));
            CHECK(session.run(delete_admin_grant, {id}));
        }
        CHECK(session.run(touch_person, {id, actor.at}));
        CHECK(record_change(session, id, "sysadmin", actor));
        return note_access_change(session, AccessObject::platform, 0);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlPeople::remove(std::int64_t id, Actor actor)
{
    const auto work = [id, actor](SqlSession& session) -> Result<> {
        CHECK(check_not_last_admin(session, id));
        TRY(const auto person, session.run(find_person, {id}));
        CHECK(note_grants_of(session, id));
        for (const auto& statement : belongings) CHECK(session.run(statement, {id}));
        // No living name holds a '#'.
        const auto retired = person.front().text(0) + "#" + std::to_string(id);
        CHECK(session.run(retire_person, {id, retired, actor.at}));
        return record_event(session, event_about(event_type::user_deleted, actor, id, person.front().text(0)));
    };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot

#include "drivers/sql/sql_accounts.hpp"

#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/event_rows.hpp"

namespace entrepot {

namespace {

#define ENTREPOT_SELECT_ACCOUNT                                                                             \
    "SELECT u.id, u.name, u.kind, u.disabled, u.created_at, u.updated_at, u.email, u.realname, u.comment, " \
    "(SELECT COUNT(*) FROM grants g WHERE g.subject_kind = 'user' AND g.subject_id = u.id "                 \
    "AND g.object_kind = 'platform' AND g.role_id = 6 AND g.expires_at = 0), "                              \
    "p.secret, p.version, c.secret, r.secret_hash, r.previous_hash, r.previous_until, r.expires_at "        \
    "FROM users u LEFT JOIN credentials p ON p.user_id = u.id AND p.kind IN ('password', 'robot') "         \
    "LEFT JOIN credentials c ON c.user_id = u.id AND c.kind = 'cli' LEFT JOIN robots r ON r.user_id = u.id "

constexpr SqlStatement find_by_name{ENTREPOT_SELECT_ACCOUNT "WHERE u.name = $1 AND u.kind <> 'deleted'"};

constexpr SqlStatement find_by_row_id{ENTREPOT_SELECT_ACCOUNT "WHERE u.id = $1 AND u.kind <> 'deleted'"};

#undef ENTREPOT_SELECT_ACCOUNT

constexpr SqlStatement insert_user{
    "INSERT INTO users (name, kind, email, realname, comment, disabled, is_admin, created_at, updated_at) "
    "VALUES ($1, 'user', $2, $3, $4, $5, 0, $6, $6) ON CONFLICT (name) DO NOTHING RETURNING id"
};

constexpr SqlStatement find_email{"SELECT id FROM users WHERE email = $1 AND email <> ''"};

constexpr SqlStatement find_name{"SELECT name FROM users WHERE id = $1"};

constexpr SqlStatement find_tenant{"SELECT id FROM tenants WHERE id = $1"};

constexpr SqlStatement insert_membership{
    "INSERT INTO tenant_members (tenant_id, user_id, joined_at) VALUES ($1, $2, $3)"
};

constexpr SqlStatement insert_admin_grant{
    "INSERT INTO grants (subject_kind, subject_id, object_kind, object_id, role_id, origin, created_by, created_at) "
    "VALUES ('user', $1, 'platform', 0, 6, 'first-user', $1, $2)"
};

constexpr SqlStatement insert_password{
    "INSERT INTO credentials (user_id, kind, secret, version) VALUES ($1, 'password', $2, $3)"
};

constexpr SqlStatement update_password{"UPDATE credentials SET secret = $2, version = version + 1 WHERE user_id = $1 "
                                       "AND kind = 'password' RETURNING version"};

constexpr SqlStatement raise_version{"UPDATE credentials SET version = version + 1 WHERE user_id = $1 "
                                     "AND kind = 'password' RETURNING version"};

constexpr SqlStatement delete_cli_secret{"DELETE FROM credentials WHERE user_id = $1 AND kind = 'cli'"};

constexpr SqlStatement insert_cli_secret{
    "INSERT INTO credentials (user_id, kind, secret, version) VALUES ($1, 'cli', $2, $3)"
};

constexpr SqlStatement count_users{"SELECT COUNT(*) FROM users WHERE kind = 'user'"};

constexpr SqlStatement probe_database{"SELECT max(version) FROM schema_migrations"};

std::unexpected<Error> no_such_user()
{
    return fail(Errc::not_found, "no such user");
}

PrincipalKind kind_named(std::string_view name) noexcept
{
    if (name == "robot") return PrincipalKind::robot;
    return name == "workload" ? PrincipalKind::workload : PrincipalKind::user;
}

Result<Account> read_account(Result<SqlRows> found)
{
    TRY(auto rows, std::move(found));
    if (rows.empty()) return no_such_user();
    SqlRow& row = rows.front();
    Account account;
    account.id = row.integer(0);
    account.name = row.take_text(1);
    account.kind = kind_named(row.text(2));
    account.disabled = row.integer(3) != 0;
    account.created_at = row.integer(4);
    account.updated_at = row.integer(5);
    account.email = row.take_text(6);
    account.realname = row.take_text(7);
    account.comment = row.take_text(8);
    account.is_admin = row.integer(9) != 0;
    if (!row.is_null(10)) {
        account.password_hash = row.take_text(10);
        account.credential_version = row.integer(11);
    }
    if (!row.is_null(12)) account.cli_hash = row.take_text(12);
    if (!row.is_null(13)) {
        account.robot = {row.take_text(13), row.take_text(14), row.integer(15), row.integer(16)};
    }
    return account;
}

// The answer of a statement that changes the credential and returns its new version.
Result<std::int64_t> noted_version(SqlSession& session, std::int64_t id, Result<SqlRows> changed)
{
    TRY(const auto rows, std::move(changed));
    if (rows.empty()) return no_such_user();
    CHECK(note_access_change(session, AccessObject::principal, id));
    return rows.front().integer(0);
}

Result<> record_secret(SqlSession& session, std::int64_t id, std::string_view which, const Actor& actor)
{
    TRY(const auto user, session.run(find_name, {id}));
    if (user.empty()) return no_such_user();
    auto event = event_by(event_type::user_updated, actor);
    set_details(event, {{"id", id}, {"name", user.front().text(0)}, {"changed", {which}}});
    return record_event(session, event);
}

Result<> check_new(SqlSession& session, std::int64_t tenant_id, const Account& account)
{
    TRY(const auto tenants, session.run(find_tenant, {tenant_id}));
    if (tenants.empty()) return fail(Errc::bad_request, "there is no such tenant");
    TRY(const auto owners, session.run(find_email, {account.email}));
    if (!owners.empty()) return fail(Errc::conflict, "a user with this email exists already");
    return {};
}

}  // namespace

Task<Account> SqlAccounts::find(std::string name)
{
    const auto work = [name](SqlSession& session) { return read_account(session.run(find_by_name, {name})); };
    co_return co_await engine_.read(work);
}

Task<Account> SqlAccounts::find_by_id(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return read_account(session.run(find_by_row_id, {id})); };
    co_return co_await engine_.read(work);
}

Task<Account> SqlAccounts::create_in(std::int64_t tenant_id, Account account, Actor actor)
{
    const auto work = [tenant_id, account, actor](SqlSession& session) -> Result<Account> {
        CHECK(check_new(session, tenant_id, account));
        const std::int64_t disabled = account.disabled ? 1 : 0;
        TRY(const auto rows,
            session.run(
                insert_user,
                {account.name, account.email, account.realname, account.comment, disabled, account.created_at}
            ));
        if (rows.empty()) return fail(Errc::conflict, "a user of this name exists already");
        Account created = account;
        created.id = rows.front().integer(0);
        created.updated_at = account.created_at;
        CHECK(session.run(insert_password, {created.id, account.password_hash, account.credential_version}));
        CHECK(session.run(insert_membership, {tenant_id, created.id, account.created_at}));
        if (account.is_admin) CHECK(session.run(insert_admin_grant, {created.id, account.created_at}));
        if (account.is_admin) CHECK(note_access_change(session, AccessObject::platform, 0));
        CHECK(note_access_change(session, AccessObject::principal, created.id));
        CHECK(record_event(session, event_about(event_type::user_created, actor, created.id, created.name)));
        return created;
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlAccounts::set_password(std::int64_t id, std::string password_hash, Actor actor)
{
    const auto work = [id, password_hash, actor](SqlSession& session) -> Result<> {
        CHECK(noted_version(session, id, session.run(update_password, {id, password_hash})));
        return record_secret(session, id, "password", actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlAccounts::set_cli_secret(std::int64_t id, std::string hash, Actor actor)
{
    const auto work = [id, hash, actor](SqlSession& session) -> Result<> {
        TRY(const auto version, noted_version(session, id, session.run(raise_version, {id})));
        CHECK(session.run(delete_cli_secret, {id}));
        CHECK(session.run(insert_cli_secret, {id, hash, version}));
        return record_secret(session, id, "cli_secret", actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::int64_t> SqlAccounts::count()
{
    const auto work = [](SqlSession& session) -> Result<std::int64_t> {
        TRY(const auto rows, session.run(count_users));
        return rows.front().integer(0);
    };
    co_return co_await engine_.read(work);
}

Task<> SqlHealth::probe()
{
    const auto work = [](SqlSession& session) -> Result<> {
        CHECK(session.run(probe_database));
        return {};
    };
    co_return co_await engine_.read(work);
}

}  // namespace entrepot

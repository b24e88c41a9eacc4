#include "drivers/sql/sql_accounts.hpp"

#include "access/role.hpp"
#include "drivers/sql/access_rows.hpp"

#include <string_view>

namespace entrepot {

namespace {

constexpr SqlStatement find_by_name{
    "SELECT u.id, u.name, c.secret, c.version, u.kind, u.disabled, u.created_at "
    "FROM users u LEFT JOIN credentials c ON c.user_id = u.id AND c.kind IN ('password', 'robot') WHERE u.name = $1"
};

constexpr SqlStatement find_by_row_id{
    "SELECT u.id, u.name, c.secret, c.version, u.kind, u.disabled, u.created_at "
    "FROM users u LEFT JOIN credentials c ON c.user_id = u.id AND c.kind IN ('password', 'robot') WHERE u.id = $1"
};

constexpr SqlStatement insert_user{"INSERT INTO users (name, is_admin, created_at, updated_at) VALUES ($1, 0, $2, $2) "
                                   "ON CONFLICT (name) DO NOTHING RETURNING id"};

constexpr SqlStatement join_default_tenant{
    "INSERT INTO tenant_members (tenant_id, user_id, joined_at) VALUES (1, $1, $2)"
};

constexpr SqlStatement grant_platform{
    "INSERT INTO grants (subject_kind, subject_id, object_kind, object_id, role_id, origin, created_by, created_at) "
    "VALUES ('user', $1, 'platform', 0, $2, 'first-user', $1, $3)"
};

constexpr SqlStatement insert_password{
    "INSERT INTO credentials (user_id, kind, secret, version) VALUES ($1, 'password', $2, $3)"
};

constexpr SqlStatement update_password{"UPDATE credentials SET secret = $2, version = version + 1 WHERE user_id = $1 "
                                       "AND kind = 'password' RETURNING version"};

constexpr SqlStatement count_users{"SELECT count(*) FROM users"};

constexpr SqlStatement probe_database{"SELECT max(version) FROM schema_migrations"};

std::unexpected<Error> no_such_user()
{
    return fail(Errc::not_found, "no such user");
}

PrincipalKind kind_named(std::string_view word) noexcept
{
    if (word == "robot") return PrincipalKind::robot;
    if (word == "workload") return PrincipalKind::workload;
    return PrincipalKind::user;
}

Result<Account> read_account(Result<SqlRows> found)
{
    TRY(auto rows, std::move(found));
    if (rows.empty()) return no_such_user();
    SqlRow& row = rows.front();
    Account account;
    account.id = row.integer(0);
    account.name = row.take_text(1);
    if (!row.is_null(2)) {
        account.password_hash = row.take_text(2);
        account.credential_version = row.integer(3);
    }
    account.kind = kind_named(row.text(4));
    account.disabled = row.integer(5) != 0;
    account.created_at = row.integer(6);
    return account;
}

Result<Account> add_user(SqlSession& session, const Account& account)
{
    TRY(const auto rows, session.run(insert_user, {account.name, account.created_at}));
    if (rows.empty()) return fail(Errc::conflict, "a user of this name exists already");
    Account created = account;
    created.id = rows.front().integer(0);
    CHECK(session.run(insert_password, {created.id, account.password_hash, account.credential_version}));
    CHECK(session.run(join_default_tenant, {created.id, account.created_at}));
    CHECK(note_access_change(session, AccessObject::principal, created.id));
    return created;
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

Task<Account> SqlAccounts::create(Account account)
{
    const auto work = [account](SqlSession& session) { return add_user(session, account); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Account> SqlAccounts::create_admin(Account account)
{
    const auto work = [account](SqlSession& session) -> Result<Account> {
        TRY(auto created, add_user(session, account));
        CHECK(session.run(grant_platform, {created.id, role::platform_admin, account.created_at}));
        CHECK(note_access_change(session, AccessObject::platform, 0));
        return created;
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlAccounts::set_password(std::int64_t id, std::string password_hash)
{
    const auto work = [id, password_hash](SqlSession& session) -> Result<> {
        TRY(const auto rows, session.run(update_password, {id, password_hash}));
        if (rows.empty()) return no_such_user();
        return note_access_change(session, AccessObject::principal, id);
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

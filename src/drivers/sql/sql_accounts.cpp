#include "drivers/sql/sql_accounts.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement find_by_name{
    "SELECT u.id, u.name, c.secret, c.version, u.is_admin, u.created_at "
    "FROM users u LEFT JOIN credentials c ON c.user_id = u.id AND c.kind = 'password' WHERE u.name = $1"
};

constexpr SqlStatement find_by_row_id{
    "SELECT u.id, u.name, c.secret, c.version, u.is_admin, u.created_at "
    "FROM users u LEFT JOIN credentials c ON c.user_id = u.id AND c.kind = 'password' WHERE u.id = $1"
};

constexpr SqlStatement insert_user{
    "INSERT INTO users (name, is_admin, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING RETURNING id"
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
    account.is_admin = row.integer(4) != 0;
    account.created_at = row.integer(5);
    return account;
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
    const auto work = [account](SqlSession& session) -> Result<Account> {
        const std::int64_t is_admin = account.is_admin ? 1 : 0;
        TRY(const auto rows, session.run(insert_user, {account.name, is_admin, account.created_at}));
        if (rows.empty()) return fail(Errc::conflict, "a user of this name exists already");
        Account created = account;
        created.id = rows.front().integer(0);
        CHECK(session.run(insert_password, {created.id, account.password_hash, account.credential_version}));
        return created;
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlAccounts::set_password(std::int64_t id, std::string password_hash)
{
    const auto work = [id, password_hash](SqlSession& session) -> Result<> {
        TRY(const auto rows, session.run(update_password, {id, password_hash}));
        if (rows.empty()) return no_such_user();
        return {};
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

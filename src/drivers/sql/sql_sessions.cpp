#include "drivers/sql/sql_sessions.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement insert_session{
    "INSERT INTO sessions (hash, user_id, credential_version, client, created_at, expires_at) "
    "VALUES ($1, $2, $3, $4, $5, $6)"
};

constexpr SqlStatement find_session{
    "SELECT hash, user_id, credential_version, client, created_at, expires_at FROM sessions WHERE hash = $1"
};

constexpr SqlStatement extend_session{"UPDATE sessions SET expires_at = $2 WHERE hash = $1"};

constexpr SqlStatement delete_session{"DELETE FROM sessions WHERE hash = $1"};

constexpr SqlStatement delete_expired_sessions{"DELETE FROM sessions WHERE expires_at <= $1"};

}  // namespace

Task<> SqlSessions::add(LoginSession added)
{
    const auto work = [added](SqlSession& session) -> Result<> {
        CHECK(session.run(
            insert_session,
            {added.hash, added.user_id, added.credential_version, added.client, added.created_at, added.expires_at}
        ));
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<LoginSession> SqlSessions::find(std::string hash)
{
    const auto work = [hash](SqlSession& session) -> Result<LoginSession> {
        TRY(auto rows, session.run(find_session, {hash}));
        if (rows.empty()) return fail(Errc::not_found, "no such session");
        SqlRow& row = rows.front();
        return LoginSession{
            row.take_text(0), row.integer(1), row.integer(2), row.take_text(3), row.integer(4), row.integer(5)
        };
    };
    co_return co_await engine_.read(work);
}

Task<> SqlSessions::extend(std::string hash, Micros expires_at)
{
    const auto work = [hash, expires_at](SqlSession& session) -> Result<> {
        CHECK(session.run(extend_session, {hash, expires_at}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlSessions::remove(std::string hash)
{
    const auto work = [hash](SqlSession& session) -> Result<> {
        CHECK(session.run(delete_session, {hash}));
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlSessions::remove_expired(Micros now)
{
    const auto work = [now](SqlSession& session) -> Result<> {
        CHECK(session.run(delete_expired_sessions, {now}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot

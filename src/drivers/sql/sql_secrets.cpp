#include "drivers/sql/sql_accounts.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement select_keys{"SELECT id, sealed, created_at, retires_at FROM signing_keys ORDER BY created_at, id"
};

constexpr SqlStatement insert_key{
    "INSERT INTO signing_keys (id, sealed, created_at, retires_at) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (id) DO NOTHING RETURNING id"
};

constexpr SqlStatement delete_key{"DELETE FROM signing_keys WHERE id = $1"};

constexpr SqlStatement insert_token{
    "INSERT INTO refresh_tokens (hash, user_id, service, client_id, credential_version, expires_at) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (hash) DO NOTHING RETURNING hash"
};

constexpr SqlStatement find_token{
    "SELECT hash, user_id, service, client_id, credential_version, expires_at FROM refresh_tokens WHERE hash = $1"
};

constexpr SqlStatement delete_expired_tokens{"DELETE FROM refresh_tokens WHERE expires_at <= $1"};

}  // namespace

Task<std::vector<SealedKey>> SqlKeys::signing_keys()
{
    const auto work = [](SqlSession& session) -> Result<std::vector<SealedKey>> {
        TRY(auto rows, session.run(select_keys));
        std::vector<SealedKey> keys;
        for (SqlRow& row : rows) keys.push_back({row.take_text(0), row.take_text(1), row.integer(2), row.integer(3)});
        return keys;
    };
    co_return co_await engine_.read(work);
}

Task<> SqlKeys::add(SealedKey key)
{
    const auto work = [key](SqlSession& session) -> Result<> {
        TRY(const auto rows, session.run(insert_key, {key.id, SqlBytes{key.sealed}, key.created_at, key.retires_at}));
        if (rows.empty()) return fail(Errc::conflict, "a signing key of this id exists already");
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlKeys::remove(std::string id)
{
    const auto work = [id](SqlSession& session) -> Result<> {
        CHECK(session.run(delete_key, {id}));
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlRefreshTokens::add(RefreshToken token)
{
    const auto work = [token](SqlSession& session) -> Result<> {
        TRY(const auto rows,
            session.run(
                insert_token,
                {token.hash, token.user_id, token.service, token.client_id, token.credential_version, token.expires_at}
            ));
        if (rows.empty()) return fail(Errc::conflict, "a refresh token of this hash exists already");
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<RefreshToken> SqlRefreshTokens::find(std::string hash)
{
    const auto work = [hash](SqlSession& session) -> Result<RefreshToken> {
        TRY(auto rows, session.run(find_token, {hash}));
        if (rows.empty()) return fail(Errc::not_found, "no such refresh token");
        SqlRow& row = rows.front();
        return RefreshToken{
            row.take_text(0), row.integer(1), row.take_text(2), row.take_text(3), row.integer(4), row.integer(5)
        };
    };
    co_return co_await engine_.read(work);
}

Task<> SqlRefreshTokens::remove_expired(Micros now)
{
    const auto work = [now](SqlSession& session) -> Result<> {
        CHECK(session.run(delete_expired_tokens, {now}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot

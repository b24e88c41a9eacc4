#include "drivers/sql/sql_access_tokens.hpp"

#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/token_scopes_text.hpp"

namespace entrepot {

namespace {

#define ENTREPOT_SELECT_TOKEN \
    "SELECT id, user_id, name, hash, limits, created_at, expires_at, last_used_at FROM access_tokens "

constexpr SqlStatement find_by_hash{ENTREPOT_SELECT_TOKEN "WHERE hash = $1"};

constexpr SqlStatement find_by_token_id{ENTREPOT_SELECT_TOKEN "WHERE id = $1"};

constexpr SqlStatement select_of_user{ENTREPOT_SELECT_TOKEN "WHERE user_id = $1 ORDER BY id DESC"};

#undef ENTREPOT_SELECT_TOKEN

// With the engine's row lock nobody else counts until this transaction has ended.
constexpr SqlStatement lock_owner{"SELECT id FROM users WHERE id = $1", "FOR NO KEY UPDATE"};
constexpr SqlStatement count_of_user{"SELECT COUNT(*) FROM access_tokens WHERE user_id = $1"};

constexpr SqlStatement insert_token{
    "INSERT INTO access_tokens (user_id, name, hash, limits, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (user_id, name) DO NOTHING RETURNING id"
};

constexpr SqlStatement delete_token{"DELETE FROM access_tokens WHERE id = $2 AND user_id = $1 RETURNING id, name"};

constexpr SqlStatement delete_expired{
    "DELETE FROM access_tokens WHERE expires_at > 0 AND expires_at <= $1 RETURNING user_id"
};

constexpr SqlStatement touch_token{"UPDATE access_tokens SET last_used_at = $2 WHERE id = $1 AND last_used_at < $2"};

constexpr SqlStatement touch_robot{"UPDATE robots SET last_used_at = $2 WHERE user_id = $1 AND last_used_at < $2"};

Result<AccessToken> read_token(SqlRow& row)
{
    AccessToken token;
    token.id = row.integer(0);
    token.user_id = row.integer(1);
    token.name = row.take_text(2);
    token.hash = row.take_text(3);
    TRY(token.scopes, scopes_of_text(row.text(4)));
    token.created_at = row.integer(5);
    token.expires_at = row.integer(6);
    token.last_used_at = row.integer(7);
    return token;
}

std::unexpected<Error> no_such_token()
{
    return fail(Errc::not_found, "no such access token");
}

Result<AccessToken> the_token(Result<SqlRows> found)
{
    TRY(auto rows, std::move(found));
    if (rows.empty()) return no_such_token();
    return read_token(rows.front());
}

}  // namespace

Task<AccessToken> SqlAccessTokens::add(AccessToken token, std::int64_t most)
{
    const auto work = [token, most](SqlSession& session) -> Result<AccessToken> {
        TRY(const auto owner, session.run(lock_owner, {token.user_id}));
        if (owner.empty()) return fail(Errc::not_found, "there is no such user");
        TRY(const auto counted, session.run(count_of_user, {token.user_id}));
        if (counted.front().integer(0) >= most) {
            return fail(Errc::precondition_failed, "you have " + std::to_string(most) + " tokens already");
        }
        const auto limits = text_of_scopes(token.scopes);
        TRY(const auto rows,
            session.run(
                insert_token, {token.user_id, token.name, token.hash, limits, token.created_at, token.expires_at}
            ));
        if (rows.empty()) return fail(Errc::conflict, "an access token of this name exists already");
        CHECK(note_access_change(session, AccessObject::principal, token.user_id));
        AccessToken added = token;
        added.id = rows.front().integer(0);
        CHECK(record_event(
            session,
            event_about(event_type::access_token_created, {token.user_id, token.created_at}, added.id, added.name)
        ));
        return added;
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<AccessToken> SqlAccessTokens::find(std::string hash)
{
    const auto work = [hash](SqlSession& session) { return the_token(session.run(find_by_hash, {hash})); };
    co_return co_await engine_.read(work);
}

Task<AccessToken> SqlAccessTokens::find_by_id(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return the_token(session.run(find_by_token_id, {id})); };
    co_return co_await engine_.read(work);
}

Task<std::vector<AccessToken>> SqlAccessTokens::of_user(std::int64_t user_id)
{
    const auto work = [user_id](SqlSession& session) -> Result<std::vector<AccessToken>> {
        TRY(auto rows, session.run(select_of_user, {user_id}));
        std::vector<AccessToken> tokens;
        for (auto& row : rows) {
            TRY(auto token, read_token(row));
            tokens.push_back(std::move(token));
        }
        return tokens;
    };
    co_return co_await engine_.read(work);
}

Task<> SqlAccessTokens::remove(std::int64_t user_id, std::int64_t id, Actor actor)
{
    const auto work = [user_id, id, actor](SqlSession& session) -> Result<> {
        TRY(const auto rows, session.run(delete_token, {user_id, id}));
        if (rows.empty()) return no_such_token();
        CHECK(record_event(session, event_about(event_type::access_token_deleted, actor, id, rows.front().text(1))));
        return note_access_change(session, AccessObject::principal, user_id);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlAccessTokens::remove_expired(Micros before)
{
    const auto work = [before](SqlSession& session) -> Result<> {
        TRY(const auto rows, session.run(delete_expired, {before}));
        std::vector<std::int64_t> owners;
        for (const auto& row : rows) owners.push_back(row.integer(0));
        return note_access_changes(session, AccessObject::principal, owners);
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlAccessTokens::record_use(std::vector<CredentialUse> uses)
{
    const auto work = [uses](SqlSession& session) -> Result<> {
        for (const auto& use : uses) {
            const auto& statement = use.kind == CredentialUse::Kind::robot ? touch_robot : touch_token;
            CHECK(session.run(statement, {use.id, use.at}));
        }
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot

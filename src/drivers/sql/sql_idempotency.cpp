#include "drivers/sql/sql_idempotency.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement claim_key{
    "INSERT INTO idempotency_keys (user_id, key, request, status, headers, body, created_at) "
    "VALUES ($1, $2, $3, 0, '', '', $4) ON CONFLICT (user_id, key) DO NOTHING RETURNING user_id"
};
constexpr SqlStatement find_key{
    "SELECT request, status, body, created_at FROM idempotency_keys WHERE user_id = $1 AND key = $2", "FOR UPDATE"
};
constexpr SqlStatement claim_again{"UPDATE idempotency_keys SET request = $3, status = 0, body = '', created_at = $4 "
                                   "WHERE user_id = $1 AND key = $2"};
constexpr SqlStatement finish_key{"UPDATE idempotency_keys SET status = $3, body = $4 WHERE user_id = $1 AND key = $2"};
constexpr SqlStatement delete_key{"DELETE FROM idempotency_keys WHERE user_id = $1 AND key = $2 AND status = 0"};
constexpr SqlStatement delete_old{"DELETE FROM idempotency_keys WHERE created_at < $1"};

using Entry = IdempotencyCatalog::Entry;
using Limits = IdempotencyCatalog::Limits;

struct Claim {
    std::int64_t user_id;
    std::string key;
    std::string request;
    Micros now;
    Limits limits;
};

Result<std::optional<Entry>> claim(SqlSession& session, const Claim& wanted)
{
    const auto& [user_id, key, request, now, limits] = wanted;
    TRY(const auto claimed, session.run(claim_key, {user_id, key, request, now}));
    if (!claimed.empty()) return std::nullopt;
    TRY(auto found, session.run(find_key, {user_id, key}));
    // Given back just now by who held it: the next try gets it.
    if (found.empty()) return Entry{.request = request, .status = 0, .answer = {}};
    auto& row = found.front();
    const auto status = static_cast<unsigned>(row.integer(1));
    const auto since = status == 0 ? limits.begun_since : limits.kept_since;
    if (row.integer(3) < since) {
        CHECK(session.run(claim_again, {user_id, key, request, now}));
        return std::nullopt;
    }
    return Entry{.request = row.take_text(0), .status = status, .answer = row.take_text(2)};
}

}  // namespace

Task<std::optional<Entry>>
SqlIdempotency::begin(std::int64_t user_id, std::string key, std::string request, Micros now, Limits limits)
{
    const Claim wanted{user_id, std::move(key), std::move(request), now, limits};
    const auto work = [wanted](SqlSession& session) { return claim(session, wanted); };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlIdempotency::finish(std::int64_t user_id, std::string key, unsigned status, std::string answer)
{
    const auto work = [user_id, key, status, answer](SqlSession& session) -> Result<> {
        CHECK(session.run(finish_key, {user_id, key, std::int64_t{status}, answer}));
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlIdempotency::abandon(std::int64_t user_id, std::string key)
{
    const auto work = [user_id, key](SqlSession& session) -> Result<> {
        CHECK(session.run(delete_key, {user_id, key}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlIdempotency::remove_before(Micros time)
{
    const auto work = [time](SqlSession& session) -> Result<> {
        CHECK(session.run(delete_old, {time}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot

#include "api/token/access_token_cache.hpp"

namespace entrepot {
namespace {

std::shared_ptr<const AccessLimit> limit_of(const AccessToken& token)
{
    if (!token.scopes) return nullptr;
    auto limit = std::make_shared<AccessLimit>();
    for (const auto& scope : *token.scopes) limit->entries.push_back(scope.limit);
    return limit;
}

}  // namespace

bool AccessTokenCache::is_fresh(const Known& known) const noexcept
{
    return known && clock_.now() - known->read_at <= freshness;
}

AccessTokenCache::Known AccessTokenCache::fresh(const std::string& hash) const
{
    const std::lock_guard lock{mutex_};
    const auto* const known = by_hash_.find(hash);
    return known && is_fresh(*known) ? *known : nullptr;
}

Task<AccessTokenCache::Known> AccessTokenCache::find(std::string hash)
{
    if (auto known = fresh(hash)) co_return known;
    CO_TRY(auto token, co_await tokens_.find(std::move(hash)));
    co_return co_await completed(std::move(token));
}

Task<AccessTokenCache::Known> AccessTokenCache::find_by_id(std::int64_t id)
{
    const auto key = std::to_string(id);
    Known before;
    {
        const std::lock_guard lock{mutex_};
        if (const auto* const known = by_id_.find(key)) before = *known;
    }
    if (is_fresh(before)) co_return before;
    auto token = co_await tokens_.find_by_id(id);
    if (!token) {
        // While the store is away, what a token was remembered for goes on.
        if (before && token.error().code() == Errc::unavailable) co_return before;
        co_return std::unexpected{std::move(token).error()};
    }
    co_return co_await completed(*std::move(token));
}

Task<AccessTokenCache::Known> AccessTokenCache::completed(AccessToken token)
{
    CO_TRY(const auto owner, co_await accounts_.find_by_id(token.user_id));
    auto known = std::make_shared<KnownAccessToken>();
    known->id = token.id;
    known->owner = std::make_shared<const Identity>(Identity{owner.id, owner.name, owner.kind});
    known->limit = limit_of(token);
    known->expires_at = token.expires_at;
    known->credential_version = owner.credential_version;
    known->read_at = clock_.now();

    const std::lock_guard lock{mutex_};
    by_hash_.touch(token.hash) = known;
    by_id_.touch(std::to_string(token.id)) = known;
    co_return known;
}

}  // namespace entrepot

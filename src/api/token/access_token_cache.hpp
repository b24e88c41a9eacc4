#pragma once

#include "access/identity.hpp"
#include "api/token/recent_keys.hpp"
#include "core/clock.hpp"
#include "ports/access_token_catalog.hpp"
#include "ports/account_catalog.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace entrepot {

// A personal access token with its owner, as it was when it was read. Neither a token's scopes nor its owner ever
// change; whether it still stands, the policy knows.
struct KnownAccessToken {
    std::int64_t id = 0;
    std::shared_ptr<const Identity> owner;
    std::shared_ptr<const AccessLimit> limit;  // null: everything its owner may
    Micros expires_at = 0;                     // 0: never
    std::int64_t credential_version = 0;       // of its owner
    Micros read_at = 0;

    bool expired(Micros now) const noexcept { return expires_at != 0 && expires_at <= now; }
};

// Access tokens that were used lately, by the hash of their text and by id. Bounded. Safe from any thread.
class AccessTokenCache {
public:
    AccessTokenCache(
        AccessTokenCatalog& tokens, AccountCatalog& accounts, const Clock& clock, std::size_t capacity = 20'000
    )
        : tokens_{tokens}, accounts_{accounts}, clock_{clock}, by_hash_{capacity}, by_id_{capacity}
    {
    }

    using Known = std::shared_ptr<const KnownAccessToken>;
    // From memory, not older than a minute; null otherwise.
    Known fresh(const std::string& hash) const;
    // From memory or the store. not_found, unavailable.
    Task<Known> find(std::string hash);
    Task<Known> find_by_id(std::int64_t id);

    static constexpr Micros freshness = 60'000'000;

private:
    bool is_fresh(const Known& known) const noexcept;
    Task<Known> completed(AccessToken token);

    AccessTokenCatalog& tokens_;
    AccountCatalog& accounts_;
    const Clock& clock_;
    mutable std::mutex mutex_;
    RecentKeys<Known> by_hash_;
    RecentKeys<Known> by_id_;
};

}  // namespace entrepot

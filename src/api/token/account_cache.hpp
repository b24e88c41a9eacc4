#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "ports/account_catalog.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace entrepot {

// An account as it was when it was read.
struct KnownAccount {
    Account account;
    std::shared_ptr<const Identity> identity;
    std::shared_ptr<const PrincipalAccess> seen;  // what the policy knew of the principal then
    Micros read_at = 0;
};

// Accounts that were asked for lately, by name. An entry counts as fresh until the policy hears of a change of that
// principal, and for one second at most. Bounded. Safe from any thread.
class AccountCache {
public:
    AccountCache(
        AccountCatalog& accounts, const AccessPolicy& policy, const Clock& clock, std::size_t capacity = 10'000
    )
        : accounts_{accounts}, policy_{policy}, clock_{clock}, capacity_{capacity}
    {
    }

    std::shared_ptr<const KnownAccount> fresh(std::string_view name) const;  // null when unknown or older
    std::shared_ptr<const KnownAccount> any(std::string_view name) const;    // however old; null when unknown
    Task<std::shared_ptr<const KnownAccount>> read(std::string name);        // not_found, unavailable
    Task<std::shared_ptr<const KnownAccount>> read(std::int64_t id);         // not_found, unavailable

    static constexpr Micros freshness = 1'000'000;

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    std::shared_ptr<const KnownAccount> keep(Account account, Micros read_at, std::int64_t policy_version);
    void forget(const std::string& name);

    AccountCatalog& accounts_;
    const AccessPolicy& policy_;
    const Clock& clock_;
    std::size_t capacity_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::shared_ptr<const KnownAccount>, Hash, std::equal_to<>> entries_;
    std::deque<std::string> order_;  // oldest first; may name entries that went
};

}  // namespace entrepot

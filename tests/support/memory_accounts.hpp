#pragma once

#include "ports/account_catalog.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace entrepot {

// Accounts, keys and refresh tokens in plain containers, for tests of one thread. While `away` is true they answer
// unavailable.
class MemoryAccounts final : public AccountCatalog {
public:
    bool away = false;
    int reads = 0;
    std::vector<std::int64_t> admins;

    Task<Account> find(std::string name) override
    {
        ++reads;
        if (away) co_return fail(Errc::unavailable, "away");
        for (const auto& [id, account] : accounts_) {
            if (account.name == name) co_return account;
        }
        co_return fail(Errc::not_found, "no such user");
    }
    Task<Account> find_by_id(std::int64_t id) override
    {
        ++reads;
        if (away) co_return fail(Errc::unavailable, "away");
        const auto found = accounts_.find(id);
        if (found == accounts_.end()) co_return fail(Errc::not_found, "no such user");
        co_return found->second;
    }
    Task<Account> create(Account account) override
    {
        for (const auto& [id, other] : accounts_) {
            if (other.name == account.name) co_return fail(Errc::conflict, "this user exists");
        }
        account.id = ++last_id_;
        accounts_[account.id] = account;
        co_return account;
    }
    Task<Account> create_admin(Account account) override
    {
        auto created = co_await create(std::move(account));
        if (created) admins.push_back(created->id);
        co_return created;
    }
    Task<> set_password(std::int64_t id, std::string password_hash) override
    {
        const auto found = accounts_.find(id);
        if (found == accounts_.end()) co_return fail(Errc::not_found, "no such user");
        found->second.password_hash = std::move(password_hash);
        ++found->second.credential_version;
        co_return Result<>{};
    }
    Task<std::int64_t> count() override { co_return static_cast<std::int64_t>(accounts_.size()); }

    Account& at(std::int64_t id) { return accounts_.at(id); }
    void erase(std::int64_t id) { accounts_.erase(id); }

private:
    std::map<std::int64_t, Account> accounts_;
    std::int64_t last_id_ = 0;
};

class MemoryKeys final : public KeyCatalog {
public:
    std::vector<SealedKey> stored;
    bool away = false;
    int reads = 0;

    Task<std::vector<SealedKey>> signing_keys() override
    {
        ++reads;
        if (away) co_return fail(Errc::unavailable, "away");
        co_return stored;
    }
    Task<> add(SealedKey key) override
    {
        if (away) co_return fail(Errc::unavailable, "away");
        if (std::ranges::find(stored, key.id, &SealedKey::id) != stored.end())
            co_return fail(Errc::conflict, "this key exists");
        stored.push_back(std::move(key));
        co_return Result<>{};
    }
    Task<> remove(std::string id) override
    {
        std::erase_if(stored, [&](const SealedKey& key) { return key.id == id; });
        co_return Result<>{};
    }
};

class MemoryRefreshTokens final : public RefreshTokenCatalog {
public:
    std::map<std::string, RefreshToken> stored;

    Task<> add(RefreshToken token) override
    {
        const auto hash = token.hash;
        stored.insert_or_assign(hash, std::move(token));
        co_return Result<>{};
    }
    Task<RefreshToken> find(std::string hash) override
    {
        const auto found = stored.find(hash);
        if (found == stored.end()) co_return fail(Errc::not_found, "no such refresh token");
        co_return found->second;
    }
    Task<> remove_expired(Micros now) override
    {
        std::erase_if(stored, [now](const auto& entry) { return entry.second.expires_at <= now; });
        co_return Result<>{};
    }
};

}  // namespace entrepot

#pragma once

#include "ports/access_catalog.hpp"
#include "ports/access_token_catalog.hpp"
#include "ports/account_catalog.hpp"
#include "ports/session_catalog.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace entrepot {

// Accounts, tokens, sessions, keys and refresh tokens in plain containers, for tests of one thread. While `away` is
// true they answer unavailable. Accounts and access tokens are what AccessCatalog tells a policy of.
class MemoryAccounts final : public AccountCatalog {
public:
    bool away = false;
    int reads = 0;

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
    Task<Account> create_in(std::int64_t, Account account, Actor) override
    {
        for (const auto& [id, other] : accounts_) {
            if (other.name == account.name) co_return fail(Errc::conflict, "this user exists");
        }
        account.id = ++last_id_;
        accounts_[account.id] = account;
        ++version;
        co_return account;
    }
    Task<> set_password(std::int64_t id, std::string password_hash, Actor) override
    {
        const auto found = accounts_.find(id);
        if (found == accounts_.end()) co_return fail(Errc::not_found, "no such user");
        found->second.password_hash = std::move(password_hash);
        ++found->second.credential_version;
        ++version;
        co_return Result<>{};
    }
    Task<> set_cli_secret(std::int64_t id, std::string hash, Actor) override
    {
        const auto found = accounts_.find(id);
        if (found == accounts_.end()) co_return fail(Errc::not_found, "no such user");
        found->second.cli_hash = std::move(hash);
        ++found->second.credential_version;
        ++version;
        co_return Result<>{};
    }
    Task<std::int64_t> count() override { co_return static_cast<std::int64_t>(accounts_.size()); }

    Account& at(std::int64_t id)
    {
        ++version;
        return accounts_.at(id);
    }
    void erase(std::int64_t id)
    {
        ++version;
        accounts_.erase(id);
    }
    const std::map<std::int64_t, Account>& all() const { return accounts_; }

    std::int64_t version = 1;  // grows with every change

private:
    std::map<std::int64_t, Account> accounts_;
    std::int64_t last_id_ = 0;
};

class MemoryAccessTokens final : public AccessTokenCatalog {
public:
    std::map<std::int64_t, AccessToken> stored;
    std::vector<CredentialUse> uses;
    bool away = false;
    int reads = 0;
    std::int64_t version = 0;  // grows with every change

    Task<AccessToken> add(AccessToken token, std::int64_t most) override
    {
        const auto own = [&](const auto& entry) { return entry.second.user_id == token.user_id; };
        if (std::ranges::count_if(stored, own) >= most) co_return fail(Errc::precondition_failed, "too many");
        for (const auto& [id, other] : stored) {
            if (other.user_id == token.user_id && other.name == token.name) co_return fail(Errc::conflict, "it exists");
        }
        token.id = ++last_id_;
        stored[token.id] = token;
        ++version;
        co_return token;
    }
    Task<AccessToken> find(std::string hash) override
    {
        ++reads;
        if (away) co_return fail(Errc::unavailable, "away");
        for (const auto& [id, token] : stored) {
            if (token.hash == hash) co_return token;
        }
        co_return fail(Errc::not_found, "no such access token");
    }
    Task<AccessToken> find_by_id(std::int64_t id) override
    {
        ++reads;
        if (away) co_return fail(Errc::unavailable, "away");
        const auto found = stored.find(id);
        if (found == stored.end()) co_return fail(Errc::not_found, "no such access token");
        co_return found->second;
    }
    Task<std::vector<AccessToken>> of_user(std::int64_t user_id) override
    {
        std::vector<AccessToken> tokens;
        for (const auto& [id, token] : stored) {
            if (token.user_id == user_id) tokens.push_back(token);
        }
        co_return tokens;
    }
    Task<> remove(std::int64_t user_id, std::int64_t id, Actor) override
    {
        const auto found = stored.find(id);
        if (found == stored.end() || found->second.user_id != user_id) {
            co_return fail(Errc::not_found, "no such access token");
        }
        stored.erase(found);
        ++version;
        co_return Result<>{};
    }
    Task<> remove_expired(Micros before) override
    {
        std::erase_if(stored, [before](const auto& entry) {
            return entry.second.expires_at > 0 && entry.second.expires_at <= before;
        });
        ++version;
        co_return Result<>{};
    }
    Task<> record_use(std::vector<CredentialUse> some) override
    {
        if (away) co_return fail(Errc::unavailable, "away");
        uses.insert(uses.end(), some.begin(), some.end());
        co_return Result<>{};
    }

private:
    std::int64_t last_id_ = 0;
};

// Tells a policy of the principals in those two, and of nothing else but what a test adds.
class MemoryAccess final : public AccessCatalog {
public:
    MemoryAccess(const MemoryAccounts& accounts, const MemoryAccessTokens& tokens)
        : accounts_{accounts}, tokens_{tokens}
    {
    }
    AccessChanges more;

    Task<AccessChanges> changes_since(std::int64_t) override
    {
        auto changes = more;
        changes.version = accounts_.version + tokens_.version;
        changes.complete = true;
        if (!changes.platform_grants) changes.platform_grants.emplace();
        if (!changes.custom_roles) changes.custom_roles.emplace();
        for (const auto& [id, account] : accounts_.all()) {
            PrincipalAccess principal;
            principal.id = id;
            principal.disabled = account.disabled;
            principal.credential_version = account.credential_version;
            for (const auto& [token_id, token] : tokens_.stored) {
                if (token.user_id == id) principal.access_tokens.push_back(token_id);
            }
            changes.principals.push_back(std::move(principal));
            if (!account.is_admin) continue;
            GrantEntry grant;
            grant.subject = {SubjectKind::principal, id};
            grant.role_id = role::platform_admin;
            grant.kind = ObjectKind::platform;
            changes.platform_grants->push_back(grant);
        }
        co_return changes;
    }

private:
    const MemoryAccounts& accounts_;
    const MemoryAccessTokens& tokens_;
};

class MemorySessions final : public SessionCatalog {
public:
    std::map<std::string, LoginSession> stored;
    int reads = 0;
    int extensions = 0;

    Task<> add(LoginSession session) override
    {
        stored[session.hash] = session;
        co_return Result<>{};
    }
    Task<LoginSession> find(std::string hash) override
    {
        ++reads;
        const auto found = stored.find(hash);
        if (found == stored.end()) co_return fail(Errc::not_found, "no such session");
        co_return found->second;
    }
    Task<> extend(std::string hash, Micros expires_at) override
    {
        ++extensions;
        if (const auto found = stored.find(hash); found != stored.end()) found->second.expires_at = expires_at;
        co_return Result<>{};
    }
    Task<> remove(std::string hash) override
    {
        stored.erase(hash);
        co_return Result<>{};
    }
    Task<> remove_expired(Micros now) override
    {
        std::erase_if(stored, [now](const auto& entry) { return entry.second.expires_at <= now; });
        co_return Result<>{};
    }
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

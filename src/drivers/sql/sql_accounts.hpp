#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/account_catalog.hpp"

namespace entrepot {

// Principals' accounts, signing keys and refresh tokens on any SqlEngine, which outlives them.

class SqlAccounts final : public AccountCatalog {
public:
    explicit SqlAccounts(SqlEngine& engine) : engine_{engine} {}

    Task<Account> find(std::string name) override;
    Task<Account> find_by_id(std::int64_t id) override;
    Task<Account> create_in(std::int64_t tenant_id, Account account, Actor actor) override;
    Task<> set_password(std::int64_t id, std::string password_hash, Actor actor) override;
    Task<> set_cli_secret(std::int64_t id, std::string hash, Actor actor) override;
    Task<std::int64_t> count() override;

private:
    SqlEngine& engine_;
};

class SqlKeys final : public KeyCatalog {
public:
    explicit SqlKeys(SqlEngine& engine) : engine_{engine} {}

    Task<std::vector<SealedKey>> signing_keys() override;
    Task<> add(SealedKey key) override;
    Task<> remove(std::string id) override;

private:
    SqlEngine& engine_;
};

class SqlRefreshTokens final : public RefreshTokenCatalog {
public:
    explicit SqlRefreshTokens(SqlEngine& engine) : engine_{engine} {}

    Task<> add(RefreshToken token) override;
    Task<RefreshToken> find(std::string hash) override;
    Task<> remove_expired(Micros now) override;

private:
    SqlEngine& engine_;
};

class SqlHealth final : public CatalogHealth {
public:
    explicit SqlHealth(SqlEngine& engine) : engine_{engine} {}
    Task<> probe() override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot

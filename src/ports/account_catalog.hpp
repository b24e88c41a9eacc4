#pragma once

#include "access/identity.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// A principal and its password credential. Other kinds of credential are linked to the same principal.
struct Account {
    std::int64_t id = 0;
    std::string name;
    std::string password_hash;            // Argon2id, encoded form; empty: no password log-in
    std::int64_t credential_version = 0;  // grows with each change of password: remembered verifications end
    PrincipalKind kind = PrincipalKind::user;
    bool disabled = false;
    Micros created_at = 0;
};

class AccountCatalog {
public:
    virtual ~AccountCatalog() = default;
    virtual Task<Account> find(std::string name) = 0;       // not_found
    virtual Task<Account> find_by_id(std::int64_t id) = 0;  // not_found
    // A user, a member of the default tenant; the store gives the id. conflict
    virtual Task<Account> create(Account account) = 0;
    // The same, and a platform admin by a grant. conflict
    virtual Task<Account> create_admin(Account account) = 0;
    virtual Task<> set_password(std::int64_t id, std::string password_hash) = 0;  // not_found
    virtual Task<std::int64_t> count() = 0;
};

// A token-signing key, its private part sealed under the master key.
struct SealedKey {
    std::string id;      // the JWK's kid
    std::string sealed;  // opaque here
    Micros created_at = 0;
    Micros retires_at = 0;  // signs no more from then on; verifies until its last token has expired
};

class KeyCatalog {
public:
    virtual ~KeyCatalog() = default;
    virtual Task<std::vector<SealedKey>> signing_keys() = 0;
    virtual Task<> add(SealedKey key) = 0;  // conflict when the id exists
    virtual Task<> remove(std::string id) = 0;
};

// A refresh token, known by the hash of its secret.
struct RefreshToken {
    std::string hash;
    std::int64_t user_id = 0;
    std::string service;
    std::string client_id;
    std::int64_t credential_version = 0;
    Micros expires_at = 0;
};

class RefreshTokenCatalog {
public:
    virtual ~RefreshTokenCatalog() = default;
    virtual Task<> add(RefreshToken token) = 0;
    virtual Task<RefreshToken> find(std::string hash) = 0;  // not_found
    virtual Task<> remove_expired(Micros now) = 0;
};

// What /readyz asks.
class CatalogHealth {
public:
    virtual ~CatalogHealth() = default;
    virtual Task<> probe() = 0;  // unavailable
};

}  // namespace entrepot

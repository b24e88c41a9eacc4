#pragma once

#include "access/identity.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// What a robot proves itself with, two secrets while a rotation overlaps: SHA-256 in hexadecimal of those that were
// made here, Argon2id in encoded form of those that somebody chose.
struct RobotSecretHashes {
    std::string current;  // empty: not a robot
    std::string previous;
    Micros previous_until = 0;
    Micros expires_at = 0;  // of the robot itself; 0: never
};

// A principal (a person, a robot, a workload) with what it proves itself with. Any number of credentials can be linked
// to one principal.
struct Account {
    std::int64_t id = 0;
    std::string name;
    std::string password_hash;            // Argon2id, encoded form; empty: no password log-in
    std::int64_t credential_version = 0;  // grows with each change of a secret: what was made with older ones ends
    bool is_admin = false;                // a view of the grants: platform-admin on the platform, held directly
    Micros created_at = 0;
    PrincipalKind kind = PrincipalKind::user;
    std::string email;
    std::string realname;
    std::string comment;
    bool disabled = false;
    Micros updated_at = 0;
    std::string cli_hash;  // Argon2id of Harbor's CLI secret, a second password for command lines; empty: none
    RobotSecretHashes robot;
};

// Looking principals up, and the secrets of people. Those that were removed are not found.
class AccountCatalog {
public:
    virtual ~AccountCatalog() = default;
    virtual Task<Account> find(std::string name) = 0;       // not_found
    virtual Task<Account> find_by_id(std::int64_t id) = 0;  // not_found
    // A person, who becomes a member of the tenant; ids are given by the store. With is_admin the platform-admin grant
    // is made too. conflict (name, email), bad_request (no such tenant).
    virtual Task<Account> create_in(std::int64_t tenant_id, Account account, Actor actor) = 0;
    // By the system itself.
    Task<Account> create(Account account)
    {
        const Actor itself{0, account.created_at};
        return create_in(default_tenant, std::move(account), itself);
    }
    Task<Account> create_admin(Account account)
    {
        account.is_admin = true;
        return create(std::move(account));
    }
    // Both raise the credential version.
    virtual Task<> set_password(std::int64_t id, std::string password_hash, Actor actor) = 0;  // not_found
    virtual Task<> set_cli_secret(std::int64_t id, std::string hash, Actor actor) = 0;         // not_found
    virtual Task<std::int64_t> count() = 0;                                                    // of people

    static constexpr std::int64_t default_tenant = 1;
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

#pragma once

#include "access/identity.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// One entry of what an access token is narrowed to; `name` is the object's as it was called, "*" for all.
struct AccessTokenScope {
    AccessLimit::Entry limit;
    std::string name;
};

// A personal access token, known by the SHA-256 of its text in hexadecimal.
struct AccessToken {
    std::int64_t id = 0;
    std::int64_t user_id = 0;
    std::string name;  // one of a name for each user
    std::string hash;
    std::optional<std::vector<AccessTokenScope>> scopes;  // nullopt: everything its owner may
    Micros created_at = 0;
    Micros expires_at = 0;  // 0: never
    Micros last_used_at = 0;
};

// That a token or a robot was used.
struct CredentialUse {
    enum class Kind : std::uint8_t { access_token, robot };
    Kind kind = Kind::access_token;
    std::int64_t id = 0;  // the token's, or the robot's principal id
    Micros at = 0;
};

class AccessTokenCatalog {
public:
    virtual ~AccessTokenCatalog() = default;

    // The id is given by the store. precondition_failed when the user has `most` tokens already, however many are added
    // at once; conflict when one of the name exists; not_found without the user.
    virtual Task<AccessToken> add(AccessToken token, std::int64_t most) = 0;
    virtual Task<AccessToken> find(std::string hash) = 0;                           // not_found
    virtual Task<AccessToken> find_by_id(std::int64_t id) = 0;                      // not_found
    virtual Task<std::vector<AccessToken>> of_user(std::int64_t user_id) = 0;       // newest first
    virtual Task<> remove(std::int64_t user_id, std::int64_t id, Actor actor) = 0;  // not_found
    virtual Task<> remove_expired(Micros before) = 0;
    // Only ever later: an older time changes nothing.
    virtual Task<> record_use(std::vector<CredentialUse> uses) = 0;
};

}  // namespace entrepot

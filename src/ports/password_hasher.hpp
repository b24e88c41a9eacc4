#pragma once

#include "core/task.hpp"

#include <string>

namespace entrepot {

// Hashing and checking of passwords, which takes tens of milliseconds each, on threads of its own.
class PasswordHasher {
public:
    virtual ~PasswordHasher() = default;

    // Argon2id, in encoded form. bad_request when the password breaks the policy, saying how; unavailable when too many
    // wait.
    virtual Task<std::string> hash(std::string password) = 0;
    // Success when it is this user's own password. unauthorized, too_many_requests (failures are counted for `client`,
    // an address), unavailable.
    virtual Task<> check(std::string user, std::string password, std::string client) = 0;
};

}  // namespace entrepot

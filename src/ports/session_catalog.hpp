#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"

#include <cstdint>
#include <string>

namespace entrepot {

// A browser's log-in, known by the SHA-256 of its cookie in hexadecimal.
struct LoginSession {
    std::string hash;
    std::int64_t user_id = 0;
    std::int64_t credential_version = 0;
    std::string client;  // address
    Micros created_at = 0;
    Micros expires_at = 0;
};

class SessionCatalog {
public:
    virtual ~SessionCatalog() = default;
    virtual Task<> add(LoginSession session) = 0;
    virtual Task<LoginSession> find(std::string hash) = 0;           // not_found
    virtual Task<> extend(std::string hash, Micros expires_at) = 0;  // nothing where it has gone
    virtual Task<> remove(std::string hash) = 0;                     // nothing where it has gone
    virtual Task<> remove_expired(Micros now) = 0;
};

}  // namespace entrepot

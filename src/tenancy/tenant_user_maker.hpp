#pragma once

#include "access/identity.hpp"
#include "core/task.hpp"

#include <cstdint>
#include <string>

namespace entrepot {

// A person whom a tenant's admin makes.
struct NewTenantUser {
    std::string name;
    std::string email;
    std::string realname;
    std::string password;
};

// Makes a user who is a member of one tenant; that the caller may is established before. bad_request (name, e-mail
// address, password), conflict.
class TenantUserMaker {
public:
    virtual ~TenantUserMaker() = default;
    virtual Task<std::int64_t> make_member(Caller caller, std::int64_t tenant_id, NewTenantUser user) = 0;
};

}  // namespace entrepot

#pragma once

#include "tenancy/granting.hpp"

#include <string>
#include <vector>

namespace entrepot {

// Roles as people see them: the built-in ones, which stay as they are, and those that were made here.
class Roles {
public:
    explicit Roles(Granting& granting) : granting_{granting} {}

    // For anybody signed in, since they name what can be granted. Fields: id, name, builtin. bad_request.
    Task<ListPage<Role>> list(ListQuery query);
    Task<Role> find(std::int64_t id);  // not_found
    // denied: also for permissions that the caller does not hold everywhere; conflict, bad_request.
    Task<Role> create(Caller caller, Role role);
    struct Changed {
        Role before;
        Role after;
    };
    // Counts for everybody who holds it. Also precondition_failed for a built-in role.
    Task<Changed> change(Caller caller, Role role);
    // What it was. precondition_failed for a built-in role, and while it is granted.
    Task<Role> remove(Caller caller, std::int64_t id);

private:
    Granting& granting_;
};

}  // namespace entrepot

#pragma once

#include "ports/group_catalog.hpp"
#include "tenancy/granting.hpp"

#include <string>

namespace entrepot {

// Groups of outside directories, which platform admins make known here so that they can be granted something. Anybody
// who is signed in finds them by name, to grant them something.
class UserGroups {
public:
    UserGroups(GroupCatalog& catalog, Granting& granting) : catalog_{catalog}, granting_{granting} {}

    Task<ListPage<ExternalGroup>> list(Caller caller, ListQuery query);  // denied, bad_request
    Task<ListPage<ExternalGroup>> search(std::string part, std::int64_t offset, std::int64_t limit);
    Task<ExternalGroup> find(Caller caller, std::int64_t id);                      // denied, not_found
    Task<ExternalGroup> create(Caller caller, ExternalGroup group);                // denied, conflict, bad_request
    Task<ExternalGroup> rename(Caller caller, std::int64_t id, std::string name);  // what it was
    Task<ExternalGroup> remove(Caller caller, std::int64_t id);                    // what it was, with its grants

private:
    GroupCatalog& catalog_;
    Granting& granting_;
};

// bad_request: an LDAP group has a DN, the others have names.
Result<> check_group(const ExternalGroup& group);

}  // namespace entrepot

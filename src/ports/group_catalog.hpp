#pragma once

#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <string>

namespace entrepot {

// Where a group's members are kept (Harbor's group_type).
enum class GroupType : std::uint8_t { ldap = 1, http = 2, oidc = 3 };

// A group of an outside directory: known here by name, so that it can be granted something.
struct ExternalGroup {
    std::int64_t id = 0;
    std::string name;
    GroupType type = GroupType::oidc;
    std::string ldap_dn;  // of an LDAP group
    Micros created_at = 0;
};

// Every method is one transaction; changes are durable when acknowledged. unavailable, storage_full.
class GroupCatalog {
public:
    virtual ~GroupCatalog() = default;

    virtual Task<ListPage<ExternalGroup>> list(ListQuery query) = 0;           // bad_request
    virtual Task<ExternalGroup> find(std::int64_t id) = 0;                     // not_found
    virtual Task<ExternalGroup> create(ExternalGroup group, Actor actor) = 0;  // conflict; the store gives the id
    // The group that has this type and name (an LDAP one: this DN), made when there is none.
    virtual Task<ExternalGroup> find_or_create(ExternalGroup group, Actor actor) = 0;
    virtual Task<> rename(std::int64_t id, std::string name, Actor actor) = 0;  // not_found, conflict
    virtual Task<> remove(std::int64_t id, Actor actor) = 0;                    // with its grants. not_found
};

}  // namespace entrepot

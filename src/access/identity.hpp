#pragma once

#include "access/permission.hpp"
#include "oci/names.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What acts: people, robots and workloads share one space of ids and names.
enum class PrincipalKind : std::uint8_t { user, robot, workload };

// Who somebody is, as established by a credential. The default is anonymous.
struct Identity {
    std::int64_t user_id = 0;  // a principal's id, of whatever kind
    std::string name;
    PrincipalKind kind = PrincipalKind::user;

    bool anonymous() const noexcept { return user_id == 0; }
};

// What can be done to a repository through the distribution API: pull and push are repository:pull and
// repository:push, remove is artifact:delete.
enum class Action : std::uint8_t { pull = 1, push = 2, remove = 4 };
using ActionSet = std::uint8_t;  // of Action bits
constexpr ActionSet bit(Action action) noexcept
{
    return static_cast<ActionSet>(action);
}
inline constexpr ActionSet all_actions = 7;

// What a token was granted: repositories with actions, and whether it may list the catalog. Immutable.
struct TokenScopes {
    struct Entry {
        std::string repository;
        ActionSet actions = 0;
    };
    std::vector<Entry> entries;
    bool catalog = false;

    ActionSet actions_on(std::string_view repository) const noexcept;
};

// What something is done to. `id` is the tenant's or project's (for a repository its project's, for kinds that other
// systems administer their tenant's), `name` a repository's full name or "cluster/partition".
struct ObjectRef {
    ObjectKind kind = ObjectKind::platform;
    std::int64_t id = 0;
    std::string_view name;
};

// What a credential narrows its owner to (a personal access token's scopes): of the owner's rights only those that one
// of the entries names. Immutable.
struct AccessLimit {
    struct Entry {
        ObjectKind kind = ObjectKind::platform;  // platform, tenant or project
        std::int64_t id = 0;                     // 0: every object of that kind
        PermissionSet permissions;
    };
    std::vector<Entry> entries;

    // `tenant_id` is the object's tenant, for entries of kind tenant; 0 when it has none.
    bool allows(Permission permission, const ObjectRef& object, std::int64_t tenant_id) const noexcept;
    PermissionSet permissions_on(const ObjectRef& object, std::int64_t tenant_id) const noexcept;
};

// Somebody at work: an identity, narrowed by the credential that it came with. Without `scopes` and `limit` (Basic
// credentials, a session) the identity's own rights count in full. Both are null for most.
struct Caller {
    std::shared_ptr<const Identity> identity;
    std::shared_ptr<const TokenScopes> scopes;
    std::shared_ptr<const AccessLimit> limit{};
    std::int64_t credential_version = 0;  // of the password or robot secret that all this came from
    std::int64_t access_token_id = 0;     // the personal access token that was used, or 0
};

}  // namespace entrepot

#pragma once

#include "access/policy.hpp"
#include "core/error.hpp"

#include <string_view>

namespace entrepot {

// Success when the caller may. Else not_found where they do not even see the object (so nobody learns that it exists:
// a project that they have no right in, a tenant that they may not read), unauthorized for somebody anonymous, denied
// for the rest.
Result<> require(const AccessPolicy& policy, const Caller& caller, Permission permission, const ObjectRef& object);

// The project if the caller sees it, which is not yet the right to read it; not_found otherwise (unauthorized for
// somebody anonymous).
Result<std::shared_ptr<const ProjectAccess>>
require_project(const AccessPolicy& policy, const Caller& caller, std::shared_ptr<const ProjectAccess> project);

inline ObjectRef object_of(const ProjectAccess& project) noexcept
{
    return {.kind = ObjectKind::project, .id = project.id, .name = {}};
}
inline ObjectRef object_of(const TenantAccess& tenant) noexcept
{
    return {.kind = ObjectKind::tenant, .id = tenant.id, .name = {}};
}
inline constexpr ObjectRef the_platform{};

}  // namespace entrepot

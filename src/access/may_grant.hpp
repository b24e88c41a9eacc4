#pragma once

#include "access/policy.hpp"

namespace entrepot {

// Nobody can grant what they do not hold: whether everything in `wanted` that would count on the object is among the
// caller's own permissions there. Whether the caller may grant at all is another question (grant:create,
// member:create, robot:create).
bool may_grant(const AccessPolicy& policy, const Caller& caller, const PermissionSet& wanted, const ObjectRef& object);

// The same of a role; false when there is no such role.
bool may_grant(const AccessPolicy& policy, const Caller& caller, std::int64_t role_id, const ObjectRef& object);

}  // namespace entrepot

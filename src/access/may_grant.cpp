#include "access/may_grant.hpp"

namespace entrepot {

bool may_grant(const AccessPolicy& policy, const Caller& caller, const PermissionSet& wanted, const ObjectRef& object)
{
    auto counting = wanted;
    counting &= permissions_within(object.kind);
    return counting.is_subset_of(policy.granted(caller, object));
}

bool may_grant(const AccessPolicy& policy, const Caller& caller, std::int64_t role_id, const ObjectRef& object)
{
    if (const auto* builtin = builtin_role(role_id)) return may_grant(policy, caller, builtin->permissions, object);
    const auto custom = policy.custom_role(role_id);
    return custom && may_grant(policy, caller, custom->permissions, object);
}

}  // namespace entrepot

#include "access/identity.hpp"

namespace entrepot {
namespace {

bool covers(const AccessLimit::Entry& entry, const ObjectRef& object, std::int64_t tenant_id) noexcept
{
    const auto same = [&](std::int64_t id) { return entry.id == 0 || entry.id == id; };
    const bool in_project = object.kind == ObjectKind::project || object.kind == ObjectKind::repository;
    switch (entry.kind) {
        case ObjectKind::platform: return true;
        case ObjectKind::tenant: return object.kind != ObjectKind::platform && same(tenant_id);
        case ObjectKind::project: return in_project && same(object.id);
        default: return false;
    }
}

}  // namespace

ActionSet TokenScopes::actions_on(std::string_view repository) const noexcept
{
    ActionSet actions = 0;
    for (const auto& entry : entries) {
        if (entry.repository == repository) actions |= entry.actions;
    }
    return actions;
}

bool AccessLimit::allows(Permission permission, const ObjectRef& object, std::int64_t tenant_id) const noexcept
{
    for (const auto& entry : entries) {
        if (entry.permissions.has(permission) && covers(entry, object, tenant_id)) return true;
    }
    return false;
}

PermissionSet AccessLimit::permissions_on(const ObjectRef& object, std::int64_t tenant_id) const noexcept
{
    PermissionSet sum;
    for (const auto& entry : entries) {
        if (covers(entry, object, tenant_id)) sum |= entry.permissions;
    }
    return sum;
}

}  // namespace entrepot

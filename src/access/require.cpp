#include "access/require.hpp"

namespace entrepot {
namespace {

const Permission read_tenant = need(ObjectKind::tenant, "tenant", "read");

bool may_see(const AccessPolicy& policy, const Caller& caller, const ObjectRef& object)
{
    switch (object.kind) {
        case ObjectKind::platform: return true;
        case ObjectKind::project:
        case ObjectKind::repository: return policy.sees_project(caller, object.id);
        default: return policy.may(caller, read_tenant, {.kind = ObjectKind::tenant, .id = object.id, .name = {}});
    }
}

}  // namespace

Result<> require(const AccessPolicy& policy, const Caller& caller, Permission permission, const ObjectRef& object)
{
    if (policy.may(caller, permission, object)) return {};
    if (caller.identity->anonymous()) return fail(Errc::unauthorized, "authentication required");
    if (!may_see(policy, caller, object)) {
        // The words that are said where there is none.
        const bool in_project = permission_kind(object.kind) == ObjectKind::project;
        return fail(Errc::not_found, in_project ? "there is no such project" : "there is no such tenant");
    }
    const auto& row = permission.row();
    return fail(
        Errc::denied, "you lack the permission " + std::string{row.resource} + ":" + std::string{row.action} + " here"
    );
}

Result<std::shared_ptr<const ProjectAccess>>
require_project(const AccessPolicy& policy, const Caller& caller, std::shared_ptr<const ProjectAccess> project)
{
    if (project && policy.sees_project(caller, project->id)) return project;
    if (caller.identity->anonymous()) return fail(Errc::unauthorized, "authentication required");
    return fail(Errc::not_found, "there is no such project");
}

}  // namespace entrepot

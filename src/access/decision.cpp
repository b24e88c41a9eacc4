#include "access/decision.hpp"

#include "access/glob.hpp"
#include "access/require.hpp"

namespace entrepot {
namespace {

const Permission pull_repository = need(ObjectKind::project, "repository", "pull");
const Permission push_repository = need(ObjectKind::project, "repository", "push");
const Permission delete_artifact = need(ObjectKind::project, "artifact", "delete");

ActionSet actions_in(const PermissionSet& permissions) noexcept
{
    ActionSet actions = 0;
    if (permissions.has(pull_repository)) actions |= bit(Action::pull);
    if (permissions.has(push_repository)) actions |= bit(Action::push);
    if (permissions.has(delete_artifact)) actions |= bit(Action::remove);
    return actions;
}

bool credential_stands(const PrincipalAccess& principal, const Caller& caller, const Clock& clock)
{
    if (principal.disabled) return false;
    if (principal.expires_at != 0 && principal.expires_at <= clock.now()) return false;
    if (caller.access_token_id != 0) {
        return std::ranges::binary_search(principal.access_tokens, caller.access_token_id);
    }
    // A newer one than is known here: the change is on its way.
    return caller.credential_version >= principal.credential_version;
}

}  // namespace

Asker asker_of(const AccessTables& tables, const Caller& caller, const Clock& clock)
{
    if (caller.identity->anonymous()) return {.principal = nullptr, .anonymous = true, .stands = true};
    const auto* principal = tables.principal(caller.identity->user_id);
    if (principal == nullptr || !credential_stands(*principal, caller, clock)) return {};
    return {.principal = principal, .anonymous = false, .stands = true};
}

Decision::Decision(const AccessTables& tables, const Asker& asker, const ObjectRef& object, const Clock& clock) noexcept
    : tables_{tables}, asker_{asker}, object_{object}, clock_{clock}
{
    switch (object.kind) {
        case ObjectKind::platform: exists_ = true; break;
        case ObjectKind::project:
        case ObjectKind::repository:
            project_ = tables.project(object.id);
            exists_ = project_ != nullptr;
            if (project_) tenant_ = tables.tenant(project_->tenant_id);
            break;
        default: tenant_ = tables.tenant(object.id); exists_ = tenant_ != nullptr;
    }
}

bool Decision::live(const GrantEntry& grant) const noexcept
{
    return grant.expires_at == 0 || grant.expires_at > clock_.now();
}

bool Decision::counts(const GrantEntry& grant) const noexcept
{
    switch (grant.kind) {
        case ObjectKind::platform:
        case ObjectKind::tenant:
        case ObjectKind::project: return live(grant);
        case ObjectKind::repository:
            return object_.kind == ObjectKind::repository && glob_matches(grant.pattern, below_project(object_.name)) &&
                   live(grant);
        default: return object_.kind == grant.kind && partition_matches(grant.pattern, object_.name) && live(grant);
    }
}

bool Decision::is_platform_admin() const
{
    if (asker_.principal == nullptr) return false;
    const auto is_admin = [](const Right& right) { return right.role_id == role::platform_admin; };
    return visit_grants(tables_.platform_grants(), is_admin);
}

bool Decision::holds(Permission permission) const
{
    if (frozen() && !frozen_permissions().has(permission) && !is_platform_admin()) return false;
    return holds_once_thawed(permission);
}

bool Decision::holds_once_thawed(Permission permission) const
{
    if (!asker_.stands || !exists_) return false;
    if (open() && public_permissions().has(permission)) return true;
    return visit_rights([&](const Right& right) { return right.permissions.has(permission); });
}

PermissionSet Decision::permissions() const
{
    auto sum = granted();
    if (!asker_.stands || !exists_ || !open()) return sum;
    auto shown = public_permissions();
    if (frozen() && !is_platform_admin()) shown &= frozen_permissions();
    shown &= permissions_within(object_.kind);
    return sum |= shown;
}

PermissionSet Decision::granted() const
{
    PermissionSet sum;
    if (!asker_.stands || !exists_) return sum;
    visit_rights([&](const Right& right) {
        sum |= right.permissions;
        return false;
    });
    if (frozen() && !is_platform_admin()) sum &= frozen_permissions();
    sum &= permissions_within(object_.kind);
    return sum;
}

ActionSet Decision::actions(ActionSet wanted) const
{
    ActionSet sum = 0;
    if (!asker_.stands || !exists_) return sum;
    if (open()) sum |= actions_in(public_permissions());
    const auto found_all = [&] { return (sum & wanted) == wanted; };
    if (!found_all()) {
        visit_rights([&](const Right& right) {
            sum |= actions_in(right.permissions);
            return found_all();
        });
    }
    if (frozen() && !is_platform_admin()) sum &= actions_in(frozen_permissions());
    return sum;
}

bool Decision::has_repository_grant() const
{
    if (!asker_.stands || asker_.principal == nullptr || project_ == nullptr) return false;
    const auto given_to = [&](const SubjectKey& subject) {
        return std::ranges::any_of(
            std::ranges::equal_range(project_->grants, subject, {}, &GrantEntry::subject),
            [&](const GrantEntry& grant) { return grant.kind == ObjectKind::repository && live(grant); }
        );
    };
    return given_to({.kind = SubjectKind::principal, .id = asker_.principal->id}) ||
           std::ranges::any_of(asker_.principal->subjects, given_to);
}

PermissionSet left_by_limit(
    const Caller& caller, const Decision& decision, PermissionSet permissions, const ObjectRef& object
) noexcept
{
    if (!caller.limit) return permissions;
    auto left = caller.limit->permissions_on(object, decision.tenant_id());
    if (decision.open_to_all()) left |= public_permissions();
    permissions &= left;
    return permissions;
}

bool limit_leaves(
    const Caller& caller, const Decision& decision, Permission permission, const ObjectRef& object
) noexcept
{
    return !caller.limit || caller.limit->allows(permission, object, decision.tenant_id()) ||
           (decision.open_to_all() && public_permissions().has(permission));
}

}  // namespace entrepot

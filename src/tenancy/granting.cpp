#include "tenancy/granting.hpp"

#include "access/may_grant.hpp"
#include "access/permission_text.hpp"

#include <algorithm>

namespace entrepot {
namespace {

const Permission list_users = need(ObjectKind::platform, "user", "list");
const Permission list_platform_robots = need(ObjectKind::platform, "robot", "list");
const Permission list_tenant_robots = need(ObjectKind::tenant, "robot", "list");
const Permission list_project_robots = need(ObjectKind::project, "robot", "list");
const Permission read_tenant = need(ObjectKind::tenant, "tenant", "read");
const Permission read_team = need(ObjectKind::tenant, "team", "read");

std::unexpected<Error> no_such(SubjectType type)
{
    return fail(Errc::not_found, "there is no such " + std::string{name_of(type)});
}

std::unexpected<Error> not_held()
{
    return fail(Errc::denied, "nobody can give rights that they do not have themselves");
}

}  // namespace

ObjectRef administered_at(ObjectKind kind, std::int64_t object_id) noexcept
{
    switch (kind) {
        case ObjectKind::platform: return the_platform;
        case ObjectKind::project:
        case ObjectKind::repository: return {.kind = ObjectKind::project, .id = object_id, .name = {}};
        default: return {.kind = ObjectKind::tenant, .id = object_id, .name = {}};
    }
}

std::int64_t Granting::tenant_of(const ObjectRef& object) const
{
    const auto at = administered_at(object.kind, object.id);
    if (at.kind == ObjectKind::platform) return 0;
    if (at.kind == ObjectKind::tenant) return at.id;
    const auto project = policy_.project(at.id);
    return project ? project->tenant_id : 0;
}

bool Granting::may_know(const Caller& caller, const GrantSubject& subject) const
{
    const auto in_a_tenant_with = [&](Permission permission) {
        return std::ranges::any_of(subject.tenants, [&](std::int64_t id) {
            return policy_.may(caller, permission, {.kind = ObjectKind::tenant, .id = id, .name = {}});
        });
    };
    switch (subject.type) {
        case SubjectType::user:
        case SubjectType::workload:
            return subject.id == caller.identity->user_id || policy_.may(caller, list_users, the_platform) ||
                   in_a_tenant_with(read_tenant);
        case SubjectType::robot:
            if (subject.project_id != 0) {
                const ObjectRef project{.kind = ObjectKind::project, .id = subject.project_id, .name = {}};
                return policy_.may(caller, list_project_robots, project);
            }
            return policy_.may(caller, list_platform_robots, the_platform) || in_a_tenant_with(list_tenant_robots);
        case SubjectType::team: return in_a_tenant_with(read_team);
        case SubjectType::group: return true;  // names of an outside directory, which are no secret
    }
    return false;
}

Task<GrantSubject> Granting::any_subject(SubjectRef wanted, std::int64_t tenant_id)
{
    if (wanted.id != 0) co_return co_await grants_.find_subject(wanted.type, wanted.id);
    if (wanted.name.empty()) co_return fail(Errc::bad_request, "it takes an id or a name to say who");
    co_return co_await grants_.find_subject(wanted.type, std::move(wanted.name), tenant_id);
}

Task<GrantSubject> Granting::subject(Caller caller, SubjectRef wanted, std::int64_t tenant_id)
{
    const auto type = wanted.type;
    CO_TRY(auto found, co_await any_subject(std::move(wanted), tenant_id));
    if (!may_know(caller, found)) co_return no_such(type);
    co_return found;
}

Task<Role> Granting::role(RoleRef wanted)
{
    if (wanted.id == 0 && wanted.name.empty()) co_return fail(Errc::bad_request, "it takes a role");
    const auto is_wanted = [&](const Role& role) {
        return wanted.id != 0 ? role.id == wanted.id : role.name == wanted.name;
    };
    const auto builtin = builtin_roles();
    if (const auto found = std::ranges::find_if(builtin, is_wanted); found != builtin.end()) co_return *found;
    CO_TRY(const auto custom, co_await roles_.all());
    const auto found = std::ranges::find_if(custom, is_wanted);
    if (found == custom.end()) co_return fail(Errc::not_found, "there is no such role");
    co_return *found;
}

Result<> Granting::expect_holds(const Caller& caller, const Role& role, const ObjectRef& object) const
{
    auto counting = role.permissions;
    counting &= permissions_within(object.kind);
    if (counting.empty()) {
        return fail(
            Errc::bad_request, "the role " + role.name + " gives nothing on a " + std::string{name_of(object.kind)}
        );
    }
    if (!may_grant(policy_, caller, counting, object)) return not_held();
    return {};
}

Task<> Granting::expect_holds_all_of(Caller caller, SubjectType type, std::int64_t subject_id)
{
    CO_TRY(const auto held, co_await grants_.held_by(type, subject_id));
    const auto now = clock_.now();
    for (const auto& grant : held) {
        if (grant.expires_at != 0 && grant.expires_at <= now) continue;
        // Asked for the whole of a project or tenant, also where the grant is on a part of it.
        const ObjectRef object{
            .kind = grant.object_kind == ObjectKind::repository ? ObjectKind::project : grant.object_kind,
            .id = grant.object_id,
            .name = {},
        };
        const bool holds =
            grant.role_id == 0
                ? may_grant(policy_, caller, permissions_in(grant.permissions, grant.object_kind), object)
                : may_grant(policy_, caller, grant.role_id, object);
        if (!holds) co_return not_held();
    }
    co_return Result<>{};
}

Task<Grant> Granting::give(Caller caller, GrantSubject subject, NewGrant grant)
{
    grant.subject_type = subject.type;
    grant.subject_id = subject.id;
    const auto tenant = tenant_of({.kind = grant.object_kind, .id = grant.object_id, .name = {}});
    // Somebody known as a member is granted nothing once they have left.
    if (subject.type == SubjectType::user && std::ranges::count(subject.tenants, tenant) > 0) {
        grant.member_of = tenant;
    }
    CO_TRY(auto made, co_await grants_.create(std::move(grant), actor(caller)));
    CO_CHECK(co_await directory_.catch_up());
    co_return made;
}

Task<> Granting::take(Caller caller, std::int64_t grant_id)
{
    CO_CHECK(co_await grants_.remove(grant_id, actor(caller)));
    co_return co_await directory_.catch_up();
}

Task<Grant> Granting::set_role(Caller caller, std::int64_t grant_id, std::int64_t role_id)
{
    CO_TRY(auto changed, co_await grants_.set_role(grant_id, role_id, actor(caller)));
    CO_CHECK(co_await directory_.catch_up());
    co_return changed;
}

}  // namespace entrepot

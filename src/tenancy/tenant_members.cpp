#include "tenancy/tenant_members.hpp"

namespace entrepot {
namespace {

const Permission list_members = need(ObjectKind::tenant, "member", "list");
const Permission create_members = need(ObjectKind::tenant, "member", "create");
const Permission delete_members = need(ObjectKind::tenant, "member", "delete");
const Permission create_grants = need(ObjectKind::tenant, "grant", "create");

}  // namespace

Task<ListPage<TenantMember>> TenantMembers::list(Caller caller, std::int64_t tenant_id, ListQuery query)
{
    CO_CHECK(require(granting_.policy(), caller, list_members, tenant_ref(tenant_id)));
    co_return co_await catalog_.members(tenant_id, std::move(query));
}

Task<TenantMember> TenantMembers::find(Caller caller, std::int64_t tenant_id, std::int64_t user_id)
{
    CO_CHECK(require(granting_.policy(), caller, list_members, tenant_ref(tenant_id)));
    co_return co_await catalog_.member(tenant_id, user_id);
}

// The role's id, or 0 for none; that the caller may let people in is established here too.
Task<std::int64_t> TenantMembers::role_to_give(Caller caller, std::int64_t tenant_id, RoleRef wanted)
{
    const auto& policy = granting_.policy();
    CO_CHECK(require(policy, caller, create_members, tenant_ref(tenant_id)));
    CO_TRY(const auto everyone, co_await teams_.implicit(tenant_id));
    CO_CHECK(co_await granting_.expect_holds_all_of(caller, SubjectType::team, everyone.id));
    if (wanted.id == 0 && wanted.name.empty()) co_return 0;
    CO_CHECK(require(policy, caller, create_grants, tenant_ref(tenant_id)));
    CO_TRY(const auto role, co_await granting_.role(std::move(wanted)));
    CO_CHECK(granting_.expect_holds(caller, role, tenant_ref(tenant_id)));
    co_return role.id;
}

Task<TenantMember> TenantMembers::add(Caller caller, std::int64_t tenant_id, SubjectRef user, RoleRef role)
{
    CO_TRY(const auto role_id, co_await role_to_give(caller, tenant_id, std::move(role)));
    // Whoever may let people in may name anybody: that a name is known shows when it is let in.
    user.type = SubjectType::user;
    CO_TRY(const auto found, co_await granting_.any_subject(std::move(user), 0));
    CO_CHECK(co_await catalog_.add_member(tenant_id, found.id, role_id, granting_.actor(caller)));
    CO_CHECK(co_await granting_.directory().catch_up());
    co_return co_await catalog_.member(tenant_id, found.id);
}

Task<TenantMember> TenantMembers::create(Caller caller, std::int64_t tenant_id, NewTenantUser user, RoleRef role)
{
    CO_TRY(const auto role_id, co_await role_to_give(caller, tenant_id, std::move(role)));
    CO_TRY(const auto user_id, co_await maker_.make_member(caller, tenant_id, std::move(user)));
    if (role_id != 0) {
        GrantSubject subject{
            .type = SubjectType::user, .id = user_id, .name = {}, .tenants = {tenant_id}, .project_id = 0
        };
        NewGrant grant{
            .object_kind = ObjectKind::tenant,
            .object_id = tenant_id,
            .pattern = {},
            .role_id = role_id,
            .origin = "api"
        };
        CO_CHECK(co_await granting_.give(caller, std::move(subject), std::move(grant)));
    }
    CO_CHECK(co_await granting_.directory().catch_up());
    co_return co_await catalog_.member(tenant_id, user_id);
}

Task<TenantMember> TenantMembers::remove(Caller caller, std::int64_t tenant_id, std::int64_t user_id)
{
    CO_CHECK(require(granting_.policy(), caller, delete_members, tenant_ref(tenant_id)));
    CO_TRY(auto before, co_await catalog_.member(tenant_id, user_id));
    CO_CHECK(co_await catalog_.remove_member(tenant_id, user_id, granting_.actor(caller)));
    CO_CHECK(co_await granting_.directory().catch_up());
    co_return before;
}

}  // namespace entrepot

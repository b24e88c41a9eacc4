#include "tenancy/tenants.hpp"

#include "tenancy/team_templates.hpp"
#include "tenancy/tenancy_names.hpp"

namespace entrepot {
namespace {

const Permission create_tenants = need(ObjectKind::platform, "tenant", "create");
const Permission delete_tenants = need(ObjectKind::platform, "tenant", "delete");
const Permission allocate_quota = need(ObjectKind::platform, "quota", "update");
const Permission read_tenant = need(ObjectKind::tenant, "tenant", "read");
const Permission update_tenant = need(ObjectKind::tenant, "tenant", "update");
const Permission read_quota = need(ObjectKind::tenant, "quota", "read");

constexpr std::size_t most_admins = 100;

Result<> check_amounts(std::int64_t bytes, std::int64_t artifacts)
{
    if (bytes >= -1 && artifacts >= -1) return {};
    return fail(Errc::bad_request, "a quota is a number from 0 on, or -1 for none");
}

Result<> check(const TenantWish& wish)
{
    CHECK(check_tenant_name(wish.name));
    CHECK(check_shown_text("display_name", wish.display_name));
    CHECK(check_shown_text("description", wish.description));
    if (wish.admins.size() > most_admins) return fail(Errc::bad_request, "a tenant starts with at most 100 admins");
    return check_amounts(wish.quota_bytes, wish.quota_artifacts);
}

}  // namespace

Task<ListPage<Tenant>> Tenants::list(Caller caller, ListQuery query)
{
    co_return co_await catalog_.list(granting_.policy().tenants_with(caller, read_tenant), std::move(query));
}

Task<Tenant> Tenants::find(Caller caller, std::int64_t id)
{
    CO_CHECK(require(granting_.policy(), caller, read_tenant, tenant_ref(id)));
    co_return co_await catalog_.find(id);
}

Task<Tenant> Tenants::create(Caller caller, TenantWish wish)
{
    CO_CHECK(require(granting_.policy(), caller, create_tenants, the_platform));
    CO_CHECK(check(wish));
    NewTenant tenant{
        .name = wish.name,
        .display_name = wish.display_name.empty() ? wish.name : wish.display_name,
        .description = wish.description,
        .quota_bytes = wish.quota_bytes,
        .quota_artifacts = wish.quota_artifacts,
        .teams = wish.with_templates ? team_templates() : std::vector<NewTeam>{},
        .admins = {},
    };
    for (const auto& name : wish.admins) {
        SubjectRef wanted{.type = SubjectType::user, .id = 0, .name = name};
        CO_TRY(const auto admin, co_await granting_.any_subject(std::move(wanted), 0));
        tenant.admins.push_back(admin.id);
    }
    CO_TRY(auto made, co_await catalog_.create(std::move(tenant), granting_.actor(caller)));
    CO_CHECK(co_await granting_.directory().catch_up());
    co_return made;
}

Task<Tenants::Changed> Tenants::change(Caller caller, std::int64_t id, TenantChange change)
{
    const auto& policy = granting_.policy();
    CO_CHECK(require(policy, caller, read_tenant, tenant_ref(id)));
    if (change.frozen || change.is_protected) CO_CHECK(require(policy, caller, delete_tenants, the_platform));
    if (change.display_name) CO_CHECK(check_shown_text("display_name", *change.display_name));
    if (change.description) CO_CHECK(check_shown_text("description", *change.description));
    // Whoever may freeze a tenant may also say what it is called, even while it is frozen.
    if ((change.display_name || change.description) && !policy.may(caller, delete_tenants, the_platform)) {
        CO_CHECK(require(policy, caller, update_tenant, tenant_ref(id)));
    }
    CO_TRY(auto before, co_await catalog_.find(id));
    CO_TRY(auto after, co_await catalog_.change(id, std::move(change), granting_.actor(caller)));
    CO_CHECK(co_await granting_.directory().catch_up());
    co_return Changed{std::move(before), std::move(after)};
}

Task<Tenant> Tenants::remove(Caller caller, std::int64_t id)
{
    CO_CHECK(require(granting_.policy(), caller, read_tenant, tenant_ref(id)));
    CO_CHECK(require(granting_.policy(), caller, delete_tenants, the_platform));
    CO_TRY(auto before, co_await catalog_.find(id));
    CO_CHECK(co_await catalog_.remove(id, granting_.actor(caller)));
    CO_CHECK(co_await granting_.directory().catch_up());
    co_return before;
}

Task<TenantQuota> Tenants::quota(Caller caller, std::int64_t id)
{
    CO_CHECK(require(granting_.policy(), caller, read_quota, tenant_ref(id)));
    co_return co_await catalog_.quota(id);
}

Task<TenantQuota> Tenants::allocate(Caller caller, std::int64_t id, std::int64_t bytes, std::int64_t artifacts)
{
    CO_CHECK(require(granting_.policy(), caller, read_tenant, tenant_ref(id)));
    CO_CHECK(require(granting_.policy(), caller, allocate_quota, the_platform));
    CO_CHECK(check_amounts(bytes, artifacts));
    CO_TRY(const auto before, co_await catalog_.quota(id));
    CO_CHECK(co_await catalog_.allocate(id, bytes, artifacts, granting_.actor(caller)));
    co_return before;
}

}  // namespace entrepot

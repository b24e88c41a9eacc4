#include "tenancy/teams.hpp"

#include "tenancy/tenancy_names.hpp"

#include <algorithm>

namespace entrepot {
namespace {

const Permission list_teams = need(ObjectKind::tenant, "team", "list");
const Permission read_team = need(ObjectKind::tenant, "team", "read");
const Permission create_team = need(ObjectKind::tenant, "team", "create");
const Permission update_team = need(ObjectKind::tenant, "team", "update");
const Permission delete_team = need(ObjectKind::tenant, "team", "delete");

}  // namespace

Task<ListPage<Team>> Teams::list(Caller caller, std::int64_t tenant_id, ListQuery query)
{
    CO_CHECK(require(granting_.policy(), caller, list_teams, tenant_ref(tenant_id)));
    co_return co_await catalog_.list(tenant_id, std::move(query));
}

Task<Team> Teams::find(Caller caller, std::int64_t tenant_id, std::int64_t id)
{
    CO_CHECK(require(granting_.policy(), caller, read_team, tenant_ref(tenant_id)));
    co_return co_await catalog_.find(tenant_id, id);
}

Task<Team> Teams::create(Caller caller, std::int64_t tenant_id, std::string name, std::string description)
{
    CO_CHECK(require(granting_.policy(), caller, create_team, tenant_ref(tenant_id)));
    CO_CHECK(check_shown_name("name", name));
    CO_CHECK(check_shown_text("description", description));
    NewTeam team{.name = std::move(name), .description = std::move(description), .rights = {}};
    // Without grants and members it changes nobody's rights: the policy need not know it yet.
    co_return co_await catalog_.create(tenant_id, std::move(team), granting_.actor(caller));
}

Task<Teams::Changed> Teams::change(
    Caller caller,
    std::int64_t tenant_id,
    std::int64_t id,
    std::optional<std::string> name,
    std::optional<std::string> description
)
{
    CO_CHECK(require(granting_.policy(), caller, update_team, tenant_ref(tenant_id)));
    if (name) CO_CHECK(check_shown_name("name", *name));
    if (description) CO_CHECK(check_shown_text("description", *description));
    CO_TRY(auto before, co_await catalog_.find(tenant_id, id));
    CO_TRY(
        auto after,
        co_await catalog_.change(tenant_id, id, std::move(name), std::move(description), granting_.actor(caller))
    );
    co_return Changed{std::move(before), std::move(after)};
}

Task<Team> Teams::remove(Caller caller, std::int64_t tenant_id, std::int64_t id)
{
    CO_CHECK(require(granting_.policy(), caller, delete_team, tenant_ref(tenant_id)));
    CO_TRY(auto before, co_await catalog_.find(tenant_id, id));
    CO_CHECK(co_await catalog_.remove(tenant_id, id, granting_.actor(caller)));
    CO_CHECK(co_await granting_.directory().catch_up());
    co_return before;
}

Task<ListPage<TeamMember>> Teams::members(Caller caller, std::int64_t tenant_id, std::int64_t id, ListQuery query)
{
    CO_CHECK(require(granting_.policy(), caller, read_team, tenant_ref(tenant_id)));
    co_return co_await catalog_.members(tenant_id, id, std::move(query));
}

Task<GrantSubject> Teams::add_member(Caller caller, std::int64_t tenant_id, std::int64_t id, SubjectRef user)
{
    CO_CHECK(require(granting_.policy(), caller, update_team, tenant_ref(tenant_id)));
    CO_CHECK(co_await catalog_.find(tenant_id, id));
    CO_CHECK(co_await granting_.expect_holds_all_of(caller, SubjectType::team, id));
    user.type = SubjectType::user;
    auto found = co_await granting_.any_subject(std::move(user), 0);
    const bool missing = !found && found.error().code() == Errc::not_found;
    // One answer for both: members' admins don't learn who exists elsewhere.
    if (missing || (found && std::ranges::count(found->tenants, tenant_id) == 0)) {
        co_return fail(Errc::not_found, "the tenant has no such member");
    }
    CO_TRY(auto member, std::move(found));
    CO_CHECK(co_await catalog_.add_member(tenant_id, id, member.id, granting_.actor(caller)));
    CO_CHECK(co_await granting_.directory().catch_up());
    co_return member;
}

Task<> Teams::remove_member(Caller caller, std::int64_t tenant_id, std::int64_t id, std::int64_t user_id)
{
    CO_CHECK(require(granting_.policy(), caller, update_team, tenant_ref(tenant_id)));
    CO_CHECK(co_await catalog_.remove_member(tenant_id, id, user_id, granting_.actor(caller)));
    co_return co_await granting_.directory().catch_up();
}

}  // namespace entrepot

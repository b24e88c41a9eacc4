#pragma once

#include "tests/contract/metadata_store_contract.hpp"

#include <algorithm>
#include <atomic>

namespace entrepot::contract {

inline std::int64_t new_user(MetadataStore& store, const std::string& name)
{
    Account account;
    account.name = name;
    account.created_at = 5;
    const auto made = run(store.accounts().create(account));
    EXPECT_TRUE(made) << (made ? "" : made.error().detail());
    return made ? made->id : 0;
}

inline Tenant new_tenant(MetadataStore& store, const std::string& name, std::vector<NewTeam> teams = {})
{
    NewTenant tenant;
    tenant.name = name;
    tenant.display_name = name;
    tenant.teams = std::move(teams);
    const auto made = run(store.tenants().create(std::move(tenant), {1, 100}));
    EXPECT_TRUE(made) << (made ? "" : made.error().detail());
    return made.value_or(Tenant{});
}

inline NewGrant project_grant(std::int64_t user_id, std::int64_t project_id, std::int64_t role_id)
{
    NewGrant grant;
    grant.subject_id = user_id;
    grant.object_kind = ObjectKind::project;
    grant.object_id = project_id;
    grant.role_id = role_id;
    grant.origin = "api";
    return grant;
}

inline NewGrant tenant_grant(std::int64_t user_id, std::int64_t tenant_id, std::int64_t role_id)
{
    auto grant = project_grant(user_id, tenant_id, role_id);
    grant.object_kind = ObjectKind::tenant;
    return grant;
}

inline ListQuery everything()
{
    ListQuery query;
    query.limit = 100;
    return query;
}

// What the policies of other instances would be told after `version`.
inline AccessChanges changes_after(MetadataStore& store, std::int64_t version)
{
    const auto changes = run(store.access().changes_since(version));
    EXPECT_TRUE(changes);
    return changes.value_or(AccessChanges{});
}

inline bool tells_principal(const AccessChanges& changes, std::int64_t id)
{
    return std::ranges::count(changes.principals, id, &PrincipalAccess::id) == 1;
}
inline bool tells_project(const AccessChanges& changes, std::int64_t id)
{
    return std::ranges::count(changes.projects, id, &ProjectAccess::id) == 1;
}
inline bool tells_tenant(const AccessChanges& changes, std::int64_t id)
{
    return std::ranges::count(changes.tenants, id, &TenantAccess::id) == 1;
}

TEST_P(MetadataStoreContract, makes_a_tenant_with_its_teams_their_rights_and_its_admins_at_once)
{
    const auto admin = new_user(store(), "ada");
    const auto before = changes_after(store(), 0).version;
    NewTenant wanted;
    wanted.name = "acme";
    wanted.display_name = "Acme";
    wanted.quota_bytes = 1000;
    wanted.teams = {{.name = "SREs", .description = "d", .rights = {{"pipeline", role::basic_owner, ""}}}};
    wanted.admins = {admin};
    const auto made = run(store().tenants().create(wanted, {1, 100}));
    ASSERT_TRUE(made) << made.error().message() << made.error().detail();
    EXPECT_EQ(made->display_name, "Acme");
    EXPECT_EQ(made->quota_bytes, 1000);
    EXPECT_EQ(made->quota_artifacts, -1);
    EXPECT_EQ(made->member_count, 1);
    EXPECT_EQ(made->project_count, 0);

    const auto teams = run(store().teams().list(made->id, everything()));
    ASSERT_EQ(teams->total, 2);
    EXPECT_EQ(teams->items[0].name, "SREs");
    EXPECT_TRUE(teams->items[1].implicit);
    EXPECT_EQ(teams->items[1].member_count, 1);
    const auto held = run(store().grants().held_by(SubjectType::team, teams->items[0].id));
    ASSERT_EQ(held->size(), 1U);
    EXPECT_EQ(held->front().object_kind, ObjectKind::pipeline);
    EXPECT_EQ(held->front().object_id, made->id);
    EXPECT_EQ(held->front().role_name, "basic-owner");
    EXPECT_EQ(held->front().origin, "template");
    const auto member = run(store().tenants().member(made->id, admin));
    ASSERT_TRUE(member);
    EXPECT_EQ(member->roles, std::vector<std::int64_t>{role::tenant_admin});

    const auto changes = changes_after(store(), before);
    EXPECT_TRUE(tells_tenant(changes, made->id));
    EXPECT_TRUE(tells_principal(changes, admin));
    EXPECT_FAILS(Errc::conflict, run(store().tenants().create(wanted, {1, 100})));
}

TEST_P(MetadataStoreContract, a_tenant_whose_admin_does_not_exist_is_not_made)
{
    NewTenant wanted;
    wanted.name = "acme";
    wanted.admins = {4711};
    EXPECT_FAILS(Errc::not_found, run(store().tenants().create(wanted, {1, 100})));
    EXPECT_EQ(host().number("SELECT count(*) FROM tenants"), 1);
    EXPECT_EQ(host().number("SELECT count(*) FROM teams"), 1);
}

TEST_P(MetadataStoreContract, lists_tenants_filtered_sorted_and_only_those_asked_for)
{
    const auto b = new_tenant(store(), "beta");
    const auto a = new_tenant(store(), "alpha");
    auto page = run(store().tenants().list(std::nullopt, everything()));
    ASSERT_EQ(page->total, 3);
    EXPECT_EQ(page->items[0].name, "alpha");
    EXPECT_EQ(page->items[2].name, "default");
    page = run(store().tenants().list(std::vector{b.id}, everything()));
    ASSERT_EQ(page->total, 1);
    EXPECT_EQ(page->items[0].id, b.id);
    EXPECT_EQ(run(store().tenants().list(std::vector<std::int64_t>{}, everything()))->total, 0);
    auto query = everything();
    query.conditions.push_back({"name", ListCondition::Kind::fuzzy, {"A%"}});
    EXPECT_EQ(run(store().tenants().list(std::nullopt, query))->total, 0) << "% is no wildcard";
    query.conditions[0].values = {"ALPH"};
    EXPECT_EQ(run(store().tenants().list(std::nullopt, query))->items.at(0).id, a.id);
    query.order.push_back({"quota_bytes; DROP TABLE tenants", false});
    EXPECT_FAILS(Errc::bad_request, run(store().tenants().list(std::nullopt, query)));
}

TEST_P(MetadataStoreContract, changes_of_a_tenant_leave_alone_what_they_do_not_name)
{
    const auto tenant = new_tenant(store(), "acme");
    const auto before = changes_after(store(), 0).version;
    TenantChange change;
    change.frozen = true;
    EXPECT_SUCCEEDS(run(store().tenants().change(tenant.id, change, {1, 200})));
    const auto changes = changes_after(store(), before);
    ASSERT_TRUE(tells_tenant(changes, tenant.id));
    EXPECT_TRUE(changes.tenants.front().frozen);
    change = {};
    change.display_name = "New";
    EXPECT_SUCCEEDS(run(store().tenants().change(tenant.id, change, {1, 300})));
    const auto now = run(store().tenants().find(tenant.id));
    EXPECT_TRUE(now->frozen);
    EXPECT_EQ(now->display_name, "New");
    EXPECT_EQ(now->updated_at, 300);
    EXPECT_FAILS(Errc::not_found, run(store().tenants().change(tenant.id + 1, change, {1, 300})));
}

TEST_P(MetadataStoreContract, a_tenant_goes_only_empty_and_unprotected_and_takes_all_that_was_in_it_along)
{
    EXPECT_FAILS(Errc::precondition_failed, run(store().tenants().remove(default_tenant_id, someone)));
    const auto user = new_user(store(), "ada");
    const auto tenant = new_tenant(store(), "acme", {{.name = "t", .description = "", .rights = {{"tenant", 2, ""}}}});
    EXPECT_SUCCEEDS(run(store().tenants().add_member(tenant.id, user, role::tenant_admin, someone)));
    TenantChange change;
    change.is_protected = true;
    EXPECT_SUCCEEDS(run(store().tenants().change(tenant.id, change, someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(store().tenants().remove(tenant.id, someone)));
    change.is_protected = false;
    EXPECT_SUCCEEDS(run(store().tenants().change(tenant.id, change, someone)));
    const auto before = changes_after(store(), 0).version;
    EXPECT_SUCCEEDS(run(store().tenants().remove(tenant.id, someone)));
    EXPECT_FAILS(Errc::not_found, run(store().tenants().find(tenant.id)));
    EXPECT_EQ(host().number("SELECT count(*) FROM grants WHERE object_kind <> 'project'"), 0);
    EXPECT_EQ(host().number("SELECT count(*) FROM teams"), 1);
    const auto changes = changes_after(store(), before);
    EXPECT_EQ(changes.removed_tenants, std::vector{tenant.id});
    EXPECT_TRUE(tells_principal(changes, user));
    EXPECT_FAILS(Errc::not_found, run(store().tenants().remove(tenant.id, someone)));
}

TEST_P(MetadataStoreContract, a_tenant_is_not_allocated_less_than_its_projects_were_given)
{
    EXPECT_EQ(
        host().number("UPDATE projects SET quota_bytes = 600, quota_artifacts = 5 WHERE name = 'p' RETURNING 1"), 1
    );
    EXPECT_SUCCEEDS(run(store().tenants().allocate(default_tenant_id, 600, -1, someone)));
    const auto refused = run(store().tenants().allocate(default_tenant_id, 599, -1, someone));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::unprocessable);
    EXPECT_NE(refused.error().message().find("p (600)"), std::string::npos) << refused.error().message();
    EXPECT_FAILS(Errc::unprocessable, run(store().tenants().allocate(default_tenant_id, 600, 4, someone)));
    const auto quota = run(store().tenants().quota(default_tenant_id));
    EXPECT_EQ(quota->quota_bytes, 600);
    EXPECT_EQ(quota->quota_artifacts, -1);
    EXPECT_EQ(quota->allocated_bytes, 600);
    EXPECT_EQ(quota->allocated_artifacts, 5);
    EXPECT_FAILS(Errc::not_found, run(store().tenants().allocate(4711, 1, 1, someone)));
}

TEST_P(MetadataStoreContract, who_leaves_a_tenant_leaves_its_teams_and_loses_what_was_granted_there)
{
    const auto user = new_user(store(), "ada");
    const auto tenant = new_tenant(store(), "acme");
    EXPECT_SUCCEEDS(run(store().tenants().add_member(tenant.id, user, 0, someone)));
    EXPECT_FAILS(Errc::conflict, run(store().tenants().add_member(tenant.id, user, 0, someone)));
    EXPECT_FAILS(Errc::not_found, run(store().tenants().add_member(tenant.id, 4711, 0, someone)));
    const auto team = run(store().teams().create(tenant.id, {"ops", "", {}}, someone));
    EXPECT_SUCCEEDS(run(store().teams().add_member(tenant.id, team->id, user, someone)));
    const auto other = run(store().projects().find(project("p")));
    EXPECT_SUCCEEDS(run(store().grants().create(tenant_grant(user, tenant.id, role::developer), someone)));
    auto load_balancer = tenant_grant(user, tenant.id, role::basic_owner);
    load_balancer.object_kind = ObjectKind::load_balancer;
    EXPECT_SUCCEEDS(run(store().grants().create(load_balancer, someone)));
    EXPECT_SUCCEEDS(run(store().grants().create(project_grant(user, other->id, role::guest), someone)));
    const auto before = changes_after(store(), 0).version;

    EXPECT_SUCCEEDS(run(store().tenants().remove_member(tenant.id, user, someone)));
    const auto left = run(store().grants().held_by(SubjectType::user, user));
    ASSERT_EQ(left->size(), 1U) << "what is elsewhere stays";
    EXPECT_EQ(left->front().object_name, "p");
    EXPECT_EQ(run(store().teams().members(tenant.id, team->id, everything()))->total, 0);
    const auto changes = changes_after(store(), before);
    EXPECT_TRUE(tells_principal(changes, user));
    EXPECT_TRUE(tells_tenant(changes, tenant.id));
    EXPECT_FAILS(Errc::not_found, run(store().tenants().remove_member(tenant.id, user, someone)));

    EXPECT_SUCCEEDS(run(store().tenants().remove_member(default_tenant_id, user, someone)));
    EXPECT_TRUE(run(store().grants().held_by(SubjectType::user, user))->empty()) << "the project is the tenant's";
}

TEST_P(MetadataStoreContract, teams_belong_to_one_tenant_and_hold_members_of_it_only)
{
    const auto user = new_user(store(), "ada");
    const auto tenant = new_tenant(store(), "acme");
    const auto other = new_tenant(store(), "other");
    const auto team = run(store().teams().create(tenant.id, {"ops", "", {}}, someone));
    ASSERT_TRUE(team);
    EXPECT_FAILS(Errc::conflict, run(store().teams().create(tenant.id, {"ops", "", {}}, someone)));
    EXPECT_SUCCEEDS(run(store().teams().create(other.id, {"ops", "", {}}, someone)));
    EXPECT_FAILS(Errc::not_found, run(store().teams().create(4711, {"ops", "", {}}, someone)));
    EXPECT_FAILS(Errc::not_found, run(store().teams().find(other.id, team->id)));
    EXPECT_FAILS(Errc::not_found, run(store().teams().remove(other.id, team->id, someone)));
    EXPECT_FAILS(Errc::not_found, run(store().teams().add_member(tenant.id, team->id, user, someone)));
    EXPECT_SUCCEEDS(run(store().tenants().add_member(tenant.id, user, 0, someone)));
    const auto before = changes_after(store(), 0).version;
    EXPECT_SUCCEEDS(run(store().teams().add_member(tenant.id, team->id, user, someone)));
    EXPECT_TRUE(tells_principal(changes_after(store(), before), user));
    EXPECT_FAILS(Errc::conflict, run(store().teams().add_member(tenant.id, team->id, user, someone)));
    EXPECT_EQ(run(store().teams().members(tenant.id, team->id, everything()))->items.at(0).name, "ada");
    EXPECT_SUCCEEDS(run(store().teams().remove_member(tenant.id, team->id, user, someone)));
    EXPECT_FAILS(Errc::not_found, run(store().teams().remove_member(tenant.id, team->id, user, someone)));
}

TEST_P(MetadataStoreContract, the_team_of_all_members_can_not_be_edited)
{
    const auto user = new_user(store(), "ada");
    const auto everyone = run(store().teams().implicit(default_tenant_id));
    ASSERT_TRUE(everyone);
    EXPECT_EQ(everyone->name, implicit_team);
    EXPECT_EQ(run(store().teams().members(default_tenant_id, everyone->id, everything()))->items.at(0).user_id, user);
    auto& teams = store().teams();
    EXPECT_FAILS(Errc::precondition_failed, run(teams.remove(default_tenant_id, everyone->id, someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(teams.add_member(default_tenant_id, everyone->id, user, someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(teams.remove_member(default_tenant_id, everyone->id, user, someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(teams.change(default_tenant_id, everyone->id, "all", {}, someone)));
    EXPECT_SUCCEEDS(run(teams.change(default_tenant_id, everyone->id, {}, "ours", someone)));
}

TEST_P(MetadataStoreContract, a_team_takes_its_grants_along_when_it_goes)
{
    const auto user = new_user(store(), "ada");
    const auto team = run(store().teams().create(default_tenant_id, {"ops", "", {}}, someone));
    EXPECT_SUCCEEDS(run(store().teams().add_member(default_tenant_id, team->id, user, someone)));
    const auto id = run(store().projects().find(project("p")))->id;
    auto grant = project_grant(team->id, id, role::developer);
    grant.subject_type = SubjectType::team;
    EXPECT_SUCCEEDS(run(store().grants().create(grant, someone)));
    const auto before = changes_after(store(), 0).version;
    EXPECT_SUCCEEDS(run(store().teams().remove(default_tenant_id, team->id, someone)));
    EXPECT_EQ(host().number("SELECT count(*) FROM grants WHERE subject_kind = 'team'"), 0);
    const auto changes = changes_after(store(), before);
    EXPECT_TRUE(tells_project(changes, id));
    EXPECT_TRUE(tells_principal(changes, user));
}

}  // namespace entrepot::contract

#pragma once

#include "tests/contract/metadata_store_contract.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"

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

TEST_P(MetadataStoreContract, a_grant_is_kept_with_the_names_of_its_ends)
{
    const auto user = new_user(store(), "ada");
    const auto id = run(store().projects().find(project("p")))->id;
    auto wanted = project_grant(user, id, role::maintainer);
    wanted.object_kind = ObjectKind::repository;
    wanted.pattern = "team/**";
    wanted.expires_at = 9000;
    const auto before = changes_after(store(), 0).version;
    const auto made = run(store().grants().create(wanted, {1, 2000}));
    ASSERT_TRUE(made) << made.error().message() << made.error().detail();
    EXPECT_EQ(made->subject_name, "ada");
    EXPECT_EQ(made->object_name, "p");
    EXPECT_EQ(made->tenant_id, default_tenant_id);
    EXPECT_EQ(made->role_name, "maintainer");
    EXPECT_EQ(made->pattern, "team/**");
    EXPECT_EQ(made->expires_at, 9000);
    EXPECT_TRUE(tells_project(changes_after(store(), before), id));
    EXPECT_FAILS(Errc::conflict, run(store().grants().create(wanted, {1, 2000})));
    wanted.pattern = "other/*";
    EXPECT_SUCCEEDS(run(store().grants().create(wanted, {1, 2000})));
    EXPECT_SUCCEEDS(run(store().grants().remove(made->id, someone)));
    EXPECT_FAILS(Errc::not_found, run(store().grants().find(made->id)));
    EXPECT_FAILS(Errc::not_found, run(store().grants().remove(made->id, someone)));
}

TEST_P(MetadataStoreContract, a_grant_needs_both_ends_and_a_role)
{
    const auto user = new_user(store(), "ada");
    const auto id = run(store().projects().find(project("p")))->id;
    auto& grants = store().grants();
    EXPECT_FAILS(Errc::not_found, run(grants.create(project_grant(user + 99, id, role::guest), someone)));
    EXPECT_FAILS(Errc::not_found, run(grants.create(project_grant(user, id + 99, role::guest), someone)));
    EXPECT_FAILS(Errc::not_found, run(grants.create(tenant_grant(user, 4711, role::guest), someone)));
    EXPECT_FAILS(Errc::not_found, run(grants.create(project_grant(user, id, role::first_custom), someone)));
    auto robot = project_grant(user, id, role::guest);
    robot.subject_type = SubjectType::robot;
    EXPECT_FAILS(Errc::not_found, run(grants.create(robot, someone)));
    auto member = tenant_grant(user, new_tenant(store(), "acme").id, role::guest);
    member.member_of = member.object_id;
    EXPECT_FAILS(Errc::not_found, run(grants.create(member, someone)));
    EXPECT_EQ(host().number("SELECT count(*) FROM grants WHERE origin = 'api'"), 0);
}

TEST_P(MetadataStoreContract, an_expired_grant_makes_room_for_a_new_one_and_goes_when_it_is_old)
{
    const auto user = new_user(store(), "ada");
    const auto id = run(store().projects().find(project("p")))->id;
    auto wanted = project_grant(user, id, role::guest);
    wanted.expires_at = 1000;
    const auto first = run(store().grants().create(wanted, {1, 10}));
    EXPECT_FAILS(Errc::conflict, run(store().grants().create(wanted, {1, 999})));
    wanted.expires_at = 5000;
    const auto second = run(store().grants().create(wanted, {1, 1000}));
    ASSERT_TRUE(second);
    EXPECT_NE(second->id, first->id);
    EXPECT_EQ(run(store().grants().remove_expired(5000)).value(), 0);
    const auto before = changes_after(store(), 0).version;
    EXPECT_EQ(run(store().grants().remove_expired(5001)).value(), 1);
    EXPECT_TRUE(tells_project(changes_after(store(), before), id));
    EXPECT_EQ(run(store().grants().remove_expired(5001)).value(), 0);
}

TEST_P(MetadataStoreContract, the_members_of_a_project_are_its_plain_grants_of_harbors_roles)
{
    const auto ada = new_user(store(), "ada");
    const auto bob = new_user(store(), "bob");
    const auto id = run(store().projects().find(project("p")))->id;
    auto& grants = store().grants();
    auto member = project_grant(ada, id, role::developer);
    member.only_project_role = true;
    const auto made = run(grants.create(member, {1, 100}));
    ASSERT_TRUE(made);
    member.role_id = role::guest;
    EXPECT_FAILS(Errc::conflict, run(grants.create(member, {1, 100})));
    auto part = project_grant(bob, id, role::guest);
    part.object_kind = ObjectKind::repository;
    part.pattern = "x";
    EXPECT_SUCCEEDS(run(grants.create(part, {1, 100})));
    EXPECT_SUCCEEDS(run(grants.create(project_grant(bob, id, role::basic_user), {1, 100})));
    auto brief = project_grant(bob, id, role::guest);
    brief.expires_at = 500;
    EXPECT_SUCCEEDS(run(grants.create(brief, {1, 100})));
    EXPECT_EQ(run(grants.project_members(id, "", 499, 0, 10))->total, 2);
    auto page = run(grants.project_members(id, "", 500, 0, 10));
    ASSERT_EQ(page->total, 1);
    EXPECT_EQ(page->items[0].id, made->id);
    EXPECT_EQ(run(grants.project_members(id, "AD", 500, 0, 10))->total, 1);
    EXPECT_EQ(run(grants.project_members(id, "x", 500, 0, 10))->total, 0);

    const auto changed = run(grants.set_role(made->id, role::maintainer, someone));
    ASSERT_TRUE(changed);
    EXPECT_EQ(changed->id, made->id);
    EXPECT_EQ(changed->role_name, "maintainer");
    EXPECT_SUCCEEDS(run(grants.create(project_grant(ada, id, role::guest), {1, 100})));
    EXPECT_FAILS(Errc::conflict, run(grants.set_role(made->id, role::guest, someone)));
    EXPECT_FAILS(Errc::not_found, run(grants.set_role(4711, role::guest, someone)));
}

TEST_P(MetadataStoreContract, grants_are_listed_within_the_reach_of_who_asks)
{
    const auto user = new_user(store(), "ada");
    const auto tenant = new_tenant(store(), "acme");
    const auto id = run(store().projects().find(project("p")))->id;
    EXPECT_SUCCEEDS(run(store().grants().create(tenant_grant(user, tenant.id, role::developer), someone)));
    EXPECT_SUCCEEDS(run(store().grants().create(project_grant(user, id, role::developer), someone)));
    NewGrant platform;
    platform.subject_id = user;
    platform.role_id = role::platform_auditor;
    platform.origin = "api";
    EXPECT_SUCCEEDS(run(store().grants().create(platform, someone)));
    auto query = everything();
    query.conditions.push_back({"subject", ListCondition::Kind::equal, {"ada"}});
    const auto total = [&](GrantReach reach) { return run(store().grants().list(std::move(reach), query))->total; };
    EXPECT_EQ(total({.everything = true, .tenants = {}, .projects = {}}), 3);
    EXPECT_EQ(total({}), 0);
    EXPECT_EQ(total({.everything = false, .tenants = {tenant.id}, .projects = {}}), 1);
    EXPECT_EQ(total({.everything = false, .tenants = {default_tenant_id}, .projects = {}}), 1);
    EXPECT_EQ(total({.everything = false, .tenants = {}, .projects = {id}}), 1);
    EXPECT_EQ(total({.everything = false, .tenants = {tenant.id, 77, 78}, .projects = {id}}), 2);
    query.conditions.push_back({"object_kind", ListCondition::Kind::equal, {"tenant"}});
    EXPECT_EQ(total({.everything = true, .tenants = {}, .projects = {}}), 1);
}

TEST_P(MetadataStoreContract, a_custom_role_is_kept_until_nobody_holds_it)
{
    const auto user = new_user(store(), "ada");
    Role wanted;
    wanted.name = "puller";
    wanted.description = "d";
    wanted.permissions.add(find_permission(ObjectKind::project, "repository", "pull").value());
    const auto before = changes_after(store(), 0).version;
    const auto made = run(store().roles().create(wanted, someone));
    ASSERT_TRUE(made);
    EXPECT_GE(made->id, role::first_custom);
    EXPECT_TRUE(changes_after(store(), before).custom_roles.has_value());
    EXPECT_FAILS(Errc::conflict, run(store().roles().create(wanted, someone)));
    auto changed = *made;
    changed.permissions.add(find_permission(ObjectKind::tenant, "team", "read").value());
    EXPECT_SUCCEEDS(run(store().roles().change(changed, someone)));
    const auto all = run(store().roles().all());
    ASSERT_EQ(all->size(), 1U);
    EXPECT_EQ(all->front().permissions, changed.permissions);
    const auto grant = run(store().grants().create(tenant_grant(user, default_tenant_id, made->id), someone));
    ASSERT_TRUE(grant);
    EXPECT_EQ(grant->role_name, "puller");
    EXPECT_FAILS(Errc::precondition_failed, run(store().roles().remove(made->id, someone)));
    EXPECT_SUCCEEDS(run(store().grants().remove(grant->id, someone)));
    EXPECT_SUCCEEDS(run(store().roles().remove(made->id, someone)));
    EXPECT_FAILS(Errc::not_found, run(store().roles().remove(made->id, someone)));
    EXPECT_FAILS(Errc::not_found, run(store().roles().change(changed, someone)));
}

TEST_P(MetadataStoreContract, external_groups_are_known_by_name_or_by_dn)
{
    auto& groups = store().groups();
    const ExternalGroup oidc{.id = 0, .name = "sre", .type = GroupType::oidc, .ldap_dn = {}};
    const auto made = run(groups.create(oidc, someone));
    ASSERT_TRUE(made);
    EXPECT_FAILS(Errc::conflict, run(groups.create(oidc, someone)));
    EXPECT_EQ(run(groups.find_or_create(oidc, someone))->id, made->id);
    const ExternalGroup ldap{.id = 0, .name = "sre", .type = GroupType::ldap, .ldap_dn = "cn=sre,dc=x"};
    const auto second = run(groups.find_or_create(ldap, someone));
    ASSERT_TRUE(second);
    EXPECT_NE(second->id, made->id);
    auto renamed = ldap;
    renamed.name = "other name, same group";
    EXPECT_EQ(run(groups.find_or_create(renamed, someone))->id, second->id);
    const auto subject = run(store().grants().find_subject(SubjectType::group, second->id));
    EXPECT_EQ(subject->name, "sre");
    auto grant = project_grant(made->id, run(store().projects().find(project("p")))->id, role::guest);
    grant.subject_type = SubjectType::group;
    EXPECT_SUCCEEDS(run(store().grants().create(grant, someone)));
    EXPECT_SUCCEEDS(run(groups.rename(made->id, "ops", someone)));
    EXPECT_EQ(run(groups.find(made->id))->name, "ops");
    EXPECT_SUCCEEDS(run(groups.remove(made->id, someone)));
    EXPECT_EQ(host().number("SELECT count(*) FROM grants WHERE subject_kind = 'group'"), 0);
    EXPECT_FAILS(Errc::not_found, run(groups.remove(made->id, someone)));
    EXPECT_EQ(run(groups.list(everything()))->total, 1);
}

TEST_P(MetadataStoreContract, subjects_are_found_with_the_tenants_they_are_known_in)
{
    const auto user = new_user(store(), "ada");
    const auto tenant = new_tenant(store(), "acme");
    EXPECT_SUCCEEDS(run(store().tenants().add_member(tenant.id, user, 0, someone)));
    const auto found = run(store().grants().find_subject(SubjectType::user, "ada", 0));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, user);
    EXPECT_EQ(found->tenants, (std::vector<std::int64_t>{default_tenant_id, tenant.id}));
    EXPECT_FAILS(Errc::not_found, run(store().grants().find_subject(SubjectType::robot, "ada", 0)));
    EXPECT_FAILS(Errc::not_found, run(store().grants().find_subject(SubjectType::user, "bob", 0)));
    const auto team = run(store().grants().find_subject(SubjectType::team, implicit_team, tenant.id));
    ASSERT_TRUE(team);
    EXPECT_EQ(team->tenants, std::vector{tenant.id});
    EXPECT_FAILS(Errc::not_found, run(store().grants().find_subject(SubjectType::team, implicit_team, 4711)));
}

TEST_P(MetadataStoreContract, the_last_platform_admin_stays_one)
{
    const auto admin_grant = [&](std::int64_t user) {
        NewGrant grant;
        grant.subject_id = user;
        grant.role_id = role::platform_admin;
        grant.origin = "api";
        const auto made = run(store().grants().create(grant, someone));
        EXPECT_TRUE(made);
        return made.value_or(Grant{}).id;
    };
    const auto first = admin_grant(new_user(store(), "ada"));
    EXPECT_FAILS(Errc::precondition_failed, run(store().grants().remove(first, someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(store().grants().set_role(first, role::platform_auditor, someone)));
    for (int round = 0; round < 10; ++round) {
        const auto user = new_user(store(), "u" + std::to_string(round));
        const auto second = admin_grant(user);
        Crowd crowd;
        for (const auto id : {first, second}) crowd.add([&, id] { (void)run(store().grants().remove(id, someone)); });
        crowd.join();
        ASSERT_EQ(host().number("SELECT count(*) FROM grants WHERE role_id = 6"), 1);
        if (!run(store().grants().find(first))) break;
    }
}

TEST_P(MetadataStoreContract, of_the_same_grant_made_many_times_at_once_one_is_made)
{
    const auto user = new_user(store(), "ada");
    const auto id = run(store().projects().find(project("p")))->id;
    std::atomic<int> made = 0;
    std::atomic<int> conflicts = 0;
    for (int round = 0; round < 10; ++round) {
        Crowd crowd;
        for (int i = 0; i < 4; ++i) {
            crowd.add([&, round] {
                auto grant = project_grant(user, id, role::guest);
                grant.object_kind = ObjectKind::repository;
                grant.pattern = "r" + std::to_string(round);
                const auto done = run(store().grants().create(grant, someone));
                if (done) ++made;
                if (!done && done.error().code() == Errc::conflict) ++conflicts;
            });
        }
        crowd.join();
    }
    EXPECT_EQ(made, 10);
    EXPECT_EQ(conflicts, 30);
}

TEST_P(MetadataStoreContract, who_is_removed_while_being_granted_something_keeps_nothing)
{
    const auto tenant = new_tenant(store(), "acme");
    const auto team = run(store().teams().create(tenant.id, {"ops", "", {}}, someone));
    for (int round = 0; round < 20; ++round) {
        const auto user = new_user(store(), "u" + std::to_string(round));
        ASSERT_TRUE(run(store().tenants().add_member(tenant.id, user, 0, someone)));
        Crowd crowd;
        crowd.add([&] { EXPECT_TRUE(run(store().tenants().remove_member(tenant.id, user, someone))); });
        crowd.add([&] {
            auto grant = tenant_grant(user, tenant.id, role::developer);
            grant.member_of = tenant.id;
            (void)run(store().grants().create(grant, someone));
        });
        crowd.add([&] { (void)run(store().teams().add_member(tenant.id, team->id, user, someone)); });
    }
    EXPECT_EQ(host().number("SELECT count(*) FROM grants WHERE object_kind = 'tenant'"), 0);
    EXPECT_EQ(host().number("SELECT count(*) FROM team_members"), 0);
}

TEST_P(MetadataStoreContract, a_role_that_is_deleted_while_it_is_granted_is_either_gone_or_held)
{
    const auto user = new_user(store(), "ada");
    for (int round = 0; round < 10; ++round) {
        Role wanted;
        wanted.name = "r" + std::to_string(round);
        wanted.permissions.add(find_permission(ObjectKind::tenant, "team", "read").value());
        const auto role = run(store().roles().create(wanted, someone));
        ASSERT_TRUE(role);
        Crowd crowd;
        crowd.add([&] { (void)run(store().roles().remove(role->id, someone)); });
        crowd.add([&] { (void)run(store().grants().create(tenant_grant(user, default_tenant_id, role->id), someone)); }
        );
    }
    EXPECT_EQ(
        host().number("SELECT count(*) FROM grants g LEFT JOIN roles r ON r.id = g.role_id "
                      "WHERE g.role_id >= 1000 AND r.id IS NULL"),
        0
    );
}

}  // namespace entrepot::contract

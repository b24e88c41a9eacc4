#pragma once

#include "tests/contract/metadata_store_contract.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"
#include "tests/contract/metadata_store_contract_tenancy.hpp"

#include <atomic>

namespace entrepot::contract {

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

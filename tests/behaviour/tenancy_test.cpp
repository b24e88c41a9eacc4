// The verbs of tenancy against a real SQLite catalog and the policy that follows it: who may do what to tenants, teams,
// members, grants and roles, and that every change counts as soon as it is acknowledged.
#include "tests/support/tenancy_fixture.hpp"

namespace entrepot {
namespace {

using Tenancy = TenancyFixture;

TEST_F(Tenancy, a_tenants_admin_needs_nobody_for_what_is_inside)
{
    const auto ada = person("ada");
    const auto acme = tenant_with_admin("acme", ada);
    const auto project = project_in(acme, "apps");
    const auto bob = person("bob");
    EXPECT_DONE(run(members.add(ada, acme, {.name = "bob"}, {})));
    const auto team = run(teams.create(ada, acme, "ops", ""));
    ASSERT_TRUE(team);
    EXPECT_DONE(run(teams.add_member(ada, acme, team->id, {.name = "bob"})));
    EXPECT_FALSE(may(bob, ObjectKind::project, project, "repository", "push"));
    auto wanted = wish("ops", ObjectKind::project, project, role::developer);
    wanted.subject.type = SubjectType::team;
    const auto grant = run(grants.create(ada, wanted));
    ASSERT_TRUE(grant) << grant.error().message();
    EXPECT_TRUE(may(bob, ObjectKind::project, project, "repository", "push")) << "before the answer";
    EXPECT_DONE(run(grants.remove(ada, grant->id)));
    EXPECT_FALSE(may(bob, ObjectKind::project, project, "repository", "push"));
    EXPECT_EQ(run(grants.list(ada, {})).value().total, 1) << "its own";
}

TEST_F(Tenancy, an_outsider_can_not_tell_a_tenant_from_none)
{
    const auto ada = person("ada");
    const auto eve = person("eve");
    const auto acme = tenant_with_admin("acme", ada);
    const auto project = project_in(acme, "apps");
    const auto nowhere = acme + 100;
    for (const auto id : {acme, nowhere}) {
        EXPECT_REFUSED(Errc::not_found, run(tenants.find(eve, id)));
        EXPECT_REFUSED(Errc::not_found, run(tenants.change(eve, id, {})));
        EXPECT_REFUSED(Errc::not_found, run(tenants.remove(eve, id)));
        EXPECT_REFUSED(Errc::not_found, run(tenants.quota(eve, id)));
        EXPECT_REFUSED(Errc::not_found, run(tenants.allocate(eve, id, 1, 1)));
        EXPECT_REFUSED(Errc::not_found, run(members.list(eve, id, {})));
        EXPECT_REFUSED(Errc::not_found, run(members.add(eve, id, {.name = "eve"}, {})));
        EXPECT_REFUSED(Errc::not_found, run(members.remove(eve, id, ada.identity->user_id)));
        EXPECT_REFUSED(Errc::not_found, run(teams.list(eve, id, {})));
        EXPECT_REFUSED(Errc::not_found, run(teams.create(eve, id, "t", "")));
        EXPECT_REFUSED(
            Errc::not_found, run(grants.create(eve, wish("eve", ObjectKind::tenant, id, role::tenant_admin)))
        );
    }
    EXPECT_REFUSED(
        Errc::not_found, run(grants.create(eve, wish("eve", ObjectKind::project, project, role::project_admin)))
    );
    EXPECT_EQ(run(tenants.list(eve, {})).value().total, 0);
    EXPECT_EQ(run(grants.list(eve, {})).value().total, 0);
    const auto held = run(store.grants().held_by(SubjectType::user, ada.identity->user_id)).value();
    EXPECT_REFUSED(Errc::not_found, run(grants.find(eve, held.front().id)));
    EXPECT_REFUSED(Errc::not_found, run(grants.remove(eve, held.front().id)));
    EXPECT_REFUSED(Errc::not_found, run(project_members.list(eve, project, "", 0, 10)));
}

TEST_F(Tenancy, one_tenants_admin_is_nobody_in_another)
{
    const auto ada = person("ada");
    const auto bob = person("bob");
    const auto acme = tenant_with_admin("acme", ada);
    const auto other = tenant_with_admin("other", bob);
    EXPECT_REFUSED(Errc::not_found, run(tenants.find(ada, other)));
    EXPECT_REFUSED(Errc::not_found, run(members.list(ada, other, {})));
    // Not a subject either: ada may not know of bob, who exists, any more than of carl, who doesn't.
    EXPECT_REFUSED(Errc::not_found, run(grants.create(ada, wish("bob", ObjectKind::tenant, acme, role::guest))));
    EXPECT_REFUSED(Errc::not_found, run(grants.create(ada, wish("carl", ObjectKind::tenant, acme, role::guest))));
    const auto team = run(teams.create(ada, acme, "ops", "")).value();
    EXPECT_REFUSED(Errc::not_found, run(teams.add_member(ada, acme, team.id, {.name = "bob"})));
    EXPECT_REFUSED(Errc::not_found, run(teams.find(bob, other, team.id)));
    const auto listed = run(tenants.list(ada, {})).value();
    ASSERT_EQ(listed.total, 1);
    EXPECT_EQ(listed.items.front().name, "acme");
}

TEST_F(Tenancy, what_only_the_platform_decides_a_tenants_admin_can_not)
{
    const auto ada = person("ada");
    const auto acme = tenant_with_admin("acme", ada);
    TenantChange change;
    change.display_name = "Acme Ltd";
    EXPECT_DONE(run(tenants.change(ada, acme, change)));
    for (const bool frozen : {true, false}) {
        TenantChange freeze;
        (frozen ? freeze.frozen : freeze.is_protected) = true;
        EXPECT_REFUSED(Errc::denied, run(tenants.change(ada, acme, freeze)));
    }
    EXPECT_REFUSED(Errc::denied, run(tenants.allocate(ada, acme, 1, 1)));
    EXPECT_REFUSED(Errc::denied, run(tenants.remove(ada, acme)));
    TenantWish wish_for_more;
    wish_for_more.name = "mine";
    EXPECT_REFUSED(Errc::denied, run(tenants.create(ada, wish_for_more)));
    EXPECT_REFUSED(Errc::denied, run(grants.create(ada, wish("ada", ObjectKind::platform, 0, role::platform_admin))));
    Role role;
    role.name = "all";
    role.permissions = permissions_within(ObjectKind::tenant);
    EXPECT_REFUSED(Errc::denied, run(roles.create(ada, role)));
    EXPECT_REFUSED(Errc::denied, run(groups.list(ada, {})));
}

TEST_F(Tenancy, a_frozen_tenant_can_be_read_and_only_the_platform_thaws_it)
{
    const auto ada = person("ada");
    const auto acme = tenant_with_admin("acme", ada);
    const auto project = project_in(acme, "apps");
    TenantChange change;
    change.frozen = true;
    EXPECT_DONE(run(tenants.change(root, acme, change)));
    EXPECT_DONE(run(tenants.find(ada, acme)));
    EXPECT_TRUE(may(ada, ObjectKind::project, project, "repository", "pull"));
    EXPECT_FALSE(may(ada, ObjectKind::project, project, "repository", "push"));
    EXPECT_REFUSED(Errc::denied, run(teams.create(ada, acme, "ops", "")));
    EXPECT_REFUSED(Errc::denied, run(grants.create(ada, wish("ada", ObjectKind::tenant, acme, role::guest))));
    change.frozen = false;
    EXPECT_REFUSED(Errc::denied, run(tenants.change(ada, acme, change)));
    EXPECT_DONE(run(tenants.change(root, acme, change)));
    EXPECT_DONE(run(teams.create(ada, acme, "ops", "")));
}

TEST_F(Tenancy, who_leaves_loses_everything_at_once)
{
    const auto ada = person("ada");
    const auto acme = tenant_with_admin("acme", ada);
    const auto project = project_in(acme, "apps");
    const auto bob = member_of(acme, "bob");
    EXPECT_DONE(run(grants.create(ada, wish("bob", ObjectKind::project, project, role::developer))));
    EXPECT_TRUE(may(bob, ObjectKind::project, project, "repository", "push"));
    EXPECT_DONE(run(members.remove(ada, acme, bob.identity->user_id)));
    EXPECT_FALSE(may(bob, ObjectKind::project, project, "repository", "pull"));
    EXPECT_REFUSED(Errc::not_found, run(tenants.find(bob, acme)));
    EXPECT_REFUSED(Errc::not_found, run(grants.create(ada, wish("bob", ObjectKind::project, project, role::guest))));
}

TEST_F(Tenancy, the_teams_of_the_template_can_do_what_their_names_say)
{
    const auto ada = person("ada");
    const auto acme = tenant_with_admin("acme", ada, true);
    const auto project = project_in(acme, "apps");
    const auto listed = run(teams.list(ada, acme, {})).value();
    ASSERT_EQ(listed.total, 5);
    const auto joins = [&](const std::string& name, const std::string& team) {
        const auto caller = member_of(acme, name);
        for (const auto& each : listed.items) {
            if (each.name == team) EXPECT_TRUE(run(teams.add_member(ada, acme, each.id, {.name = name})));
        }
        return caller;
    };
    const auto sre = joins("s", "SREs");
    const auto developer = joins("d", "Developers");
    const auto resource = joins("r", "Resource");
    const auto support = joins("p", "Support");
    EXPECT_TRUE(may(sre, ObjectKind::load_balancer, acme, "load-balancer", "create"));
    EXPECT_TRUE(may(sre, ObjectKind::pipeline, acme, "pipeline", "delete"));
    EXPECT_FALSE(may(sre, ObjectKind::project, project, "repository", "push"));
    EXPECT_TRUE(may(developer, ObjectKind::app_template, acme, "template", "use"));
    EXPECT_FALSE(may(developer, ObjectKind::app_template, acme, "template", "delete"));
    EXPECT_TRUE(may(developer, ObjectKind::project, project, "repository", "push"));
    EXPECT_FALSE(may(developer, ObjectKind::project, project, "repository", "delete"));
    EXPECT_TRUE(may(resource, ObjectKind::partition, acme, "partition", "create"));
    EXPECT_TRUE(may(resource, ObjectKind::tenant, acme, "quota", "update"));
    EXPECT_FALSE(may(resource, ObjectKind::tenant, acme, "member", "create"));
    EXPECT_TRUE(may(support, ObjectKind::pipeline, acme, "pipeline", "operate"));
    EXPECT_FALSE(may(support, ObjectKind::pipeline, acme, "pipeline", "delete"));
}

TEST_F(Tenancy, names_and_patterns_that_could_mislead_are_refused)
{
    for (const auto* name : {"", "Acme", "12", "a/b", "-a", "a-", "a..b", "a b", "a\n"}) {
        TenantWish wanted;
        wanted.name = name;
        EXPECT_REFUSED(Errc::bad_request, run(tenants.create(root, wanted)));
    }
    const auto acme = tenant_with_admin("acme-2.x_y", person("ada"));
    const auto project = project_in(acme, "apps");
    auto wanted = wish("root", ObjectKind::repository, project, role::guest);
    for (const auto* pattern : {"", "/a", "a b", "a\"b"}) {
        wanted.pattern = pattern;
        EXPECT_REFUSED(Errc::bad_request, run(grants.create(root, wanted)));
    }
    auto whole = wish("root", ObjectKind::project, project, role::guest);
    whole.pattern = "x";
    EXPECT_REFUSED(Errc::bad_request, run(grants.create(root, whole)));
    EXPECT_REFUSED(
        Errc::bad_request, run(grants.create(root, wish("root", ObjectKind::pipeline, acme, role::limited_guest)))
    );
}

TEST_F(Tenancy, a_tenants_admin_makes_users_who_are_members_of_it_only)
{
    const auto ada = person("ada");
    const auto acme = tenant_with_admin("acme", ada);
    NewTenantUser user;
    user.name = "new";
    const auto made = run(members.create(ada, acme, user, {.name = "developer"}));
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(made->roles, std::vector<std::int64_t>{role::developer});
    const auto bob = member_of(acme, "bob");
    user.name = "another";
    EXPECT_REFUSED(Errc::denied, run(members.create(bob, acme, user, {})));
    EXPECT_REFUSED(Errc::not_found, run(store.accounts().find("another")));
    EXPECT_REFUSED(Errc::denied, run(members.add(bob, acme, {.name = "root"}, {})));
    EXPECT_REFUSED(Errc::not_found, run(members.add(ada, acme, {.name = "nobody"}, {})));
}

}  // namespace
}  // namespace entrepot

// What may be granted, and to whom it is shown, against a real SQLite catalog and the policy that follows it.
#include "tests/support/tenancy_fixture.hpp"

namespace entrepot {
namespace {

using namespace std::chrono_literals;
using TenancyGrants = TenancyFixture;

TEST_F(TenancyGrants, nobody_grants_what_they_do_not_hold)
{
    const auto ada = person("ada");
    const auto acme = tenant_with_admin("acme", ada);
    const auto project = project_in(acme, "apps");
    // May manage grants, and pull: no more.
    Role clerk;
    clerk.name = "clerk";
    for (const auto action : {"create", "delete", "list"}) {
        clerk.permissions.add(need(ObjectKind::project, "grant", action));
        clerk.permissions.add(need(ObjectKind::project, "member", action));
    }
    for (const auto& builtin : builtin_roles()) {
        if (builtin.id == role::limited_guest) clerk.permissions |= builtin.permissions;
    }
    const auto made = run(roles.create(root, clerk));
    ASSERT_TRUE(made) << made.error().message();
    const auto carl = member_of(acme, "carl");
    const auto dora = member_of(acme, "dora");
    EXPECT_DONE(run(grants.create(ada, wish("carl", ObjectKind::project, project, made->id))));

    EXPECT_DONE(run(grants.create(carl, wish("dora", ObjectKind::project, project, role::limited_guest))));
    EXPECT_REFUSED(Errc::denied, run(grants.create(carl, wish("dora", ObjectKind::project, project, role::developer))));
    EXPECT_REFUSED(Errc::denied, run(grants.create(carl, wish("carl", ObjectKind::project, project, role::guest))));
    EXPECT_REFUSED(
        Errc::denied, run(grants.create(carl, wish("carl", ObjectKind::project, project, role::platform_admin)))
    );
    auto part = wish("carl", ObjectKind::repository, project, role::maintainer);
    part.pattern = "**";
    EXPECT_REFUSED(Errc::denied, run(grants.create(carl, part)));
    EXPECT_REFUSED(Errc::denied, run(grants.create(carl, wish("carl", ObjectKind::tenant, acme, role::guest))));
    EXPECT_REFUSED(Errc::denied, run(project_members.add_user(carl, project, {.name = "dora"}, role::project_admin)));
    EXPECT_FALSE(may(dora, ObjectKind::project, project, "repository", "push"));
}

TEST_F(TenancyGrants, joining_a_team_gives_no_more_than_who_opens_it_holds)
{
    const auto ada = person("ada");
    const auto acme = tenant_with_admin("acme", ada);
    Role leader;
    leader.name = "leader";
    for (const auto action : {"read", "list", "update"})
        leader.permissions.add(need(ObjectKind::tenant, "team", action));
    leader.permissions.add(need(ObjectKind::tenant, "tenant", "read"));
    const auto made = run(roles.create(root, leader)).value();
    const auto carl = member_of(acme, "carl");
    EXPECT_DONE(run(grants.create(ada, wish("carl", ObjectKind::tenant, acme, made.id))));
    const auto team = run(teams.create(ada, acme, "ops", "")).value();
    EXPECT_DONE(run(teams.add_member(carl, acme, team.id, {.name = "carl"})));
    EXPECT_DONE(run(teams.remove_member(carl, acme, team.id, carl.identity->user_id)));
    auto wanted = wish("ops", ObjectKind::tenant, acme, role::tenant_admin);
    wanted.subject.type = SubjectType::team;
    EXPECT_DONE(run(grants.create(ada, wanted)));
    EXPECT_REFUSED(Errc::denied, run(teams.add_member(carl, acme, team.id, {.name = "carl"})));
    EXPECT_FALSE(may(carl, ObjectKind::tenant, acme, "member", "create"));
}

TEST_F(TenancyGrants, a_role_is_not_widened_by_somebody_who_lacks_what_it_gets)
{
    Role keeper;
    keeper.name = "keeper";
    for (const auto action : {"create", "update", "list"})
        keeper.permissions.add(need(ObjectKind::platform, "role", action));
    const auto made = run(roles.create(root, keeper)).value();
    const auto carl = person("carl");
    EXPECT_DONE(run(grants.create(root, wish("carl", ObjectKind::platform, 0, made.id))));
    auto wider = made;
    wider.permissions.add(need(ObjectKind::platform, "user", "delete"));
    EXPECT_REFUSED(Errc::denied, run(roles.change(carl, wider)));
    auto renamed = made;
    renamed.name = "key keeper";
    EXPECT_DONE(run(roles.change(carl, renamed)));
    renamed.name = "developer";
    EXPECT_REFUSED(Errc::conflict, run(roles.change(carl, renamed)));
    EXPECT_REFUSED(Errc::denied, run(roles.remove(carl, made.id)));
    EXPECT_REFUSED(Errc::precondition_failed, run(roles.remove(root, made.id)));
    EXPECT_REFUSED(Errc::precondition_failed, run(roles.remove(root, role::guest)));
    auto builtin = *builtin_role(role::guest);
    builtin.permissions = permissions_within(ObjectKind::project);
    EXPECT_REFUSED(Errc::precondition_failed, run(roles.change(root, builtin)));
}

TEST_F(TenancyGrants, a_grant_ends_by_itself_and_its_row_a_month_later)
{
    const auto ada = person("ada");
    const auto acme = tenant_with_admin("acme", ada);
    const auto project = project_in(acme, "apps");
    const auto bob = member_of(acme, "bob");
    auto wanted = wish("bob", ObjectKind::project, project, role::developer);
    wanted.expires_at = clock.now();
    EXPECT_REFUSED(Errc::bad_request, run(grants.create(ada, wanted)));
    wanted.expires_at = clock.now() + 60'000'000;
    const auto grant = run(grants.create(ada, wanted)).value();
    EXPECT_REFUSED(Errc::conflict, run(grants.create(ada, wanted)));
    EXPECT_TRUE(may(bob, ObjectKind::project, project, "repository", "push"));
    clock.advance(61s);
    EXPECT_FALSE(may(bob, ObjectKind::project, project, "repository", "push"));
    EXPECT_DONE(run(grants.remove_expired()));
    EXPECT_DONE(run(grants.find(ada, grant.id)));
    clock.advance(std::chrono::hours{24 * 31});
    EXPECT_DONE(run(grants.remove_expired()));
    EXPECT_REFUSED(Errc::not_found, run(grants.find(ada, grant.id)));
}

TEST_F(TenancyGrants, harbors_members_are_the_grants_of_a_project)
{
    const auto ada = person("ada");
    const auto acme = tenant_with_admin("acme", ada);
    const auto project = project_in(acme, "apps");
    const auto bob = member_of(acme, "bob");
    const auto member = run(project_members.add_user(ada, project, {.name = "bob"}, role::guest));
    ASSERT_TRUE(member) << member.error().message();
    EXPECT_EQ(member->origin, "harbor");
    EXPECT_EQ(run(grants.find(ada, member->id)).value().role_id, role::guest);
    EXPECT_REFUSED(Errc::conflict, run(project_members.add_user(ada, project, {.name = "bob"}, role::developer)));
    EXPECT_REFUSED(Errc::bad_request, run(project_members.add_user(ada, project, {.name = "ada"}, role::tenant_admin)));
    EXPECT_REFUSED(Errc::bad_request, run(project_members.add_user(ada, project, {.name = "ada"}, 0)));
    EXPECT_REFUSED(Errc::denied, run(project_members.set_role(bob, project, member->id, role::project_admin)));
    EXPECT_DONE(run(project_members.set_role(ada, project, member->id, role::developer)));
    EXPECT_TRUE(may(bob, ObjectKind::project, project, "repository", "push"));
    EXPECT_EQ(run(project_members.list(bob, project, "", 0, 10)).value().items.at(0).role_id, role::developer);

    const auto other = project_in(acme, "more");
    EXPECT_REFUSED(Errc::not_found, run(project_members.find(ada, other, member->id)));
    EXPECT_REFUSED(Errc::not_found, run(project_members.remove(ada, other, member->id)));
    const ExternalGroup group{.id = 0, .name = "sre", .type = GroupType::oidc, .ldap_dn = {}};
    EXPECT_DONE(run(project_members.add_group(ada, project, group, role::guest)));
    EXPECT_REFUSED(Errc::conflict, run(project_members.add_group(ada, project, group, role::guest)));
    EXPECT_EQ(run(project_members.list(ada, project, "sre", 0, 10)).value().total, 1);
    EXPECT_DONE(run(project_members.remove(ada, project, member->id)));
    EXPECT_REFUSED(Errc::not_found, run(project_members.remove(ada, project, member->id)));
    EXPECT_FALSE(may(bob, ObjectKind::project, project, "repository", "pull"));
}

TEST_F(TenancyGrants, explains_ones_own_rights_and_those_of_others_to_who_may_list_grants)
{
    const auto ada = person("ada");
    const auto eve = person("eve");
    const auto acme = tenant_with_admin("acme", ada);
    const auto project = project_in(acme, "apps");
    const auto bob = member_of(acme, "bob");
    const auto team = run(teams.create(ada, acme, "ops", "")).value();
    EXPECT_DONE(run(teams.add_member(ada, acme, team.id, {.name = "bob"})));
    auto wanted = wish("ops", ObjectKind::project, project, role::developer);
    wanted.subject.type = SubjectType::team;
    const auto grant = run(grants.create(ada, wanted)).value();
    const auto question = [&](const std::string& who, const std::string& action) {
        AccessQuestion asked;
        asked.who.name = who;
        asked.object = {.kind = ObjectKind::project, .id = project, .name = {}};
        asked.resource = "repository";
        asked.action = action;
        return asked;
    };
    for (const auto& asker : {ada, bob}) {
        const auto answer = run(explain.explain(asker, question("bob", "push")));
        ASSERT_TRUE(answer) << answer.error().message();
        EXPECT_TRUE(answer->explanation.allowed);
        EXPECT_EQ(answer->grant.value().id, grant.id);
        EXPECT_EQ(answer->role.value().name, "developer");
        EXPECT_EQ(answer->through.value().type, SubjectType::team);
        EXPECT_EQ(answer->through.value().name, "ops");
    }
    const auto denied = run(explain.explain(bob, question("", "delete")));
    ASSERT_TRUE(denied);
    EXPECT_FALSE(denied->explanation.allowed);
    EXPECT_FALSE(denied->explanation.reason.empty());
    EXPECT_REFUSED(Errc::denied, run(explain.explain(bob, question("ada", "push"))));
    EXPECT_REFUSED(Errc::not_found, run(explain.explain(eve, question("", "push"))));
    EXPECT_REFUSED(Errc::not_found, run(explain.explain(ada, question("eve", "push"))));
    EXPECT_REFUSED(Errc::bad_request, run(explain.explain(ada, question("bob", "fly"))));
}

}  // namespace
}  // namespace entrepot

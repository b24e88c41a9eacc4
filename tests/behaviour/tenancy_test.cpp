// The verbs of tenancy against a real SQLite catalog and the policy that follows it: who may do what to tenants, teams,
// members, grants and roles, and that every change counts as soon as it is acknowledged.
#include "core/run_to_end.hpp"
#include "tenancy/explain_access.hpp"
#include "tenancy/grants.hpp"
#include "tenancy/project_members.hpp"
#include "tenancy/roles.hpp"
#include "tenancy/teams.hpp"
#include "tenancy/tenant_members.hpp"
#include "tenancy/tenants.hpp"
#include "tenancy/user_groups.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/open_store.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// As people are made, without what their passwords need.
class PlainMaker final : public TenantUserMaker {
public:
    PlainMaker(MetadataStore& store, const Clock& clock) : store_{store}, clock_{clock} {}

    Task<std::int64_t> make_member(Caller caller, std::int64_t tenant_id, NewTenantUser user) override
    {
        Account account;
        account.name = user.name;
        CO_TRY(const auto made, co_await store_.accounts().create(account));
        const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now()};
        CO_CHECK(co_await store_.tenants().add_member(tenant_id, made.id, 0, actor));
        co_return made.id;
    }

private:
    MetadataStore& store_;
    const Clock& clock_;
};

class Tenancy : public testing::Test {
protected:
    template <class T>
    static Result<T> run(Task<T> task)
    {
        return run_to_end(std::move(task));
    }

    // A new user that nobody has granted anything, in no tenant.
    Caller person(const std::string& name)
    {
        Account account;
        account.name = name;
        account.credential_version = 1;
        const auto made = run(store.accounts().create(account)).value();
        (void)run(store.tenants().remove_member(default_tenant_id, made.id, {}));
        EXPECT_TRUE(run(directory.catch_up()));
        Caller caller;
        caller.identity = std::make_shared<const Identity>(Identity{.user_id = made.id, .name = name});
        caller.credential_version = made.credential_version;
        return caller;
    }

    Caller platform_admin()
    {
        auto caller = person("root");
        NewGrant grant;
        grant.subject_id = caller.identity->user_id;
        grant.role_id = role::platform_admin;
        grant.origin = "test";
        EXPECT_TRUE(run(store.grants().create(grant, {})));
        EXPECT_TRUE(run(directory.catch_up()));
        return caller;
    }

    std::int64_t tenant_with_admin(const std::string& name, const Caller& admin, bool templates = false)
    {
        TenantWish wish;
        wish.name = name;
        wish.with_templates = templates;
        wish.admins = {admin.identity->name};
        const auto made = run(tenants.create(root, wish));
        EXPECT_TRUE(made) << (made ? "" : made.error().message());
        return made ? made->id : 0;
    }

    Caller member_of(std::int64_t tenant, const std::string& name, const std::string& role = {})
    {
        auto caller = person(name);
        EXPECT_TRUE(run(members.add(root, tenant, {.name = name}, {.name = role})));
        return caller;
    }

    std::int64_t project_in(std::int64_t tenant, std::string_view name)
    {
        NewProject wanted{.name = ProjectName::parse(name).value()};
        wanted.tenant_id = tenant;
        const auto made = run(store.projects().create(wanted, {}));
        EXPECT_TRUE(run(directory.catch_up()));
        return made.value().id;
    }

    GrantWish wish(const std::string& user, ObjectKind kind, std::int64_t object, std::int64_t role_id)
    {
        GrantWish wanted;
        wanted.subject.name = user;
        wanted.object_kind = kind;
        wanted.object_id = object;
        wanted.role.id = role_id;
        return wanted;
    }

    bool may(const Caller& caller, ObjectKind kind, std::int64_t id, std::string_view resource, std::string_view action)
    {
        return policy.may(
            caller, find_permission(kind, resource, action).value(), {.kind = kind, .id = id, .name = {}}
        );
    }

    FakeClock clock;
    OpenStore opened{clock};
    MetadataStore& store{*opened};
    AccessPolicy policy{ProjectCreation::nobody, clock};
    AccessDirectory directory{store.access(), policy};
    Granting granting{store.grants(), store.roles(), policy, directory, clock};
    PlainMaker maker{store, clock};
    Tenants tenants{store.tenants(), granting};
    TenantMembers members{store.tenants(), store.teams(), maker, granting};
    Teams teams{store.teams(), granting};
    Grants grants{granting};
    ProjectMembers project_members{granting, store.groups()};
    UserGroups groups{store.groups(), granting};
    Roles roles{granting};
    ExplainAccess explain{granting};
    Caller root = platform_admin();
};

#define EXPECT_REFUSED(expected, ...)                                                  \
    do {                                                                               \
        const auto outcome_ = (__VA_ARGS__);                                           \
        ASSERT_FALSE(outcome_) << "it was allowed";                                    \
        EXPECT_EQ(outcome_.error().code(), expected)                                   \
            << name_of(outcome_.error().code()) << ": " << outcome_.error().message(); \
    } while (false)

#define EXPECT_DONE(...)                                                                                       \
    do {                                                                                                       \
        const auto outcome_ = (__VA_ARGS__);                                                                   \
        ASSERT_TRUE(outcome_) << name_of(outcome_.error().code()) << ": " << outcome_.error().message() << " " \
                              << outcome_.error().detail();                                                    \
    } while (false)

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

TEST_F(Tenancy, nobody_grants_what_they_do_not_hold)
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

TEST_F(Tenancy, joining_a_team_gives_no_more_than_who_opens_it_holds)
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

TEST_F(Tenancy, a_role_is_not_widened_by_somebody_who_lacks_what_it_gets)
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

TEST_F(Tenancy, a_grant_ends_by_itself_and_its_row_a_month_later)
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

TEST_F(Tenancy, harbors_members_are_the_grants_of_a_project)
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

TEST_F(Tenancy, explains_ones_own_rights_and_those_of_others_to_who_may_list_grants)
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

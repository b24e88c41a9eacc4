#include "access/policy.hpp"

#include "access/may_grant.hpp"
#include "access/permission_text.hpp"
#include "access/require.hpp"
#include "tests/support/access_entries_of.hpp"
#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

const Permission pull = need(ObjectKind::project, "repository", "pull");
const Permission push = need(ObjectKind::project, "repository", "push");
const Permission read_project = need(ObjectKind::project, "project", "read");
const Permission update_project = need(ObjectKind::project, "project", "update");
const Permission list_repositories = need(ObjectKind::project, "repository", "list");
const Permission read_tenant = need(ObjectKind::tenant, "tenant", "read");
const Permission update_tenant = need(ObjectKind::tenant, "tenant", "update");
const Permission use_partition = need(ObjectKind::partition, "partition", "use");

constexpr std::int64_t alice = 7;
constexpr std::int64_t bob = 8;
constexpr std::int64_t sre = 70;       // a team
constexpr std::int64_t everyone = 71;  // the implicit team of tenant 1
constexpr std::int64_t staff = 72;     // a group
constexpr ActionSet pulling = bit(Action::pull);
constexpr ActionSet pushing = bit(Action::pull) | bit(Action::push);

ObjectRef project_object(std::int64_t id)
{
    return {.kind = ObjectKind::project, .id = id, .name = {}};
}
ObjectRef tenant_object(std::int64_t id)
{
    return {.kind = ObjectKind::tenant, .id = id, .name = {}};
}
ObjectRef repository_object(std::int64_t id, std::string_view name)
{
    return {.kind = ObjectKind::repository, .id = id, .name = name};
}

class Policy : public testing::Test {
protected:
    Policy()
    {
        world.complete = true;
        world.version = 5;
        world.tenants = {tenant_entry(1, "default"), tenant_entry(2, "acme")};
        world.projects = {project_entry(10, "app"), project_entry(11, "open", true)};
        world.principals = {
            principal_entry(alice, {team_key(sre), team_key(everyone), group_key(staff)}), principal_entry(bob)
        };
        world.principals[0].tenants = {1};
        world.platform_grants.emplace();
        learn();
    }
    void learn() { policy.apply(world); }
    void grant_on_app(const GrantEntry& grant)
    {
        world.projects[0].grants.push_back(grant);
        learn();
    }

    AccessChanges world;
    FakeClock clock;
    AccessPolicy policy{ProjectCreation::admins, clock};
    Caller as_alice = caller_with_id(alice);
    Caller as_bob = caller_with_id(bob);
    Caller as_nobody = caller_with_id(0);
};

TEST_F(Policy, names_the_sources_of_a_project_by_what_they_are_called_now)
{
    const auto places = [this](std::string_view repository) {
        std::vector<std::string> names;
        for (const auto& source : policy.sources(repository)) names.push_back(source.repository);
        return names;
    };
    using Names = std::vector<std::string>;
    EXPECT_EQ(places("app/web"), Names{});
    EXPECT_EQ(places("nowhere/web"), Names{});
    world.projects[0].sources = {
        {.project_id = 99},
        {.project_id = 11, .except = {"secret/**"}, .optional = true},
    };
    learn();
    EXPECT_EQ(places("app/team/web"), (Names{"app/team/web", "open/team/web"}));
    EXPECT_TRUE(policy.sources("app/team/web")[0].own);
    EXPECT_FALSE(policy.sources("app/team/web")[1].own);
    EXPECT_TRUE(policy.sources("app/team/web")[1].optional);
    EXPECT_EQ(places("app/secret/web"), Names{"app/secret/web"});
    EXPECT_EQ(places("open/team/web"), Names{}) << "its own have nothing to do with it";
    world.projects[1].name = "wide";
    world.projects[0].sources.push_back({.project_id = 0});
    learn();
    EXPECT_EQ(places("app/web"), (Names{"wide/web", "app/web"})) << "it comes where it is named itself";
}

TEST(ProjectSource, covers_what_its_patterns_name_and_its_exceptions_do_not)
{
    EXPECT_TRUE((ProjectSource{.project_id = 1}).covers("a/b"));
    const ProjectSource some{.project_id = 1, .repositories = {"library/**", "x"}, .except = {"library/own-*"}};
    EXPECT_TRUE(some.covers("library/alpine"));
    EXPECT_TRUE(some.covers("x"));
    EXPECT_FALSE(some.covers("library/own-app"));
    EXPECT_FALSE(some.covers("y"));
}

TEST_F(Policy, a_grant_reaches_whoever_holds_it_themselves_or_through_a_team_or_group)
{
    for (const auto& subject : {principal_key(alice), team_key(sre), team_key(everyone), group_key(staff)}) {
        world.projects[0].grants = {grant_to(subject, role::developer)};
        learn();
        EXPECT_EQ(policy.allowed(as_alice, "app/web"), pushing);
        EXPECT_EQ(policy.allowed(as_bob, "app/web"), 0);
    }
    // Ids of teams and groups are their own: nobody holds a grant by having the same number.
    world.projects[0].grants = {grant_to(team_key(bob), role::developer), grant_to(group_key(sre), role::developer)};
    learn();
    EXPECT_EQ(policy.allowed(as_bob, "app/web"), 0);
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), 0);
}

TEST_F(Policy, rights_add_up_over_subjects_and_over_a_project_and_its_tenant)
{
    grant_on_app(grant_to(principal_key(alice), role::limited_guest));
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), pulling);
    world.tenants[0].grants = {grant_to(group_key(staff), role::maintainer, ObjectKind::tenant)};
    learn();
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), all_actions);
    EXPECT_TRUE(policy.may(as_alice, update_project, project_object(10)) == false);
}

TEST_F(Policy, a_pattern_counts_for_the_repositories_that_it_matches)
{
    grant_on_app(grant_to(principal_key(alice), role::developer, ObjectKind::repository, "web/**"));
    EXPECT_EQ(policy.allowed(as_alice, "app/web/front"), pushing);
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), pushing);
    EXPECT_EQ(policy.allowed(as_alice, "app/api"), 0);
    EXPECT_EQ(policy.allowed(as_alice, "app"), 0);
    EXPECT_TRUE(policy.may(as_alice, push, repository_object(10, "app/web/front")));
    EXPECT_FALSE(policy.may(as_alice, push, repository_object(10, "app/api")));
    EXPECT_FALSE(policy.may(as_alice, push, project_object(10)));
    EXPECT_FALSE(policy.may(as_alice, read_project, project_object(10)));
    // That there is such a project is no secret to them, and its other repositories still are.
    EXPECT_TRUE(policy.sees_project(as_alice, 10));
    EXPECT_EQ(require(policy, as_alice, push, project_object(10)).error().code(), Errc::denied);
    EXPECT_EQ(policy.visible_projects(as_alice), (std::vector<std::int64_t>{10, 11}));
    EXPECT_EQ(policy.projects_with(as_alice, list_repositories), std::vector<std::int64_t>{11});
}

TEST_F(Policy, a_partition_takes_the_grants_of_its_cluster_and_the_highest_wins)
{
    world.tenants[0].grants = {
        grant_to(principal_key(alice), role::basic_guest, ObjectKind::partition, "east"),
        grant_to(principal_key(alice), role::basic_user, ObjectKind::partition, "east/gpu"),
        grant_to(principal_key(bob), role::basic_user, ObjectKind::partition, ""),
    };
    learn();
    const auto partition = [](std::string_view name) {
        return ObjectRef{.kind = ObjectKind::partition, .id = 1, .name = name};
    };
    EXPECT_TRUE(policy.may(as_alice, use_partition, partition("east/gpu")));
    EXPECT_FALSE(policy.may(as_alice, use_partition, partition("east/cpu")));
    EXPECT_TRUE(policy.may(as_alice, need(ObjectKind::partition, "partition", "read"), partition("east/cpu")));
    EXPECT_FALSE(policy.may(as_alice, use_partition, partition("west/gpu")));
    EXPECT_TRUE(policy.may(as_bob, use_partition, partition("west/gpu")));
    // Not a right on the tenant, nor on other kinds in it.
    EXPECT_FALSE(policy.may(as_bob, pull, project_object(10)));
    EXPECT_TRUE(policy.permissions(as_bob, {.kind = ObjectKind::app_template, .id = 1, .name = "x"}).empty());
}

TEST_F(Policy, a_grant_ends_when_it_expires)
{
    auto grant = grant_to(principal_key(alice), role::developer);
    grant.expires_at = clock.now() + 1'000'000;
    grant_on_app(grant);
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), pushing);
    clock.advance(std::chrono::seconds{1});
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), 0);
    EXPECT_FALSE(policy.sees_project(as_alice, 10));
}

TEST_F(Policy, a_public_project_is_pulled_by_anybody_and_a_shared_one_by_any_user)
{
    EXPECT_EQ(policy.allowed(as_nobody, "open/web"), pulling);
    EXPECT_EQ(policy.allowed(as_bob, "open/web"), pulling);
    world.projects[0].shared = true;
    learn();
    EXPECT_EQ(policy.allowed(as_nobody, "app/web"), 0);
    EXPECT_EQ(policy.allowed(as_bob, "app/web"), pulling);
    EXPECT_EQ(policy.visible_projects(as_nobody), std::vector<std::int64_t>{11});
    EXPECT_EQ(policy.visible_projects(as_bob), (std::vector<std::int64_t>{10, 11}));
}

TEST_F(Policy, what_is_frozen_is_read_only_but_for_platform_admins)
{
    grant_on_app(grant_to(principal_key(alice), role::project_admin));
    world.platform_grants = {{grant_to(principal_key(bob), role::platform_admin, ObjectKind::platform)}};
    for (const bool whole_tenant : {false, true}) {
        world.projects[0].frozen = !whole_tenant;
        world.tenants[0].frozen = whole_tenant;
        learn();
        EXPECT_EQ(policy.allowed(as_alice, "app/web"), pulling);
        EXPECT_FALSE(policy.may(as_alice, update_project, project_object(10)));
        EXPECT_TRUE(policy.may(as_alice, read_project, project_object(10)));
        EXPECT_FALSE(policy.permissions(as_alice, project_object(10)).has(push));
        EXPECT_EQ(policy.allowed(as_bob, "app/web"), all_actions);
        EXPECT_TRUE(policy.may(as_bob, update_project, project_object(10)));
    }
}

TEST_F(Policy, membership_of_a_tenant_lets_see_it_and_gives_nothing_in_its_projects)
{
    EXPECT_TRUE(policy.may(as_alice, read_tenant, tenant_object(1)));
    EXPECT_FALSE(policy.may(as_alice, update_tenant, tenant_object(1)));
    EXPECT_FALSE(policy.may(as_alice, read_tenant, tenant_object(2)));
    EXPECT_FALSE(policy.may(as_bob, read_tenant, tenant_object(1)));
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), 0);
    EXPECT_EQ(policy.tenants_with(as_alice, read_tenant), std::vector<std::int64_t>{1});
    EXPECT_EQ(policy.tenants_with(as_bob, read_tenant), std::vector<std::int64_t>{});
}

TEST_F(Policy, a_credential_that_was_replaced_disabled_or_has_expired_may_nothing_at_all)
{
    grant_on_app(grant_to(principal_key(alice), role::developer));
    EXPECT_TRUE(policy.is_current(as_alice));
    EXPECT_TRUE(policy.is_current(as_nobody));
    const auto expect_nothing = [&] {
        EXPECT_FALSE(policy.is_current(as_alice));
        EXPECT_EQ(policy.allowed(as_alice, "app/web"), 0);
        EXPECT_EQ(policy.allowed(as_alice, "open/web"), 0);
        EXPECT_FALSE(policy.may(as_alice, read_project, project_object(11)));
        EXPECT_TRUE(policy.permissions(as_alice, project_object(11)).empty());
    };
    world.principals[0].credential_version = 2;
    learn();
    expect_nothing();
    as_alice.credential_version = 2;
    EXPECT_TRUE(policy.is_current(as_alice));
    world.principals[0].disabled = true;
    learn();
    expect_nothing();
    world.principals[0].disabled = false;
    world.principals[0].expires_at = clock.now() + 1;
    learn();
    EXPECT_TRUE(policy.is_current(as_alice));
    clock.advance(std::chrono::microseconds{1});
    expect_nothing();
    world.principals.erase(world.principals.begin());
    learn();
    expect_nothing();
}

TEST_F(Policy, an_access_token_stands_as_long_as_it_is_there_whatever_becomes_of_the_password)
{
    world.principals[0].access_tokens = {4, 9};
    world.principals[0].credential_version = 3;
    learn();
    as_alice.access_token_id = 9;
    EXPECT_TRUE(policy.is_current(as_alice));
    as_alice.access_token_id = 5;
    EXPECT_FALSE(policy.is_current(as_alice));
}

TEST_F(Policy, a_limit_takes_away_and_gives_nothing)
{
    grant_on_app(grant_to(principal_key(alice), role::project_admin));
    const auto limited_to = [&](ObjectKind kind, std::int64_t id, std::string_view permissions) {
        AccessLimit limit;
        limit.entries.push_back({kind, id, permissions_in(permissions, kind)});
        as_alice.limit = std::make_shared<const AccessLimit>(std::move(limit));
    };
    limited_to(ObjectKind::project, 10, "project/repository:pull tenant/tenant:update");
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), pulling);
    EXPECT_FALSE(policy.may(as_alice, update_project, project_object(10)));
    EXPECT_FALSE(policy.may(as_alice, update_tenant, tenant_object(1)));
    EXPECT_EQ(policy.permissions(as_alice, project_object(10)).size(), 1U);
    EXPECT_EQ(policy.tenants_with(as_alice, read_tenant), std::vector<std::int64_t>{});
    limited_to(ObjectKind::project, 0, "project/repository:pull");
    EXPECT_EQ(policy.allowed(as_alice, "open/web"), pulling);
    limited_to(ObjectKind::tenant, 1, "project/repository:push tenant/tenant:read");
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), bit(Action::push));
    EXPECT_TRUE(policy.may(as_alice, read_tenant, tenant_object(1)));
    limited_to(ObjectKind::tenant, 2, "project/repository:push");
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), 0);
    limited_to(ObjectKind::platform, 0, "project/repository:push");
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), bit(Action::push));
}

TEST_F(Policy, a_limit_leaves_what_anybody_may_do)
{
    grant_on_app(grant_to(principal_key(alice), role::project_admin));
    AccessLimit limit;
    limit.entries.push_back({ObjectKind::project, 10, permissions_in("project/repository:pull", ObjectKind::project)});
    as_alice.limit = std::make_shared<const AccessLimit>(std::move(limit));
    EXPECT_EQ(policy.allowed(as_alice, "open/web"), pulling);
    EXPECT_EQ(policy.permissions(as_alice, project_object(11)), policy.permissions(as_nobody, project_object(11)));
    EXPECT_EQ(policy.visible_projects(as_alice), (std::vector<std::int64_t>{10, 11}));
}

TEST_F(Policy, a_token_narrows_to_its_repositories)
{
    grant_on_app(grant_to(principal_key(alice), role::developer));
    as_alice.scopes = std::make_shared<const TokenScopes>(TokenScopes{.entries = {{"app/web", pulling}}});
    EXPECT_TRUE(policy.may(as_alice, "app/web", Action::pull));
    EXPECT_FALSE(policy.may(as_alice, "app/web", Action::push));
    EXPECT_FALSE(policy.may(as_alice, "app/api", Action::pull));
    EXPECT_FALSE(policy.may(as_alice, "open/web", Action::pull));
}

TEST_F(Policy, creating_projects_by_a_push_is_for_whom_the_switch_says)
{
    EXPECT_FALSE(policy.may_create_project(as_alice));
    EXPECT_EQ(policy.allowed(as_alice, "absent/web"), 0);
    world.tenants[0].grants = {grant_to(principal_key(alice), role::tenant_admin, ObjectKind::tenant)};
    learn();
    EXPECT_TRUE(policy.may_create_project(as_alice));
    EXPECT_EQ(policy.allowed(as_alice, "absent/web"), all_actions);
    EXPECT_FALSE(policy.may_create_project(as_bob));
    AccessPolicy for_nobody{ProjectCreation::nobody, clock};
    for_nobody.apply(world);
    EXPECT_FALSE(for_nobody.may_create_project(as_alice));
    EXPECT_EQ(for_nobody.allowed(as_alice, "absent/web"), 0);
    AccessPolicy for_everyone{ProjectCreation::everyone, clock};
    for_everyone.apply(world);
    EXPECT_TRUE(for_everyone.may_create_project(as_bob));
    EXPECT_FALSE(for_everyone.may_create_project(as_nobody));
    world.tenants[0].frozen = true;
    for_everyone.apply(world);
    EXPECT_FALSE(for_everyone.may_create_project(as_bob));
}

TEST_F(Policy, a_project_of_others_looks_like_one_that_is_not_there)
{
    for (const auto creation : {ProjectCreation::nobody, ProjectCreation::admins}) {
        AccessPolicy either{creation, clock};
        either.apply(world);
        EXPECT_EQ(either.allowed(as_bob, "app/web"), either.allowed(as_bob, "absent/web"));
        EXPECT_EQ(require(either, as_bob, read_project, project_object(10)).error().code(), Errc::not_found);
        EXPECT_EQ(require(either, as_bob, read_project, project_object(99)).error().code(), Errc::not_found);
        EXPECT_EQ(require(either, as_nobody, read_project, project_object(10)).error().code(), Errc::unauthorized);
        EXPECT_EQ(require(either, as_nobody, read_project, project_object(99)).error().code(), Errc::unauthorized);
    }
    EXPECT_EQ(require_project(policy, as_bob, policy.project("app")).error().code(), Errc::not_found);
    EXPECT_EQ(require_project(policy, as_bob, policy.project("absent")).error().code(), Errc::not_found);
}

TEST_F(Policy, a_permission_that_an_object_does_not_have_is_held_by_nobody)
{
    world.platform_grants = {{grant_to(principal_key(bob), role::platform_admin, ObjectKind::platform)}};
    learn();
    EXPECT_FALSE(policy.may(as_bob, need(ObjectKind::platform, "user", "create"), tenant_object(1)));
    EXPECT_FALSE(policy.may(as_bob, read_tenant, project_object(10)));
    EXPECT_TRUE(policy.may(as_bob, need(ObjectKind::platform, "user", "create"), the_platform));
}

TEST_F(Policy, lists_name_every_one_for_those_who_see_every_one)
{
    world.platform_grants = {{grant_to(principal_key(bob), role::platform_auditor, ObjectKind::platform)}};
    learn();
    EXPECT_EQ(policy.visible_projects(as_bob), std::nullopt);
    EXPECT_EQ(policy.tenants_with(as_bob, read_tenant), std::nullopt);
    EXPECT_EQ(policy.projects_with(as_bob, list_repositories), std::nullopt);
    EXPECT_EQ(policy.projects_with(as_bob, pull), std::vector<std::int64_t>{11});
    world.tenants[1].grants = {grant_to(team_key(sre), role::guest, ObjectKind::tenant)};
    world.projects.push_back(project_entry(12, "elsewhere"));
    world.projects.back().tenant_id = 2;
    learn();
    EXPECT_EQ(policy.visible_projects(as_alice), (std::vector<std::int64_t>{11, 12}));
}

TEST_F(Policy, a_custom_role_counts_and_one_that_is_gone_does_not)
{
    Role puller;
    puller.id = role::first_custom;
    puller.name = "puller";
    puller.permissions = permissions_in("project/repository:pull", ObjectKind::project);
    world.custom_roles = {{puller}};
    grant_on_app(grant_to(principal_key(alice), puller.id));
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), pulling);
    AccessChanges changes;
    changes.version = 6;
    changes.custom_roles.emplace();
    policy.apply(changes);
    EXPECT_EQ(policy.allowed(as_alice, "app/web"), 0);
    EXPECT_EQ(policy.custom_role(puller.id), nullptr);
}

TEST_F(Policy, changes_replace_their_entries_and_leave_the_others)
{
    AccessChanges changes;
    changes.version = 6;
    changes.projects = {project_entry(10, "renamed", false, {grant_to(principal_key(bob), role::guest)})};
    policy.apply(changes);
    EXPECT_EQ(policy.version(), 6);
    EXPECT_EQ(policy.project("app"), nullptr);
    ASSERT_NE(policy.project("renamed"), nullptr);
    EXPECT_EQ(policy.project("renamed")->id, 10);
    EXPECT_EQ(policy.allowed(as_bob, "renamed/web"), pulling);
    EXPECT_EQ(policy.visible_projects(as_bob), (std::vector<std::int64_t>{10, 11}));

    changes = {};
    changes.version = 7;
    changes.removed_projects = {10};
    changes.projects = {project_entry(13, "renamed")};
    policy.apply(changes);
    EXPECT_EQ(policy.project("renamed")->id, 13);
    EXPECT_EQ(policy.allowed(as_bob, "renamed/web"), 0);
    EXPECT_EQ(policy.visible_projects(as_bob), std::vector<std::int64_t>{11});
    EXPECT_NE(policy.tenant("acme"), nullptr);

    changes = {};
    changes.version = 8;
    changes.removed_tenants = {2};
    changes.removed_principals = {bob};
    policy.apply(changes);
    EXPECT_EQ(policy.tenant("acme"), nullptr);
    EXPECT_EQ(policy.tenant(2), nullptr);
    EXPECT_FALSE(policy.is_current(as_bob));
}

TEST_F(Policy, explains_by_which_grant_and_through_whom)
{
    grant_on_app(grant_to(team_key(sre), role::developer));
    const auto by_team = policy.explain(as_alice, push, repository_object(10, "app/web"));
    EXPECT_TRUE(by_team.allowed);
    EXPECT_EQ(by_team.grant_id, world.projects[0].grants[0].id);
    EXPECT_EQ(by_team.role_id, role::developer);
    EXPECT_EQ(by_team.through, team_key(sre));
    EXPECT_NE(by_team.reason.find("developer"), std::string::npos);

    const auto by_nothing = policy.explain(as_alice, update_project, project_object(10));
    EXPECT_FALSE(by_nothing.allowed);
    EXPECT_EQ(by_nothing.grant_id, 0);
    EXPECT_FALSE(by_nothing.through);

    const auto by_being_public = policy.explain(as_nobody, pull, project_object(11));
    EXPECT_TRUE(by_being_public.allowed);
    EXPECT_NE(by_being_public.reason.find("public"), std::string::npos);

    const auto by_membership = policy.explain(as_alice, read_tenant, tenant_object(1));
    EXPECT_TRUE(by_membership.allowed);
    EXPECT_EQ(by_membership.role_id, role::tenant_member);
    EXPECT_FALSE(policy.explain(as_alice, read_tenant, project_object(10)).allowed);
    EXPECT_FALSE(policy.explain(as_alice, pull, project_object(99)).allowed);

    auto by_token = as_alice;
    by_token.limit = std::make_shared<const AccessLimit>();
    const auto limited = policy.explain(by_token, push, repository_object(10, "app/web"));
    EXPECT_FALSE(limited.allowed);
    EXPECT_EQ(limited.grant_id, by_team.grant_id);
    EXPECT_NE(limited.reason.find("scopes"), std::string::npos);
    EXPECT_TRUE(policy.explain(by_token, pull, project_object(11)).allowed);

    world.projects[0].frozen = true;
    world.principals[1].disabled = true;
    learn();
    const auto frozen = policy.explain(as_alice, push, project_object(10));
    EXPECT_FALSE(frozen.allowed);
    EXPECT_NE(frozen.reason.find("frozen"), std::string::npos);
    EXPECT_FALSE(policy.explain(as_bob, pull, project_object(11)).allowed);
}

TEST_F(Policy, what_is_open_to_all_is_nobodys_to_grant)
{
    EXPECT_TRUE(policy.may(as_alice, pull, project_object(11)));
    EXPECT_FALSE(may_grant(policy, as_alice, role::limited_guest, project_object(11)));
    EXPECT_TRUE(policy.granted(as_alice, project_object(11)).empty());
    world.projects[1].grants = {grant_to(principal_key(alice), role::guest)};
    learn();
    EXPECT_TRUE(may_grant(policy, as_alice, role::guest, project_object(11)));
}

TEST_F(Policy, thawing_gives_nobody_a_right_that_they_lack)
{
    grant_on_app(grant_to(principal_key(alice), role::project_admin));
    world.projects[0].frozen = true;
    learn();
    EXPECT_FALSE(policy.may(as_alice, update_project, project_object(10)));
    EXPECT_TRUE(policy.may_once_thawed(as_alice, update_project, project_object(10)));
    EXPECT_FALSE(policy.may_once_thawed(as_bob, update_project, project_object(10)));
}

TEST_F(Policy, nobody_grants_what_they_do_not_hold)
{
    grant_on_app(grant_to(principal_key(alice), role::maintainer));
    const auto app = project_object(10);
    EXPECT_TRUE(may_grant(policy, as_alice, role::maintainer, app));
    EXPECT_TRUE(may_grant(policy, as_alice, role::developer, app));
    EXPECT_TRUE(may_grant(policy, as_alice, role::guest, app));
    EXPECT_FALSE(may_grant(policy, as_alice, role::project_admin, app));
    EXPECT_FALSE(may_grant(policy, as_alice, role::platform_admin, app));
    EXPECT_FALSE(may_grant(policy, as_alice, role::guest, tenant_object(1)));
    EXPECT_FALSE(may_grant(policy, as_alice, role::guest, the_platform));
    EXPECT_FALSE(may_grant(policy, as_bob, role::limited_guest, app));
    EXPECT_FALSE(may_grant(policy, as_alice, 4711, app));
    // What does not count on a project is nothing that could be granted there: a basic role is its project part.
    EXPECT_TRUE(may_grant(policy, as_alice, role::basic_owner, app));
    EXPECT_TRUE(
        may_grant(policy, as_alice, permissions_in("repository:pull platform/user:create", ObjectKind::project), app)
    );
    EXPECT_FALSE(may_grant(policy, as_alice, permissions_in("robot:create", ObjectKind::project), app));
}

TEST(PermissionText, reads_back_what_it_writes_and_passes_over_what_it_does_not_know)
{
    const auto& all = permissions_within(ObjectKind::platform);
    EXPECT_EQ(permissions_in(permission_text(all), ObjectKind::external), all);
    EXPECT_EQ(permission_text({}), "");
    EXPECT_TRUE(
        permissions_in("nonsense project/ :pull project/repository:fly moon/repository:pull", ObjectKind::project)
            .empty()
    );
    const auto two = permissions_in("repository:pull tenant/team:list", ObjectKind::project);
    EXPECT_TRUE(two.has(pull));
    EXPECT_TRUE(two.has(need(ObjectKind::tenant, "team", "list")));
    EXPECT_EQ(two.size(), 2U);
}

TEST_F(Policy, a_former_name_leads_to_the_name_of_today)
{
    auto& app = world.projects[0];
    app.former_names = {"old"};
    app.moved["here"] = {.project_id = 10, .path = "team/there"};
    app.moved["away"] = {.project_id = 11, .path = "away"};
    app.moved["gone"] = {.project_id = 99, .path = "x"};
    grant_on_app(grant_to(principal_key(alice), role::project_admin));
    EXPECT_EQ(policy.renamed("old"), "app");
    EXPECT_EQ(policy.renamed("old/x/y"), "app/x/y");
    EXPECT_EQ(policy.renamed("old/here"), "app/team/there");
    EXPECT_EQ(policy.renamed("app/here"), "app/team/there");
    EXPECT_EQ(policy.renamed("app/away"), "open/away");
    EXPECT_EQ(policy.renamed("app/gone"), std::nullopt);
    for (const char* name : {"app", "app/x", "open/here", "absent", "absent/here"}) {
        EXPECT_EQ(policy.renamed(name), std::nullopt) << name;
    }
    EXPECT_EQ(policy.allowed(as_alice, "old/x"), 0) << "nobody creates a project by it";
    AccessChanges change;
    change.version = 6;
    change.projects = {project_entry(10, "app")};
    policy.apply(change);
    EXPECT_EQ(policy.renamed("old"), std::nullopt);
    EXPECT_EQ(policy.renamed("app/here"), std::nullopt);
    change.version = 7;
    change.projects[0].former_names = {"old"};
    change.projects.push_back(project_entry(12, "old"));
    policy.apply(change);
    EXPECT_EQ(policy.renamed("old/x"), std::nullopt) << "who has the name counts";
}

}  // namespace
}  // namespace entrepot

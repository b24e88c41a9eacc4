// Robots against a real SQLite catalog and the policy that follows it: nobody gives a robot, or takes from one, what
// they do not hold.
#include "access/token_text.hpp"
#include "core/run_to_end.hpp"
#include "tenancy/robots.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/open_store.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// Stands in for Argon2id, which is of another room.
class MarkingHasher final : public PasswordHasher {
public:
    Task<std::string> hash(std::string password) override { co_return "$argon2id$" + password; }
    Task<> check(std::string, std::string, std::string) override { co_return fail(Errc::unauthorized, "no"); }
};

class RobotVerbs : public testing::Test {
protected:
    template <class T>
    static Result<T> run(Task<T> task)
    {
        return run_to_end(std::move(task));
    }

    Caller caller_of(const Account& account)
    {
        EXPECT_TRUE(run(directory.catch_up()));
        Caller caller;
        caller.identity =
            std::make_shared<const Identity>(Identity{.user_id = account.id, .name = account.name, .kind = account.kind}
            );
        caller.credential_version = account.credential_version;
        return caller;
    }
    Caller person(const std::string& name, bool is_admin = false)
    {
        Account account;
        account.name = name;
        account.credential_version = 1;
        auto& accounts = store.accounts();
        return caller_of(run(is_admin ? accounts.create_admin(account) : accounts.create(account)).value());
    }
    // What comes of the robot's secret.
    Caller robot_named(const std::string& name) { return caller_of(run(store.accounts().find(name)).value()); }

    std::int64_t project_of(const Caller& owner, std::string_view name)
    {
        const NewProject wanted{.name = ProjectName::parse(name).value()};
        const auto made = run(store.projects().create(wanted, {owner.identity->user_id, clock.now()}));
        EXPECT_TRUE(run(directory.catch_up()));
        return made.value().id;
    }
    void grant(const Caller& to, std::int64_t role_id, ObjectKind kind, std::int64_t object)
    {
        NewGrant wanted;
        wanted.subject_id = to.identity->user_id;
        wanted.object_kind = kind;
        wanted.object_id = object;
        wanted.role_id = role_id;
        wanted.origin = "test";
        ASSERT_TRUE(run(store.grants().create(wanted, {})));
        ASSERT_TRUE(run(directory.catch_up()));
    }

    using Access = std::vector<std::pair<std::string, std::string>>;
    static RobotPermission on(RobotLevel kind, std::string name, Access access)
    {
        return {.kind = kind, .name = std::move(name), .access = std::move(access)};
    }
    static RobotOrder order(std::string name, RobotLevel level, std::vector<RobotPermission> permissions)
    {
        RobotOrder wanted;
        wanted.name = std::move(name);
        wanted.level = level;
        wanted.days = -1;
        wanted.permissions = std::move(permissions);
        return wanted;
    }
    static RobotOrder on_apps(std::string name, Access access)
    {
        return order(std::move(name), RobotLevel::project, {on(RobotLevel::project, "apps", std::move(access))});
    }
    Errc refusal(const Caller& caller, RobotOrder wanted)
    {
        const auto made = run(robots.create(caller, std::move(wanted)));
        EXPECT_FALSE(made) << "it was made";
        return made ? Errc::internal : made.error().code();
    }

    FakeClock clock;
    SystemRandom random;
    OpenStore opened{clock};
    MetadataStore& store{*opened};
    AccessPolicy policy{ProjectCreation::nobody, clock};
    AccessDirectory directory{store.access(), policy};
    Granting granting{store.grants(), store.roles(), policy, directory, clock};
    Settings settings{store.settings(), policy, clock};
    MarkingHasher hasher;
    Robots robots{
        {.catalog = store.robots(), .granting = granting, .settings = settings, .hasher = hasher, .random = random}
    };
    Caller root = person("root", true);
    Caller ada = person("ada");
    std::int64_t apps = project_of(ada, "apps");
    std::int64_t others = project_of(root, "others");
    static const Access pull;
    static const Access push_too;
};
const RobotVerbs::Access RobotVerbs::pull{{"repository", "pull"}};
const RobotVerbs::Access RobotVerbs::push_too{{"repository", "pull"}, {"repository", "push"}};

TEST_F(RobotVerbs, a_projects_robot_has_its_name_its_rights_and_a_secret_that_is_told_once)
{
    const auto made = run(robots.create(ada, on_apps("ci", push_too)));
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(made->robot.name, "robot$apps+ci");
    EXPECT_EQ(made->secret.size(), 32U);
    const auto account = run(store.accounts().find("robot$apps+ci"));
    EXPECT_EQ(account->robot.current, secret_hash(made->secret));
    const auto ci = robot_named("robot$apps+ci");
    EXPECT_EQ(policy.allowed(ci, "apps/web"), bit(Action::pull) | bit(Action::push));
    EXPECT_EQ(policy.allowed(ci, "others/web"), 0);
    EXPECT_EQ(refusal(ada, on_apps("ci", pull)), Errc::conflict);
}

TEST_F(RobotVerbs, levels_have_their_own_names_and_reach)
{
    const auto system = run(robots.create(
        root,
        order(
            "all",
            RobotLevel::system,
            {on(RobotLevel::system, "/", {{"project", "list"}}), on(RobotLevel::project, "*", pull)}
        )
    ));
    ASSERT_TRUE(system) << system.error().message();
    EXPECT_EQ(system->robot.name, "robot$all");
    EXPECT_EQ(policy.allowed(robot_named("robot$all"), "others/web"), bit(Action::pull));

    const auto tenant = run(robots.create(
        root,
        order(
            "builder",
            RobotLevel::tenant,
            {on(RobotLevel::tenant, "default", {{"project", "create"}}), on(RobotLevel::project, "*", push_too)}
        )
    ));
    ASSERT_TRUE(tenant) << tenant.error().message();
    EXPECT_EQ(tenant->robot.name, "robot$@default+builder");
    EXPECT_EQ(tenant->robot.tenant_id, default_tenant_id);
    const auto builder = robot_named("robot$@default+builder");
    EXPECT_EQ(policy.allowed(builder, "apps/web"), bit(Action::pull) | bit(Action::push));
    EXPECT_TRUE(policy.may(
        builder,
        need(ObjectKind::tenant, "project", "create"),
        {.kind = ObjectKind::tenant, .id = default_tenant_id, .name = {}}
    ));
    EXPECT_FALSE(policy.may(builder, need(ObjectKind::platform, "project", "create"), the_platform));
}

TEST_F(RobotVerbs, orders_that_make_no_sense_are_refused)
{
    for (const auto* name : {"", "CI", "ci-", "-ci", "c..i", "c i", "c$i", "a+b"}) {
        EXPECT_EQ(refusal(ada, on_apps(name, pull)), Errc::bad_request) << name;
    }
    for (const std::int64_t days : {-2, 36'501}) {
        auto wanted = on_apps("ci", pull);
        wanted.days = days;
        EXPECT_EQ(refusal(ada, wanted), Errc::bad_request) << days;
    }
    EXPECT_EQ(refusal(ada, on_apps("ci", {})), Errc::bad_request);
    EXPECT_EQ(refusal(ada, on_apps("ci", {{"repository", "fly"}})), Errc::bad_request);
    EXPECT_EQ(refusal(ada, on_apps("ci", {{"user", "create"}})), Errc::bad_request) << "nothing of a project";
    EXPECT_EQ(refusal(ada, order("ci", RobotLevel::project, {})), Errc::bad_request);
    EXPECT_EQ(
        refusal(root, order("ci", RobotLevel::system, {on(RobotLevel::system, "/", {{"configuration", "update"}})})),
        Errc::bad_request
    );
    const auto two = {on(RobotLevel::project, "apps", pull), on(RobotLevel::project, "others", pull)};
    EXPECT_EQ(refusal(root, order("ci", RobotLevel::project, two)), Errc::bad_request);
    EXPECT_EQ(refusal(root, order("ci", RobotLevel::tenant, two)), Errc::bad_request) << "of which tenant?";
}

TEST_F(RobotVerbs, nobody_gives_a_robot_what_they_do_not_hold)
{
    const auto eve = person("eve");
    EXPECT_EQ(refusal(eve, on_apps("ci", pull)), Errc::not_found);
    grant(eve, role::maintainer, ObjectKind::project, apps);
    EXPECT_EQ(refusal(eve, on_apps("ci", pull)), Errc::denied) << "a maintainer makes no robots";
    Role maker;
    maker.name = "robot-maker";
    maker.permissions.add(need(ObjectKind::project, "robot", "create"));
    const auto role = run(store.roles().create(maker, {}));
    grant(eve, role->id, ObjectKind::project, apps);
    EXPECT_TRUE(run(robots.create(eve, on_apps("pusher", push_too))));
    EXPECT_EQ(refusal(eve, on_apps("more", {{"member", "create"}})), Errc::denied);
    EXPECT_EQ(refusal(eve, order("all", RobotLevel::system, {on(RobotLevel::project, "apps", pull)})), Errc::denied);
    EXPECT_EQ(
        refusal(ada, order("x", RobotLevel::project, {on(RobotLevel::project, "others", pull)})), Errc::not_found
    );
    EXPECT_EQ(refusal(ada, order("x", RobotLevel::project, {on(RobotLevel::project, "*", pull)})), Errc::not_found);
}

TEST_F(RobotVerbs, a_robot_makes_robots_within_its_own_grants)
{
    ASSERT_TRUE(run(robots.create(ada, on_apps("parent", {{"robot", "create"}, {"repository", "pull"}}))));
    const auto parent = robot_named("robot$apps+parent");
    EXPECT_TRUE(run(robots.create(parent, on_apps("child", pull))));
    EXPECT_EQ(refusal(parent, on_apps("big", push_too)), Errc::denied);
    EXPECT_EQ(refusal(parent, on_apps("admin", {{"robot", "delete"}})), Errc::denied);
    const auto child = robot_named("robot$apps+child");
    EXPECT_EQ(refusal(child, on_apps("grandchild", pull)), Errc::denied);
}

TEST_F(RobotVerbs, a_robot_that_may_more_is_nobodys_to_take_over)
{
    const auto strong = run(robots.create(ada, on_apps("strong", {{"member", "create"}, {"repository", "pull"}})));
    const auto weak = run(robots.create(ada, on_apps("weak", pull)));
    ASSERT_TRUE(strong && weak);
    const auto eve = person("eve");
    grant(eve, role::guest, ObjectKind::project, apps);
    Role keeper;
    keeper.name = "robot-keeper";
    keeper.permissions.add(need(ObjectKind::project, "robot", "update"));
    grant(eve, run(store.roles().create(keeper, {}))->id, ObjectKind::project, apps);

    EXPECT_EQ(run(robots.rotate(eve, strong->robot.id, {}, 0s)).error().code(), Errc::denied);
    EXPECT_TRUE(run(robots.rotate(eve, weak->robot.id, {}, 0s)));
    RobotWish wish;
    wish.permissions = {on(RobotLevel::project, "apps", push_too)};
    EXPECT_EQ(run(robots.change(eve, weak->robot.id, wish)).error().code(), Errc::denied);
    // What stays as it is is given by nobody.
    wish.permissions = {on(RobotLevel::project, "apps", {{"repository", "pull"}, {"member", "create"}})};
    wish.description = "still the same";
    EXPECT_TRUE(run(robots.change(eve, strong->robot.id, wish)));
    EXPECT_EQ(run(robots.remove(eve, weak->robot.id)).error().code(), Errc::denied);
}

TEST_F(RobotVerbs, a_robot_of_others_looks_like_one_that_is_not_there)
{
    const auto made = run(robots.create(ada, on_apps("ci", pull)));
    const auto system =
        run(robots.create(root, order("sys", RobotLevel::system, {on(RobotLevel::project, "*", pull)})));
    ASSERT_TRUE(made && system);
    const auto eve = person("eve");
    for (const auto id : {made->robot.id, system->robot.id, std::int64_t{4711}}) {
        EXPECT_EQ(run(robots.find(eve, id)).error().code(), Errc::not_found);
        EXPECT_EQ(run(robots.change(eve, id, {})).error().code(), Errc::not_found);
        EXPECT_EQ(run(robots.rotate(eve, id, {}, 0s)).error().code(), Errc::not_found);
        EXPECT_EQ(run(robots.remove(eve, id)).error().code(), Errc::not_found);
    }
    EXPECT_EQ(run(robots.list(eve, RobotLevel::project, apps, {})).error().code(), Errc::not_found);
    EXPECT_EQ(run(robots.list(eve, RobotLevel::system, 0, {})).error().code(), Errc::denied);
    EXPECT_EQ(run(robots.list(ada, RobotLevel::project, apps, {}))->total, 1);
}

TEST_F(RobotVerbs, the_end_counts_from_creation_and_ends_everything)
{
    auto wanted = on_apps("ci", pull);
    wanted.days = 10;
    const auto made = run(robots.create(ada, wanted));
    ASSERT_TRUE(made);
    const auto ci = robot_named("robot$apps+ci");
    clock.advance(24h * 5);
    RobotWish wish;
    wish.days = 7;
    EXPECT_TRUE(run(robots.change(ada, made->robot.id, wish)));
    clock.advance(24h * 2 - 1s);
    EXPECT_TRUE(policy.is_current(ci));
    clock.advance(1s);
    EXPECT_FALSE(policy.is_current(ci));
    EXPECT_EQ(policy.allowed(ci, "apps/web"), 0);
    wish.days = -1;
    EXPECT_TRUE(run(robots.change(ada, made->robot.id, wish)));
    EXPECT_TRUE(policy.is_current(ci));
    wish.days = 0;
    const auto usual = run(robots.change(ada, made->robot.id, wish));
    EXPECT_EQ(usual->after.duration_days, 30) << "the installation's default";
}

TEST_F(RobotVerbs, disabling_and_removing_count_at_once_and_names_stay_what_they_were)
{
    const auto made = run(robots.create(ada, on_apps("ci", pull)));
    ASSERT_TRUE(made);
    const auto ci = robot_named("robot$apps+ci");
    RobotWish wish;
    wish.disabled = true;
    EXPECT_TRUE(run(robots.change(ada, made->robot.id, wish)));
    EXPECT_FALSE(policy.is_current(ci));
    wish.disabled = false;
    for (const auto* same : {"ci", "robot$apps+ci"}) {
        wish.name = same;
        EXPECT_TRUE(run(robots.change(ada, made->robot.id, wish))) << same;
    }
    wish.name = "other";
    EXPECT_EQ(run(robots.change(ada, made->robot.id, wish)).error().code(), Errc::bad_request);
    wish.name = std::nullopt;
    wish.level = RobotLevel::system;
    EXPECT_EQ(run(robots.change(ada, made->robot.id, wish)).error().code(), Errc::bad_request);
    EXPECT_TRUE(policy.is_current(ci));
    EXPECT_TRUE(run(robots.remove(ada, made->robot.id)));
    EXPECT_FALSE(policy.is_current(ci));
}

TEST_F(RobotVerbs, the_secret_before_lives_on_as_long_as_was_asked_for)
{
    const auto made = run(robots.create(ada, on_apps("ci", pull)));
    ASSERT_TRUE(made);
    const auto ci = robot_named("robot$apps+ci");
    const auto next = run(robots.rotate(ada, made->robot.id, {}, 1h));
    ASSERT_TRUE(next);
    auto account = run(store.accounts().find("robot$apps+ci"));
    EXPECT_EQ(account->robot.current, secret_hash(next->secret));
    EXPECT_EQ(account->robot.previous, secret_hash(made->secret));
    EXPECT_EQ(account->robot.previous_until, clock.now() + 3'600'000'000);
    EXPECT_TRUE(policy.is_current(ci));
    EXPECT_TRUE(run(robots.rotate(ada, made->robot.id, "Chosen1secret", 0s)));
    account = run(store.accounts().find("robot$apps+ci"));
    EXPECT_EQ(account->robot.current, "$argon2id$Chosen1secret") << "what people choose is hashed slowly";
    EXPECT_EQ(account->robot.previous, "");
    EXPECT_FALSE(policy.is_current(ci)) << "what the secrets before had opened";
    EXPECT_TRUE(policy.is_current(robot_named("robot$apps+ci")));
    EXPECT_EQ(run(robots.rotate(ada, made->robot.id, "weak", 0s)).error().code(), Errc::bad_request);
    EXPECT_EQ(run(robots.rotate(ada, made->robot.id, {}, -1s)).error().code(), Errc::bad_request);
    EXPECT_EQ(run(robots.rotate(ada, made->robot.id, {}, 24h * 31)).error().code(), Errc::bad_request);
}

}  // namespace
}  // namespace entrepot

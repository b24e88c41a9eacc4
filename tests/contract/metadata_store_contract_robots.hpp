#pragma once

#include "access/permission_text.hpp"
#include "tests/contract/metadata_store_contract.hpp"

#include <algorithm>

namespace entrepot::contract {

class RobotContract : public MetadataStoreContract {
protected:
    static RobotRight right(ObjectKind kind, std::int64_t id, std::string_view permissions)
    {
        return {.kind = kind, .object_id = id, .object_name = {}, .permissions = permissions_in(permissions, kind)};
    }
    std::int64_t project_id(std::string_view name = "p") { return run(store().projects().find(project(name)))->id; }
    Robot project_robot(std::string name)
    {
        Robot robot;
        robot.name = std::move(name);
        robot.level = RobotLevel::project;
        robot.project_id = project_id();
        robot.description = "builds";
        robot.duration_days = 30;
        robot.expires_at = 5'000'000;
        robot.rights = {right(ObjectKind::project, robot.project_id, "repository:pull repository:push")};
        return robot;
    }
    Robot make(std::string name)
    {
        return run(store().robots().create(project_robot(std::move(name)), "h1", someone)).value();
    }
    AccessChanges since(std::int64_t version) { return run(store().access().changes_since(version)).value(); }
};

TEST_P(RobotContract, makes_a_robot_that_is_a_principal_with_its_rights)
{
    const auto before = since(0).version;
    const auto made = run(store().robots().create(project_robot("robot$p+ci"), "hash-one", someone));
    ASSERT_TRUE(made) << made.error().message() << made.error().detail();
    host().reopen();
    const auto found = run(store().robots().find(made->id));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "robot$p+ci");
    EXPECT_EQ(found->level, RobotLevel::project);
    EXPECT_EQ(found->project_id, project_id());
    EXPECT_EQ(found->tenant_id, 0);
    EXPECT_EQ(found->description, "builds");
    EXPECT_FALSE(found->disabled);
    EXPECT_EQ(found->duration_days, 30);
    EXPECT_EQ(found->expires_at, 5'000'000);
    EXPECT_EQ(found->created_by, someone.user_id);
    EXPECT_EQ(found->created_at, someone.at);
    EXPECT_EQ(found->last_used_at, 0);
    ASSERT_EQ(found->rights.size(), 1U);
    EXPECT_EQ(found->rights[0].object_name, "p");
    EXPECT_EQ(permission_text(found->rights[0].permissions), "project/repository:pull project/repository:push");

    const auto account = run(store().accounts().find("robot$p+ci"));
    ASSERT_TRUE(account);
    EXPECT_EQ(account->kind, PrincipalKind::robot);
    EXPECT_EQ(account->robot.current, "hash-one");
    EXPECT_TRUE(account->robot.previous.empty());
    EXPECT_TRUE(account->password_hash.empty());
    EXPECT_EQ(account->robot.expires_at, 5'000'000);

    const auto changes = since(before);
    ASSERT_EQ(changes.principals.size(), 1U);
    EXPECT_EQ(changes.principals[0].id, made->id);
    EXPECT_EQ(changes.principals[0].expires_at, 5'000'000);
    EXPECT_EQ(changes.principals[0].credential_version, account->credential_version);
    EXPECT_TRUE(changes.principals[0].tenants.empty());
    ASSERT_EQ(changes.projects.size(), 1U);
    EXPECT_EQ(changes.projects[0].grants.size(), 1U);

    EXPECT_FAILS(Errc::conflict, run(store().robots().create(project_robot("robot$p+ci"), "h", someone)));
    auto lost = project_robot("robot$p+lost");
    lost.rights[0].object_id = 999;
    EXPECT_FAILS(Errc::not_found, run(store().robots().create(lost, "h", someone)));
    EXPECT_FAILS(Errc::not_found, run(store().accounts().find("robot$p+lost")));
    EXPECT_FAILS(Errc::not_found, run(store().robots().find(made->id + 1)));
}

TEST_P(RobotContract, lists_the_robots_of_one_place_filtered_sorted_and_paged)
{
    for (const auto* name : {"robot$p+b", "robot$p+a", "robot$p+c"}) make(name);
    Robot system = project_robot("robot$sys");
    system.level = RobotLevel::system;
    system.project_id = 0;
    system.rights.push_back(right(ObjectKind::platform, 0, "project:list project/repository:pull"));
    const auto made = run(store().robots().create(system, "h", someone)).value();
    ASSERT_EQ(made.rights.size(), 2U);

    const auto names = [](const Result<ListPage<Robot>>& page) {
        std::vector<std::string> listed;
        for (const auto& robot : page.value().items) listed.push_back(robot.name);
        return listed;
    };
    const auto all = run(store().robots().list(RobotLevel::project, project_id(), {}));
    EXPECT_EQ(names(all), (Names{"robot$p+a", "robot$p+b", "robot$p+c"}));
    EXPECT_EQ(all->total, 3);
    for (const auto& robot : all->items) EXPECT_EQ(robot.rights.size(), 1U);
    EXPECT_EQ(names(run(store().robots().list(RobotLevel::system, 0, {}))), Names{"robot$sys"});
    EXPECT_TRUE(run(store().robots().list(RobotLevel::tenant, 1, {}))->items.empty());
    EXPECT_TRUE(run(store().robots().list(RobotLevel::project, 999, {}))->items.empty());

    ListQuery query;
    query.conditions = {{"name", ListCondition::Kind::fuzzy, {"P+"}}};
    query.order = {{"name", true}};
    query.limit = 2;
    const auto page = run(store().robots().list(RobotLevel::project, project_id(), query));
    EXPECT_EQ(names(page), (Names{"robot$p+c", "robot$p+b"}));
    EXPECT_EQ(page->total, 3);
    query.conditions = {{"secret_hash", ListCondition::Kind::equal, {"h1"}}};
    EXPECT_FAILS(Errc::bad_request, run(store().robots().list(RobotLevel::project, project_id(), query)));
}

TEST_P(RobotContract, changes_what_it_is_told_and_nothing_else)
{
    EXPECT_SUCCEEDS(run(store().projects().create({.name = project("q")}, someone)));
    const auto robot = make("robot$p+ci");
    const auto before = since(0).version;
    RobotChange change;
    change.description = "tests";
    change.disabled = true;
    EXPECT_SUCCEEDS(run(store().robots().change(robot.id, change, {9, 3000})));
    auto found = run(store().robots().find(robot.id)).value();
    EXPECT_EQ(found.description, "tests");
    EXPECT_TRUE(found.disabled);
    EXPECT_EQ(found.expires_at, robot.expires_at);
    EXPECT_EQ(found.updated_at, 3000);
    EXPECT_EQ(found.rights.size(), 1U);
    ASSERT_EQ(since(before).principals.size(), 1U);
    EXPECT_TRUE(since(before).principals[0].disabled);

    change = {.duration_days = -1, .expires_at = 0};
    change.rights = {
        right(ObjectKind::project, project_id("q"), "repository:pull"), right(ObjectKind::tenant, 1, "team:list")
    };
    EXPECT_SUCCEEDS(run(store().robots().change(robot.id, change, someone)));
    found = run(store().robots().find(robot.id)).value();
    EXPECT_EQ(found.duration_days, -1);
    EXPECT_EQ(found.expires_at, 0);
    EXPECT_TRUE(found.disabled);
    ASSERT_EQ(found.rights.size(), 2U);
    EXPECT_EQ(found.rights[0].object_name, "q");
    EXPECT_EQ(found.rights[1].object_name, "default");
    // What lost a right is told as well as what got one.
    const auto changes = since(before);
    EXPECT_EQ(changes.projects.size(), 2U);
    EXPECT_EQ(changes.tenants.size(), 1U);
    EXPECT_FAILS(Errc::not_found, run(store().robots().change(robot.id + 1, change, someone)));
}

TEST_P(RobotContract, a_new_secret_leaves_the_one_before_for_a_while_or_ends_it_at_once)
{
    const auto robot = make("robot$p+ci");
    const auto version = run(store().accounts().find_by_id(robot.id))->credential_version;
    EXPECT_SUCCEEDS(run(store().robots().set_secret(robot.id, "h2", 9'000, someone)));
    auto account = run(store().accounts().find_by_id(robot.id)).value();
    EXPECT_EQ(account.robot.current, "h2");
    EXPECT_EQ(account.robot.previous, "h1");
    EXPECT_EQ(account.robot.previous_until, 9'000);
    EXPECT_EQ(account.credential_version, version);
    EXPECT_SUCCEEDS(run(store().robots().set_secret(robot.id, "h3", 0, someone)));
    account = run(store().accounts().find_by_id(robot.id)).value();
    EXPECT_EQ(account.robot.current, "h3");
    EXPECT_TRUE(account.robot.previous.empty());
    EXPECT_GT(account.credential_version, version);
    EXPECT_FAILS(Errc::not_found, run(store().robots().set_secret(robot.id + 1, "h", 0, someone)));
}

TEST_P(RobotContract, a_removed_robot_frees_its_name_and_keeps_its_id)
{
    const auto robot = make("robot$p+ci");
    const auto before = since(0).version;
    EXPECT_SUCCEEDS(run(store().robots().remove(robot.id, someone)));
    EXPECT_FAILS(Errc::not_found, run(store().robots().remove(robot.id, someone)));
    EXPECT_FAILS(Errc::not_found, run(store().robots().find(robot.id)));
    EXPECT_FAILS(Errc::not_found, run(store().accounts().find("robot$p+ci")));
    EXPECT_FAILS(Errc::not_found, run(store().accounts().find_by_id(robot.id)));
    const auto changes = since(before);
    EXPECT_EQ(changes.removed_principals, std::vector{robot.id});
    ASSERT_EQ(changes.projects.size(), 1U);
    EXPECT_TRUE(changes.projects[0].grants.empty());
    EXPECT_EQ(since(0).principals.size(), 0U);
    EXPECT_GT(make("robot$p+ci").id, robot.id);
}

}  // namespace entrepot::contract

#pragma once

#include "tests/contract/metadata_store_contract.hpp"

#include <algorithm>

namespace entrepot::contract {

class AccessContract : public MetadataStoreContract {
protected:
    AccessChanges since(std::int64_t version)
    {
        auto changes = run(store().access().changes_since(version));
        EXPECT_TRUE(changes);
        return changes ? *std::move(changes) : AccessChanges{};
    }
    std::int64_t version() { return since(0).version; }
    std::int64_t user(std::string name)
    {
        Account account;
        account.name = std::move(name);
        account.credential_version = 1;
        return run(store().accounts().create(account))->id;
    }
    // A row put there past the store, as the catalogs of teams, grants and robots would.
    std::int64_t insert(const std::string& table_and_values, const std::string& returning = "id")
    {
        return host().number("INSERT INTO " + table_and_values + " RETURNING " + returning);
    }
    std::int64_t grant(const std::string& subject, const std::string& object, const std::string& carries)
    {
        return insert(
            "grants (subject_kind, subject_id, object_kind, object_id, role_id, permissions, pattern, expires_at, "
            "origin, created_by, created_at) VALUES (" +
            subject + ", " + object + ", " + carries + ", 'test', 0, 0)"
        );
    }
};

template <class Entries>
const auto* entry_of(const Entries& entries, std::int64_t id)
{
    const auto found = std::ranges::find_if(entries, [id](const auto& entry) { return entry.id == id; });
    return found == entries.end() ? nullptr : &*found;
}

TEST_P(AccessContract, a_project_comes_with_its_owners_grant_and_goes_with_all_grants)
{
    const auto alice = user("alice");
    const auto before = version();
    const auto made = run(store().projects().create({.name = project("mine"), .is_public = true}, {alice, 5}));
    ASSERT_TRUE(made);
    EXPECT_EQ(made->tenant_id, default_tenant_id);
    auto changes = since(before);
    EXPECT_FALSE(changes.complete);
    ASSERT_EQ(changes.projects.size(), 1U);
    const auto& entry = changes.projects.front();
    EXPECT_EQ(entry.name, "mine");
    EXPECT_EQ(entry.tenant_id, default_tenant_id);
    EXPECT_EQ(entry.owner_id, alice);
    EXPECT_TRUE(entry.is_public);
    ASSERT_EQ(entry.grants.size(), 1U);
    EXPECT_EQ(entry.grants.front().role_id, role::project_admin);
    EXPECT_EQ(entry.grants.front().subject, (SubjectKey{SubjectKind::principal, alice}));

    grant("'team', 4", "'repository', " + std::to_string(made->id), "2, '', 'web/**', 0");
    EXPECT_SUCCEEDS(run(store().projects().change(made->id, {.is_public = false}, someone)));
    const auto changed = since(changes.version);
    ASSERT_EQ(changed.projects.size(), 1U);
    EXPECT_FALSE(changed.projects.front().is_public);
    EXPECT_EQ(changed.projects.front().grants.size(), 2U);

    EXPECT_SUCCEEDS(run(store().projects().remove(made->id, someone)));
    const auto gone = since(changed.version);
    EXPECT_TRUE(gone.projects.empty());
    EXPECT_EQ(gone.removed_projects, std::vector{made->id});
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM grants WHERE object_id = " + std::to_string(made->id)), 0);
}

TEST_P(AccessContract, the_first_admin_holds_a_grant_on_the_platform_and_others_do_not)
{
    const auto before = version();
    Account admin;
    admin.name = "admin";
    const auto made = run(store().accounts().create_admin(admin));
    ASSERT_TRUE(made);
    const auto bob = user("bob");
    const auto changes = since(before);
    ASSERT_TRUE(changes.platform_grants);
    ASSERT_EQ(changes.platform_grants->size(), 1U);
    EXPECT_EQ(changes.platform_grants->front().role_id, role::platform_admin);
    EXPECT_EQ(changes.platform_grants->front().subject, (SubjectKey{SubjectKind::principal, made->id}));
    const auto* principal = entry_of(changes.principals, bob);
    ASSERT_NE(principal, nullptr);
    EXPECT_EQ(principal->tenants, std::vector{default_tenant_id});
    const auto everyone = host().number("SELECT id FROM teams WHERE tenant_id = 1 AND implicit = 1");
    EXPECT_EQ(principal->subjects, (std::vector{SubjectKey{SubjectKind::team, everyone}}));
}

TEST_P(AccessContract, a_new_password_is_a_new_version_of_the_credential)
{
    const auto alice = user("alice");
    const auto before = version();
    EXPECT_SUCCEEDS(run(store().accounts().set_password(alice, "$argon2id$two", {})));
    const auto changes = since(before);
    ASSERT_EQ(changes.principals.size(), 1U);
    EXPECT_EQ(changes.principals.front().credential_version, 2);
}

TEST_P(AccessContract, nothing_new_is_nothing_and_an_unknown_version_is_everything)
{
    user("alice");
    const auto all = since(0);
    EXPECT_TRUE(all.complete);
    EXPECT_EQ(all.projects.size(), 1U);
    EXPECT_EQ(all.tenants.size(), 1U);
    EXPECT_EQ(all.principals.size(), 1U);
    ASSERT_TRUE(all.platform_grants);
    ASSERT_TRUE(all.custom_roles);

    const auto nothing = since(all.version);
    EXPECT_EQ(nothing.version, all.version);
    EXPECT_FALSE(nothing.complete);
    EXPECT_TRUE(nothing.projects.empty());
    EXPECT_TRUE(nothing.principals.empty());
    EXPECT_FALSE(nothing.platform_grants);

    EXPECT_TRUE(since(all.version + 7).complete) << "of a database that is no longer this one";
    host().number("UPDATE access_state SET oldest = version RETURNING version");
    EXPECT_FALSE(since(all.version - 1).complete);
    EXPECT_TRUE(since(all.version - 2).complete);
}

TEST_P(AccessContract, old_changes_are_dropped_and_their_versions_answered_with_everything)
{
    // Far enough that the next round of trimming has something to drop.
    host().number("UPDATE access_state SET version = 11263 RETURNING version");
    const auto before = version();
    user("alice");
    EXPECT_EQ(host().number("SELECT oldest FROM access_state"), 11264 - 10'000 + 1);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM access_changes WHERE version <= 1264"), 0);
    EXPECT_TRUE(since(1).complete);
    EXPECT_FALSE(since(before).complete);
}

TEST_P(AccessContract, tells_what_everything_and_a_change_say_of_each_kind_of_entry)
{
    const auto alice = user("alice");
    const auto id = std::to_string(alice);
    const auto tenant = insert(
        "tenants (name, display_name, description, frozen, created_at, updated_at) VALUES ('acme', '', '', 1, 0, 0)"
    );
    const auto tenant_text = std::to_string(tenant);
    const auto everyone = insert(
        "teams (tenant_id, name, description, implicit, created_at, updated_at) VALUES (" + tenant_text +
        ", 'everyone', '', 1, 0, 0)"
    );
    const auto team = insert(
        "teams (tenant_id, name, description, created_at, updated_at) VALUES (" + tenant_text + ", 'sre', '', 0, 0)"
    );
    insert("team_members (team_id, user_id, added_at) VALUES (" + std::to_string(team) + ", " + id + ", 0)", "team_id");
    insert("tenant_members (tenant_id, user_id, joined_at) VALUES (" + tenant_text + ", " + id + ", 0)", "tenant_id");
    const auto group = insert("external_groups (name, type, created_at) VALUES ('ops', 1, 0)");
    insert("external_group_members (group_id, user_id) VALUES (" + std::to_string(group) + ", " + id + ")", "group_id");
    const auto token = insert(
        "access_tokens (user_id, name, hash, limits, created_at, expires_at) VALUES (" + id + ", 't', 'h', '', 0, 0)"
    );
    const auto robot = insert("users (name, is_admin, created_at, kind) VALUES ('robot$x', 0, 0, 'robot')");
    insert(
        "robots (user_id, level, description, duration_days, expires_at, created_by, secret_hash, created_at, "
        "updated_at) VALUES (" +
            std::to_string(robot) + ", 'system', '', 1, 777, 1, 'h', 0, 0)",
        "user_id"
    );
    insert("roles (id, name, description, permissions, created_at, updated_at) "
           "VALUES (1000, 'puller', 'pulls', 'project/repository:pull project/no-such:thing', 0, 0)");
    const auto on_tenant = grant("'team', 9", "'tenant', " + tenant_text, "8, '', '', 0");
    const auto on_partition = grant("'group', 3", "'partition', " + tenant_text, "11, '', 'east/gpu', 55");
    const auto of_robot =
        grant("'robot', " + std::to_string(robot), "'platform', 0", "0, 'project/repository:pull', '', 0");
    for (const std::string& change :
         {"'principal', " + id,
          "'principal', " + std::to_string(robot),
          "'tenant', " + tenant_text,
          std::string{"'platform', 0"},
          std::string{"'roles', 0"}}) {
        insert("access_changes (version, kind, id) SELECT version + 1, " + change + " FROM access_state", "id");
    }
    const auto before = version();
    host().number("UPDATE access_state SET version = version + 1 RETURNING version");

    for (const auto& changes : {since(before), since(0)}) {
        SCOPED_TRACE(changes.complete ? "everything" : "a change");
        const auto* principal = entry_of(changes.principals, alice);
        ASSERT_NE(principal, nullptr);
        for (const SubjectKey& subject :
             {SubjectKey{SubjectKind::team, team},
              SubjectKey{SubjectKind::team, everyone},
              SubjectKey{SubjectKind::group, group}}) {
            EXPECT_EQ(std::ranges::count(principal->subjects, subject), 1);
        }
        EXPECT_EQ(std::ranges::count(principal->tenants, tenant), 1);
        EXPECT_EQ(principal->access_tokens, std::vector{token});
        EXPECT_FALSE(principal->disabled);
        ASSERT_NE(entry_of(changes.principals, robot), nullptr);
        EXPECT_EQ(entry_of(changes.principals, robot)->expires_at, 777);
        const auto* acme = entry_of(changes.tenants, tenant);
        ASSERT_NE(acme, nullptr);
        EXPECT_TRUE(acme->frozen);
        const auto* admins = entry_of(acme->grants, on_tenant);
        const auto* gpus = entry_of(acme->grants, on_partition);
        ASSERT_TRUE(admins && gpus);
        EXPECT_EQ(admins->subject, (SubjectKey{SubjectKind::team, 9}));
        EXPECT_EQ(gpus->kind, ObjectKind::partition);
        EXPECT_EQ(gpus->pattern, "east/gpu");
        EXPECT_EQ(gpus->expires_at, 55);
        EXPECT_EQ(gpus->subject.kind, SubjectKind::group);
        ASSERT_TRUE(changes.platform_grants);
        const auto* pulls = entry_of(*changes.platform_grants, of_robot);
        ASSERT_NE(pulls, nullptr);
        ASSERT_TRUE(pulls->permissions);
        EXPECT_EQ(pulls->permissions->size(), 1U);
        ASSERT_TRUE(changes.custom_roles);
        ASSERT_EQ(changes.custom_roles->size(), 1U);
        EXPECT_EQ(changes.custom_roles->front().permissions.size(), 1U);
    }
    const auto now = version();
    host().number("UPDATE users SET disabled = 1 WHERE id = " + id + " RETURNING id");
    EXPECT_SUCCEEDS(run(store().accounts().set_password(alice, "x", {})));
    EXPECT_TRUE(since(now).principals.front().disabled);
}

TEST_P(AccessContract, a_projects_robots_go_with_it)
{
    const auto made = run(store().projects().create({.name = project("mine")}, someone));
    ASSERT_TRUE(made);
    const auto robot = insert("users (name, is_admin, created_at, kind) VALUES ('robot$mine+x', 0, 0, 'robot')");
    const auto id = std::to_string(robot);
    insert(
        "robots (user_id, level, project_id, description, duration_days, expires_at, created_by, secret_hash, "
        "created_at, updated_at) VALUES (" +
            id + ", 'project', " + std::to_string(made->id) + ", '', 1, 0, 1, 'h', 0, 0)",
        "user_id"
    );
    grant("'robot', " + id, "'project', " + std::to_string(made->id), "0, 'project/repository:pull', '', 0");
    const auto before = version();
    EXPECT_SUCCEEDS(run(store().projects().remove(made->id, someone)));
    EXPECT_EQ(since(before).removed_principals, std::vector{robot});
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM robots"), 0);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM grants WHERE subject_kind = 'robot'"), 0);
}

TEST_P(AccessContract, a_project_needs_a_tenant_that_is_there)
{
    EXPECT_FAILS(Errc::not_found, run(store().projects().create({.name = project("q"), .tenant_id = 99}, someone)));
}

}  // namespace entrepot::contract

#include "tenancy/access_tokens.hpp"

#include "access/token_text.hpp"
#include "core/run_to_end.hpp"
#include "tenancy/users.hpp"
#include "tests/support/access_entries_of.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_accounts.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

class TokensOfPeople : public testing::Test {
protected:
    TokensOfPeople()
    {
        alice = add("alice");
        bob = add("bob");
        const auto member = grant_to(principal_key(alice.identity->user_id), role::developer);
        access.more.tenants = {tenant_entry(1, "default"), tenant_entry(2, "hidden")};
        access.more.projects = {project_entry(7, "team", false, {member}), project_entry(8, "secret", false)};
        EXPECT_TRUE(run_to_end(directory.catch_up()));
    }
    Caller add(const std::string& name)
    {
        Account account;
        account.name = name;
        account.credential_version = 1;
        const auto made = run_to_end(accounts.create(account));
        Caller caller{
            .identity = std::make_shared<Identity>(Identity{made->id, name, PrincipalKind::user}), .scopes = {}
        };
        caller.credential_version = 1;
        return caller;
    }
    using Scope = AccessTokens::Scope;
    Result<AccessTokens::Made> make(std::vector<Scope> scopes)
    {
        AccessTokens::Wanted wanted;
        wanted.name = "token " + std::to_string(++made_);
        wanted.scopes = std::move(scopes);
        return run_to_end(tokens.make(std::move(wanted), alice));
    }
    void expect_refused(Errc code, std::vector<Scope> scopes)
    {
        const auto made = make(std::move(scopes));
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code(), code);
        EXPECT_TRUE(access_tokens.stored.empty());
    }

    FakeClock clock;
    SystemRandom random;
    MemoryAccounts accounts;
    MemoryAccessTokens access_tokens;
    AccessPolicy policy{ProjectCreation::admins, clock};
    MemoryAccess access{accounts, access_tokens};
    AccessDirectory directory{access, policy};
    AccessTokens tokens{{access_tokens, accounts, policy, directory, clock, random}};
    Caller alice;
    Caller bob;

private:
    int made_ = 0;
};

TEST_F(TokensOfPeople, are_stored_by_their_hash_and_known_at_once)
{
    const auto made = run_to_end(tokens.make({.name = "laptop"}, alice));
    ASSERT_TRUE(made);
    EXPECT_TRUE(is_access_token(made->text));
    EXPECT_EQ(access_tokens.stored.at(made->token.id).hash, secret_hash(made->text));
    EXPECT_FALSE(made->token.scopes);
    auto caller = alice;
    caller.access_token_id = made->token.id;
    EXPECT_TRUE(policy.is_current(caller));
    ASSERT_TRUE(run_to_end(tokens.remove(alice.identity->user_id, made->token.id, alice)));
    EXPECT_FALSE(policy.is_current(caller));
}

TEST_F(TokensOfPeople, name_what_they_are_narrowed_to)
{
    const auto made = make({{ObjectKind::project, "team", {{"repository", "pull"}, {"tag", "list"}}}});
    ASSERT_TRUE(made);
    const auto& limit = made->token.scopes->front().limit;
    EXPECT_EQ(limit.kind, ObjectKind::project);
    EXPECT_EQ(limit.id, 7);
    EXPECT_EQ(limit.permissions.size(), 2U);
    EXPECT_TRUE(limit.permissions.has(*find_permission(ObjectKind::project, "repository", "pull")));
}

TEST_F(TokensOfPeople, reach_down_from_the_object_that_they_name)
{
    const auto made = make({{ObjectKind::platform, "*", {{"robot", "create"}, {"repository", "pull"}}}});
    ASSERT_TRUE(made);
    const auto& permissions = made->token.scopes->front().limit.permissions;
    EXPECT_EQ(permissions.size(), 4U);
    for (const auto kind : {ObjectKind::platform, ObjectKind::tenant, ObjectKind::project}) {
        EXPECT_TRUE(permissions.has(*find_permission(kind, "robot", "create")));
    }
}

TEST_F(TokensOfPeople, hold_no_permission_that_there_is_not)
{
    expect_refused(Errc::bad_request, {{ObjectKind::project, "team", {{"repository", "fly"}}}});
    expect_refused(Errc::bad_request, {{ObjectKind::project, "team", {{"user", "create"}}}});
    expect_refused(Errc::bad_request, {{ObjectKind::project, "team", {}}});
    expect_refused(Errc::bad_request, {});
}

TEST_F(TokensOfPeople, do_not_tell_what_exists)
{
    const auto hidden = make({{ObjectKind::project, "secret", {{"repository", "pull"}}}});
    const auto missing = make({{ObjectKind::project, "nothing", {{"repository", "pull"}}}});
    ASSERT_FALSE(hidden);
    ASSERT_FALSE(missing);
    EXPECT_EQ(hidden.error().code(), Errc::not_found);
    EXPECT_EQ(hidden.error().message(), missing.error().message());
    expect_refused(Errc::not_found, {{ObjectKind::tenant, "hidden", {{"repository", "pull"}}}});
}

TEST_F(TokensOfPeople, are_neither_made_nor_revoked_by_tokens_or_robots)
{
    const auto made = run_to_end(tokens.make({.name = "laptop"}, alice));
    ASSERT_TRUE(made);
    auto by_token = alice;
    by_token.access_token_id = made->token.id;
    auto robot = alice;
    robot.identity = std::make_shared<Identity>(Identity{alice.identity->user_id, "robot$x", PrincipalKind::robot});
    for (const auto& caller : {by_token, robot}) {
        EXPECT_EQ(run_to_end(tokens.make({.name = "wider"}, caller)).error().code(), Errc::denied);
        const auto removed = run_to_end(tokens.remove(alice.identity->user_id, made->token.id, caller));
        EXPECT_EQ(removed.error().code(), Errc::denied);
    }
}

TEST_F(TokensOfPeople, are_nobody_elses)
{
    const auto made = run_to_end(tokens.make({.name = "laptop"}, alice));
    ASSERT_TRUE(made);
    const auto owner = alice.identity->user_id;
    EXPECT_EQ(run_to_end(tokens.of_user(owner, bob)).error().code(), Errc::denied);
    EXPECT_EQ(run_to_end(tokens.of_user(999, bob)).error().code(), Errc::denied);
    EXPECT_EQ(run_to_end(tokens.remove(owner, made->token.id, bob)).error().code(), Errc::denied);
    EXPECT_EQ(run_to_end(tokens.remove(bob.identity->user_id, made->token.id, bob)).error().code(), Errc::not_found);
    EXPECT_TRUE(run_to_end(tokens.of_user(owner, alice)));
}

TEST_F(TokensOfPeople, expire_in_the_future)
{
    EXPECT_FALSE(run_to_end(tokens.make({.name = "late", .expires_at = clock.now()}, alice)));
    EXPECT_TRUE(run_to_end(tokens.make({.name = "early", .expires_at = clock.now() + 1}, alice)));
}

TEST_F(TokensOfPeople, are_a_hundred_at_most)
{
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(run_to_end(tokens.make({.name = "token " + std::to_string(i)}, alice)));
    }
    EXPECT_EQ(run_to_end(tokens.make({.name = "one more"}, alice)).error().code(), Errc::precondition_failed);
}

}  // namespace
}  // namespace entrepot

#include "access/token.hpp"

#include "tests/support/access_entries_of.hpp"
#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

constexpr std::int64_t noon = 1'790'000'000;
const TokenRules rules{"us", "our-service", std::chrono::seconds{60}};

TokenClaims claims()
{
    TokenClaims made;
    made.issuer = "us";
    made.audience = "our-service";
    made.issued_at = made.not_before = noon;
    made.expires_at = noon + 1'800;
    return made;
}

bool valid_at(const TokenClaims& made, std::int64_t seconds)
{
    return check_claims(made, rules, seconds * 1'000'000).has_value();
}

TEST(TokenClaims, are_valid_from_issue_to_expiry_with_leeway_on_both_sides)
{
    EXPECT_TRUE(valid_at(claims(), noon));
    EXPECT_TRUE(valid_at(claims(), noon - 60));
    EXPECT_FALSE(valid_at(claims(), noon - 61));
    EXPECT_TRUE(valid_at(claims(), noon + 1'800 + 59));
    EXPECT_FALSE(valid_at(claims(), noon + 1'800 + 60));
}

TEST(TokenClaims, of_another_issuer_or_audience_are_refused)
{
    auto foreign = claims();
    foreign.issuer = "them";
    EXPECT_FALSE(valid_at(foreign, noon));
    auto elsewhere = claims();
    elsewhere.audience = "another-service";
    EXPECT_FALSE(valid_at(elsewhere, noon));
}

TEST(TokenClaims, with_times_out_of_range_are_refused)
{
    auto endless = claims();
    endless.expires_at = std::numeric_limits<std::int64_t>::max();
    EXPECT_FALSE(valid_at(endless, noon));
    auto early = claims();
    early.not_before = std::numeric_limits<std::int64_t>::min();
    EXPECT_FALSE(valid_at(early, noon));
}

TEST(TokenClaims, a_user_without_a_name_or_a_name_without_a_user_is_refused)
{
    auto unnamed = claims();
    unnamed.user_id = 7;
    EXPECT_FALSE(valid_at(unnamed, noon));
    auto nobody = claims();
    nobody.subject = "alice";
    EXPECT_FALSE(valid_at(nobody, noon));
}

class Granted : public testing::Test {
protected:
    Granted()
    {
        const auto owner = grant_to(principal_key(7), role::project_admin);
        AccessChanges changes;
        changes.complete = true;
        changes.tenants = {tenant_entry(1, "default")};
        changes.projects = {project_entry(1, "open", true, {owner}), project_entry(2, "closed", false, {owner})};
        changes.principals = {principal_entry(7), principal_entry(8)};
        policy.apply(changes);
    }
    FakeClock clock;
    AccessPolicy policy{ProjectCreation::admins, clock};
    TokenScopes everything{{{"open/a", all_actions}, {"closed/a", all_actions}, {"absent/a", all_actions}}, true};
};

TEST_F(Granted, to_anonymous_is_pulling_what_is_public)
{
    const auto scopes = granted(everything, caller_with_id(0), policy);
    EXPECT_EQ(scopes.actions_on("open/a"), bit(Action::pull));
    EXPECT_EQ(scopes.actions_on("closed/a"), 0);
    EXPECT_EQ(scopes.actions_on("absent/a"), 0);
    EXPECT_EQ(scopes.entries.size(), 1U);
    EXPECT_FALSE(scopes.catalog);
}

TEST_F(Granted, to_an_owner_is_no_more_than_was_asked_for)
{
    const TokenScopes asked{{{"closed/a", bit(Action::pull)}}, false};
    const auto scopes = granted(asked, caller_with_id(7), policy);
    EXPECT_EQ(scopes.actions_on("closed/a"), bit(Action::pull));
    EXPECT_EQ(scopes.actions_on("open/a"), 0);
    EXPECT_FALSE(scopes.catalog);
}

TEST_F(Granted, a_private_project_of_others_looks_like_one_that_does_not_exist)
{
    const TokenScopes asked{{{"closed/a", all_actions}, {"absent/a", all_actions}}, false};
    EXPECT_TRUE(granted(asked, caller_with_id(8), policy).entries.empty());
}

TEST_F(Granted, by_a_former_name_is_pulling_what_may_be_pulled_today)
{
    AccessChanges change;
    change.version = 1;
    const auto owner = grant_to(principal_key(7), role::project_admin);
    change.projects = {project_entry(1, "open", true, {owner}), project_entry(2, "closed", false, {owner})};
    change.projects[0].moved["a"] = {.project_id = 2, .path = "b"};
    change.projects[1].former_names = {"absent"};
    policy.apply(change);
    const auto owners = granted(everything, caller_with_id(7), policy);
    EXPECT_EQ(owners.actions_on("open/a"), bit(Action::pull));
    EXPECT_EQ(owners.actions_on("absent/a"), bit(Action::pull));
    EXPECT_EQ(owners.actions_on("closed/a"), all_actions);
    EXPECT_TRUE(granted(everything, caller_with_id(8), policy).entries.empty()) << "it was public where it was";
}

}  // namespace
}  // namespace entrepot

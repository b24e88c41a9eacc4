#include "tests/support/authentication_fixture.hpp"

namespace entrepot {
namespace {

using TokenAuthentication = AuthenticationFixture;

TEST_F(TokenAuthentication, an_access_token_is_its_owners_password_until_it_is_revoked)
{
    const auto text = add_access_token(alice);
    const auto caller = authenticate(basic("alice", text));
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->identity->user_id, alice);
    EXPECT_EQ(caller->access_token_id, 1);
    EXPECT_FALSE(caller->limit);
    EXPECT_TRUE(authenticator.peek(basic("alice", text)));
    EXPECT_TRUE(run_to_end(authenticator.check_access_token(text)));
    expect_unauthorized(basic("mallory", text));
    ASSERT_TRUE(run_to_end(access_tokens.remove(alice, 1, {})));
    noticed();
    expect_unauthorized(basic("alice", text));
    EXPECT_FALSE(authenticator.peek_access_token(text));
    EXPECT_FALSE(run_to_end(authenticator.check_access_token(text)));
}

TEST_F(TokenAuthentication, an_access_token_brings_its_limit)
{
    const auto text = add_access_token(alice);
    AccessTokenScope scope;
    scope.limit.kind = ObjectKind::project;
    scope.limit.id = 7;
    access_tokens.stored.at(1).scopes = {scope};
    const auto caller = authenticate(basic("alice", text));
    ASSERT_TRUE(caller);
    ASSERT_TRUE(caller->limit);
    EXPECT_EQ(caller->limit->entries.front().id, 7);
}

TEST_F(TokenAuthentication, an_access_token_ends_when_it_expires_also_when_it_is_remembered)
{
    const auto text = add_access_token(alice, clock.now() + 10'000'000);
    ASSERT_TRUE(authenticate(basic("alice", text)));
    clock.advance(std::chrono::seconds{10});
    expect_unauthorized(basic("alice", text));
}

TEST_F(TokenAuthentication, a_token_made_from_an_access_token_is_as_narrow_and_dies_with_it)
{
    add_access_token(alice);
    AccessTokenScope scope;
    scope.limit.kind = ObjectKind::project;
    access_tokens.stored.at(1).scopes = {scope};
    const auto bearer = "Bearer " + *signer.sign({"alice", alice, 1, 1}, {{}, true}, "id", clock.now());
    const auto caller = authenticate(bearer);
    ASSERT_TRUE(caller);
    EXPECT_TRUE(caller->limit);
    EXPECT_EQ(caller->access_token_id, 1);
    EXPECT_TRUE(authenticator.peek(bearer));
    ASSERT_TRUE(run_to_end(access_tokens.remove(alice, 1, {})));
    noticed();
    expect_unauthorized(bearer);
}

TEST_F(TokenAuthentication, a_token_made_from_an_access_token_ends_when_that_expires)
{
    add_access_token(alice, clock.now() + 10'000'000);
    const auto bearer = "Bearer " + *signer.sign({"alice", alice, 1, 1}, {}, "id", clock.now());
    ASSERT_TRUE(authenticate(bearer));
    clock.advance(std::chrono::seconds{10});
    expect_unauthorized(bearer);
}

TEST_F(TokenAuthentication, a_token_carries_its_scopes_and_is_remembered)
{
    const auto bearer = "bearer " + token({{{"team/app", bit(Action::pull)}}, true});
    EXPECT_FALSE(authenticator.peek(bearer));
    const auto caller = authenticate(bearer);
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->identity->user_id, alice);
    EXPECT_EQ(caller->scopes->actions_on("team/app"), bit(Action::pull));
    EXPECT_TRUE(caller->scopes->catalog);
    const auto remembered = authenticator.peek(bearer);
    ASSERT_TRUE(remembered);
    EXPECT_EQ(remembered->scopes, caller->scopes);
}

TEST_F(TokenAuthentication, an_anonymous_token_is_anonymous_but_narrowed)
{
    const auto caller = authenticate("Bearer " + token_of(good_claims()));
    ASSERT_TRUE(caller);
    EXPECT_TRUE(caller->identity->anonymous());
    EXPECT_TRUE(caller->scopes);
}

TEST_F(TokenAuthentication, an_expired_token_is_refused_also_when_it_was_remembered)
{
    const auto bearer = "Bearer " + token();
    ASSERT_TRUE(authenticate(bearer));
    clock.advance(std::chrono::minutes{31});
    expect_unauthorized(bearer);
}

TEST_F(TokenAuthentication, a_token_that_is_not_valid_yet_is_refused)
{
    auto claims = good_claims();
    claims.not_before += 61;
    expect_unauthorized("Bearer " + token_of(claims));
}

TEST_F(TokenAuthentication, a_token_for_another_audience_is_refused)
{
    auto claims = good_claims();
    claims.audience = "another-service";
    expect_unauthorized("Bearer " + token_of(claims));
}

TEST_F(TokenAuthentication, a_token_of_another_issuer_is_refused)
{
    auto claims = good_claims();
    claims.issuer = "somebody-else";
    expect_unauthorized("Bearer " + token_of(claims));
}

TEST_F(TokenAuthentication, a_token_signed_by_a_foreign_key_is_refused)
{
    const auto foreign = *SigningKey::generate();
    expect_unauthorized("Bearer " + *foreign.sign(claims_to_json(good_claims())));
}

TEST_F(TokenAuthentication, a_token_whose_claims_are_not_claims_is_refused)
{
    for (const auto* payload : {"", "null", "[]", "{}", "{\"iss\":1}", "\"text\""}) {
        expect_unauthorized("Bearer " + *keys.signer()->sign(payload));
    }
}

TEST_F(TokenAuthentication, a_token_of_a_deleted_user_does_not_pass_to_the_next_one_of_that_name)
{
    const auto bearer = "Bearer " + token();
    accounts.erase(alice);
    noticed();
    expect_unauthorized(bearer);
    Account next;
    next.name = "alice";
    next.credential_version = 1;
    ASSERT_TRUE(run_to_end(accounts.create(next)));
    noticed();
    expect_unauthorized(bearer);
}

TEST_F(TokenAuthentication, a_token_goes_on_while_the_database_is_away)
{
    const auto bearer = "Bearer " + token();
    ASSERT_TRUE(authenticate(bearer));
    accounts.away = true;
    clock.advance(std::chrono::minutes{2});
    EXPECT_TRUE(authenticate(bearer));
    const auto password = authenticate(basic("alice", "Secret123"));
    ASSERT_FALSE(password);
    EXPECT_EQ(password.error().code(), Errc::unavailable);
}

TEST_F(TokenAuthentication, a_refresh_token_is_no_access_token)
{
    expect_unauthorized("Bearer " + std::string{refresh_prefix} + random.base64url(32));
}

}  // namespace
}  // namespace entrepot

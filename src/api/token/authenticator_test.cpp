#include "tests/support/authenticator_fixture.hpp"

namespace entrepot {
namespace {

TEST_F(Authentication, without_a_header_is_anonymous_from_memory)
{
    const auto caller = authenticator.peek(std::nullopt);
    ASSERT_TRUE(caller);
    EXPECT_TRUE(caller->identity->anonymous());
    EXPECT_FALSE(caller->scopes);
}

TEST_F(Authentication, an_empty_or_foreign_scheme_is_not_anonymous)
{
    for (const auto* header : {"", "Basic", "Bearer", "Bearer ", "Digest x", "Basic Og==", "Basic !"})
        expect_unauthorized(header);
}

TEST_F(Authentication, a_right_password_is_checked_once_and_then_remembered)
{
    EXPECT_FALSE(authenticator.peek(basic("alice", "Secret123")));
    const auto caller = authenticate(basic("alice", "Secret123"));
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->identity->user_id, alice);
    EXPECT_FALSE(caller->scopes);
    const auto remembered = authenticator.peek(basic("alice", "Secret123"));
    ASSERT_TRUE(remembered);
    EXPECT_EQ(remembered->identity->name, "alice");
    EXPECT_FALSE(authenticator.peek(basic("alice", "Secret124")));
}

TEST_F(Authentication, wrong_passwords_and_unknown_users_get_the_same_answer)
{
    const auto wrong = authenticate(basic("alice", "Wrong1234"));
    const auto unknown = authenticate(basic("nobody", "Wrong1234"));
    ASSERT_FALSE(wrong);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(wrong.error().code(), Errc::unauthorized);
    EXPECT_EQ(unknown.error().code(), Errc::unauthorized);
    EXPECT_EQ(wrong.error().message(), unknown.error().message());
}

TEST_F(Authentication, a_changed_password_ends_the_remembered_one_and_the_tokens_made_before)
{
    ASSERT_TRUE(authenticate(basic("alice", "Secret123")));
    const auto bearer = "Bearer " + token();
    ASSERT_TRUE(authenticate(bearer));
    change_password("Changed123");
    expect_unauthorized(basic("alice", "Secret123"));
    expect_unauthorized(bearer);
    EXPECT_TRUE(authenticate(basic("alice", "Changed123")));
}

TEST_F(Authentication, a_password_changed_on_another_instance_ends_the_remembered_one_within_a_second)
{
    ASSERT_TRUE(authenticate(basic("alice", "Secret123")));
    const auto bearer = "Bearer " + token();
    ASSERT_TRUE(authenticate(bearer));
    ASSERT_TRUE(run_to_end(accounts.set_password(alice, *hash_password("Changed123", random))));
    clock.advance(std::chrono::milliseconds{1'001});
    expect_unauthorized(basic("alice", "Secret123"));
    clock.advance(std::chrono::seconds{60});
    expect_unauthorized(bearer);
}

TEST_F(Authentication, weak_passwords_are_not_hashed)
{
    const auto hashed = run_to_end(authenticator.hash("weak"));
    ASSERT_FALSE(hashed);
    EXPECT_EQ(hashed.error().code(), Errc::bad_request);
}

TEST_F(Authentication, whether_a_user_exists_shows_in_no_hash_that_is_computed)
{
    add_robot("secret");
    Account other;
    other.name = "disabled";
    other.password_hash = encoded;
    other.disabled = true;
    ASSERT_TRUE(run_to_end(accounts.create(other)));
    other.name = "with-cli";
    other.disabled = false;
    other.cli_hash = encoded;
    ASSERT_TRUE(run_to_end(accounts.create(other)));
    noticed();
    for (const auto* name : {"alice", "nobody", "disabled", "with-cli", "robot$team+ci", "robot$no+body"}) {
        EXPECT_EQ(hashes_of(basic(name, "Wrong1234")), 2U) << name;
    }
    EXPECT_EQ(hashes_of(basic("disabled", "Secret123")), 2U);
    const auto unknown_token = make_access_token(random);
    for (const auto* name : {"alice", "nobody"}) EXPECT_EQ(hashes_of(basic(name, unknown_token)), 0U) << name;
}

TEST_F(Authentication, a_disabled_user_is_refused_at_once_everywhere)
{
    const auto bearer = "Bearer " + token();
    const auto pat = basic("alice", add_access_token(alice));
    for (const auto& header : {basic("alice", "Secret123"), bearer, pat}) ASSERT_TRUE(authenticate(header));
    accounts.at(alice).disabled = true;
    noticed();
    for (const auto& header : {basic("alice", "Secret123"), bearer, pat}) expect_unauthorized(header);
}

TEST_F(Authentication, an_account_that_the_policy_has_not_heard_of_yet_is_good_at_once)
{
    Account bob;
    bob.name = "bob";
    bob.password_hash = encoded;
    bob.credential_version = 1;
    ASSERT_TRUE(run_to_end(accounts.create(bob)));
    EXPECT_TRUE(authenticate(basic("bob", "Secret123")));
}

TEST_F(Authentication, a_cli_secret_is_a_second_password_that_begins_no_session)
{
    ASSERT_TRUE(run_to_end(accounts.set_cli_secret(alice, *hash_password("Terminal1", random))));
    noticed();
    ASSERT_TRUE(authenticate(basic("alice", "Terminal1")));
    EXPECT_TRUE(authenticator.peek(basic("alice", "Terminal1")));
    EXPECT_TRUE(authenticate(basic("alice", "Secret123")));
    EXPECT_FALSE(run_to_end(authenticator.log_in({"alice", "Terminal1"}, "192.0.2.1")));
    EXPECT_TRUE(run_to_end(authenticator.log_in({"alice", "Secret123"}, "192.0.2.1")));
}

TEST_F(Authentication, an_access_token_is_its_owners_password_until_it_is_revoked)
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
    ASSERT_TRUE(run_to_end(access_tokens.remove(alice, 1)));
    noticed();
    expect_unauthorized(basic("alice", text));
    EXPECT_FALSE(authenticator.peek_access_token(text));
    EXPECT_FALSE(run_to_end(authenticator.check_access_token(text)));
}

TEST_F(Authentication, an_access_token_brings_its_limit)
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

TEST_F(Authentication, an_access_token_ends_when_it_expires_also_when_it_is_remembered)
{
    const auto text = add_access_token(alice, clock.now() + 10'000'000);
    ASSERT_TRUE(authenticate(basic("alice", text)));
    clock.advance(std::chrono::seconds{10});
    expect_unauthorized(basic("alice", text));
}

TEST_F(Authentication, a_token_made_from_an_access_token_is_as_narrow_and_dies_with_it)
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
    ASSERT_TRUE(run_to_end(access_tokens.remove(alice, 1)));
    noticed();
    expect_unauthorized(bearer);
}

TEST_F(Authentication, a_token_made_from_an_access_token_ends_when_that_expires)
{
    add_access_token(alice, clock.now() + 10'000'000);
    const auto bearer = "Bearer " + *signer.sign({"alice", alice, 1, 1}, {}, "id", clock.now());
    ASSERT_TRUE(authenticate(bearer));
    clock.advance(std::chrono::seconds{10});
    expect_unauthorized(bearer);
}

TEST_F(Authentication, uses_that_could_not_be_written_are_written_the_next_time)
{
    const auto text = add_access_token(alice);
    ASSERT_TRUE(authenticate(basic("alice", text)));
    access_tokens.away = true;
    EXPECT_FALSE(run_to_end(authenticator.flush_uses()));
    access_tokens.away = false;
    EXPECT_TRUE(run_to_end(authenticator.flush_uses()));
    EXPECT_EQ(access_tokens.uses.size(), 1U);
    EXPECT_TRUE(run_to_end(authenticator.flush_uses()));
    EXPECT_EQ(access_tokens.uses.size(), 1U);
}

TEST_F(Authentication, a_refusal_for_too_many_failures_says_when_to_come_back)
{
    for (int i = 0; i < 12; ++i) {
        EXPECT_FALSE(authenticate(basic("alice", "Wrong" + std::to_string(i))));
        clock.advance(std::chrono::seconds{i < 11 ? 5 : 0});
    }
    const auto refused = authenticate(basic("alice", "Wrong"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::too_many_requests);
    EXPECT_EQ(refused.error().retry_after(), std::chrono::seconds{4});
}

TEST_F(Authentication, remembered_credentials_pass_during_a_delay)
{
    ASSERT_TRUE(authenticate(basic("alice", "Secret123")));
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(authenticate(basic("alice", "Wrong" + std::to_string(i))));
    const auto delayed = authenticate(basic("alice", "Wrong10"));
    ASSERT_FALSE(delayed);
    EXPECT_EQ(delayed.error().code(), Errc::too_many_requests);
    EXPECT_TRUE(authenticate(basic("alice", "Secret123")));
}

TEST_F(Authentication, right_credentials_from_elsewhere_pass_during_a_delay)
{
    for (int i = 0; i < 11; ++i) EXPECT_FALSE(authenticate(basic("alice", "Wrong" + std::to_string(i))));
    EXPECT_TRUE(authenticate(basic("alice", "Secret123"), "198.51.100.9"));
}

TEST_F(Authentication, a_token_carries_its_scopes_and_is_remembered)
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

TEST_F(Authentication, an_anonymous_token_is_anonymous_but_narrowed)
{
    const auto caller = authenticate("Bearer " + token_of(good_claims()));
    ASSERT_TRUE(caller);
    EXPECT_TRUE(caller->identity->anonymous());
    EXPECT_TRUE(caller->scopes);
}

TEST_F(Authentication, an_expired_token_is_refused_also_when_it_was_remembered)
{
    const auto bearer = "Bearer " + token();
    ASSERT_TRUE(authenticate(bearer));
    clock.advance(std::chrono::minutes{31});
    expect_unauthorized(bearer);
}

TEST_F(Authentication, a_token_that_is_not_valid_yet_is_refused)
{
    auto claims = good_claims();
    claims.not_before += 61;
    expect_unauthorized("Bearer " + token_of(claims));
}

TEST_F(Authentication, a_token_for_another_audience_is_refused)
{
    auto claims = good_claims();
    claims.audience = "another-service";
    expect_unauthorized("Bearer " + token_of(claims));
}

TEST_F(Authentication, a_token_of_another_issuer_is_refused)
{
    auto claims = good_claims();
    claims.issuer = "somebody-else";
    expect_unauthorized("Bearer " + token_of(claims));
}

TEST_F(Authentication, a_token_signed_by_a_foreign_key_is_refused)
{
    const auto foreign = *SigningKey::generate();
    expect_unauthorized("Bearer " + *foreign.sign(claims_to_json(good_claims())));
}

TEST_F(Authentication, a_token_whose_claims_are_not_claims_is_refused)
{
    for (const auto* payload : {"", "null", "[]", "{}", "{\"iss\":1}", "\"text\""}) {
        expect_unauthorized("Bearer " + *keys.signer()->sign(payload));
    }
}

TEST_F(Authentication, a_token_of_a_deleted_user_does_not_pass_to_the_next_one_of_that_name)
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

TEST_F(Authentication, a_token_goes_on_while_the_database_is_away)
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

TEST_F(Authentication, what_comes_of_a_password_or_its_token_names_the_credential)
{
    accounts.at(alice).credential_version = 5;
    noticed();
    const auto by_password = authenticate(basic("alice", "Secret123"));
    ASSERT_TRUE(by_password);
    EXPECT_EQ(by_password->credential_version, 5);
    const auto remembered = authenticator.peek(basic("alice", "Secret123"));
    ASSERT_TRUE(remembered);
    EXPECT_EQ(remembered->credential_version, 5);
    const auto by_token = authenticate("Bearer " + token({}, 5));
    ASSERT_TRUE(by_token);
    EXPECT_EQ(by_token->credential_version, 5);
}

TEST_F(Authentication, a_refresh_token_is_no_access_token)
{
    expect_unauthorized("Bearer " + std::string{refresh_prefix} + random.base64url(32));
}

}  // namespace
}  // namespace entrepot

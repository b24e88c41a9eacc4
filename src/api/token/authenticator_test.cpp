#include "tests/support/authentication_fixture.hpp"

namespace entrepot {
namespace {

using Authentication = AuthenticationFixture;

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
    ASSERT_TRUE(run_to_end(accounts.set_password(alice, *hash_password("Changed123", random), {})));
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
    ASSERT_TRUE(run_to_end(accounts.set_cli_secret(alice, *hash_password("Terminal1", random), {})));
    noticed();
    ASSERT_TRUE(authenticate(basic("alice", "Terminal1")));
    EXPECT_TRUE(authenticator.peek(basic("alice", "Terminal1")));
    EXPECT_TRUE(authenticate(basic("alice", "Secret123")));
    EXPECT_FALSE(run_to_end(authenticator.log_in({"alice", "Terminal1"}, "192.0.2.1")));
    EXPECT_TRUE(run_to_end(authenticator.log_in({"alice", "Secret123"}, "192.0.2.1")));
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

}  // namespace
}  // namespace entrepot

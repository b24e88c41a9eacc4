#include "api/token/authenticator.hpp"

#include "api/token/claims_json.hpp"
#include "api/token/password.hpp"
#include "core/bytes.hpp"
#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_accounts.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

std::string basic(std::string_view user, std::string_view password)
{
    const auto text = std::string{user} + ":" + std::string{password};
    return "Basic " + to_base64(as_bytes(text));
}

class Authentication : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        SystemRandom system;
        encoded = *hash_password("Secret123", system);
    }
    Authentication()
    {
        Account account;
        account.name = "alice";
        account.password_hash = encoded;
        account.credential_version = 1;
        alice = run_to_end(accounts.create(account))->id;
        EXPECT_TRUE(run_to_end(keys.open()));
    }

    Result<Caller> authenticate(std::string authorization, std::string client = "192.0.2.1")
    {
        return run_to_end(authenticator.authenticate(std::move(authorization), std::move(client)));
    }
    std::string token(TokenScopes scopes = {}, std::int64_t version = 1)
    {
        return *signer.sign({"alice", alice, version}, std::move(scopes), "id", clock.now());
    }
    // Signed by our own key, whatever it says.
    std::string token_of(const TokenClaims& claims) { return *keys.signer()->sign(claims_to_json(claims)); }
    TokenClaims good_claims() const
    {
        const auto now = clock.now() / 1'000'000;
        TokenClaims claims;
        claims.issuer = settings.issuer;
        claims.audience = settings.service;
        claims.issued_at = claims.not_before = now;
        claims.expires_at = now + 1'800;
        return claims;
    }
    void expect_unauthorized(const std::string& authorization)
    {
        const auto caller = authenticate(authorization);
        ASSERT_FALSE(caller);
        EXPECT_EQ(caller.error().code(), Errc::unauthorized);
        EXPECT_FALSE(authenticator.peek(authorization));
    }

    static std::string encoded;
    std::int64_t alice = 0;
    MemoryAccounts accounts;
    MemoryKeys key_catalog;
    FakeClock clock;
    SystemRandom random;
    TokenSettings settings;
    KeyRing keys{key_catalog, *MasterKey::parse(std::string(64, '1')), settings, clock, random};
    TokenSigner signer{keys, settings};
    Authenticator authenticator{accounts, keys, settings, clock, random};
};
std::string Authentication::encoded;

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
    ASSERT_TRUE(run_to_end(authenticator.set_password(alice, "Changed123")));
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

TEST_F(Authentication, set_password_refuses_weak_ones)
{
    const auto changed = run_to_end(authenticator.set_password(alice, "weak"));
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().code(), Errc::bad_request);
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
    expect_unauthorized(bearer);
    Account next;
    next.name = "alice";
    next.credential_version = 1;
    ASSERT_TRUE(run_to_end(accounts.create(next)));
    authenticator.forget_user(alice);
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
    authenticator.forget_user(alice);
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

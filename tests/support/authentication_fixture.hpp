#pragma once

#include "access/token_text.hpp"
#include "api/token/authenticator.hpp"
#include "api/token/claims_json.hpp"
#include "api/token/password.hpp"
#include "core/bytes.hpp"
#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/memory_accounts.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace entrepot {

inline std::string basic(std::string_view user, std::string_view password)
{
    const auto text = std::string{user} + ":" + std::string{password};
    return "Basic " + to_base64(as_bytes(text));
}

// Alice, whose password is Secret123, and an authenticator that knows her.
class AuthenticationFixture : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        SystemRandom system;
        encoded = *hash_password("Secret123", system);
    }
    AuthenticationFixture()
    {
        Account account;
        account.name = "alice";
        account.password_hash = encoded;
        account.credential_version = 1;
        alice = run_to_end(accounts.create(account))->id;
        EXPECT_TRUE(run_to_end(keys.open()));
        noticed();
    }

    // What a verb does after a change.
    void noticed() { EXPECT_TRUE(run_to_end(directory.catch_up())); }
    void change_password(std::string_view password)
    {
        EXPECT_TRUE(run_to_end(accounts.set_password(alice, *hash_password(password, random), {})));
        noticed();
    }
    std::string add_access_token(std::int64_t owner, Micros expires_at = 0)
    {
        auto text = make_access_token(random);
        AccessToken token;
        token.user_id = owner;
        token.name = "token " + std::to_string(access_tokens.stored.size());
        token.hash = secret_hash(text);
        token.expires_at = expires_at;
        EXPECT_TRUE(run_to_end(access_tokens.add(std::move(token), 100)));
        noticed();
        return text;
    }
    std::int64_t add_robot(std::string_view secret)
    {
        Account account;
        account.name = "robot$team+ci";
        account.kind = PrincipalKind::robot;
        account.credential_version = 1;
        account.robot.current = secret_hash(secret);
        const auto made = run_to_end(accounts.create(std::move(account)));
        noticed();
        return made->id;
    }
    std::uint64_t hashes_of(std::string authorization)
    {
        const auto before = authenticator.password_hashes_run();
        EXPECT_FALSE(authenticate(std::move(authorization), "203.0.113.7"));
        return authenticator.password_hashes_run() - before;
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

    static inline std::string encoded;
    std::int64_t alice = 0;
    MemoryAccounts accounts;
    MemoryKeys key_catalog;
    FakeClock clock;
    SystemRandom random;
    TokenSettings settings;
    KeyRing keys{key_catalog, *MasterKey::parse(std::string(64, '1')), settings, clock, random};
    TokenSigner signer{keys, settings};
    MemoryAccessTokens access_tokens;
    AccessPolicy policy{ProjectCreation::admins, clock};
    MemoryAccess access{accounts, access_tokens};
    AccessDirectory directory{access, policy};
    Authenticator authenticator{{accounts, access_tokens, keys, policy, directory, clock, random}, settings};
};

}  // namespace entrepot

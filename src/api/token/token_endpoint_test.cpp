#include "api/token/token_endpoint.hpp"

#include "access/token_text.hpp"
#include "api/token/claims_json.hpp"
#include "api/token/password.hpp"
#include "core/run_to_end.hpp"
#include "tests/support/access_entries_of.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_request.hpp"
#include "tests/support/memory_accounts.hpp"
#include "tests/support/memory_audit.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>

namespace entrepot {
namespace {

class Endpoint : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        SystemRandom system;
        encoded = *hash_password("Secret123", system);
    }
    Endpoint()
    {
        Account account;
        account.name = "alice";
        account.password_hash = encoded;
        account.credential_version = 1;
        alice = run_to_end(accounts.create(account))->id;
        const auto owner = grant_to(principal_key(alice), role::project_admin);
        access.more.tenants = {tenant_entry(1, "default")};
        access.more.projects = {project_entry(1, "team", false, {owner}), project_entry(2, "open", true)};
        EXPECT_TRUE(run_to_end(keys.open()));
        noticed();
    }

    // What a verb does after a change.
    void noticed() { EXPECT_TRUE(run_to_end(directory.catch_up())); }
    std::string add_access_token(std::optional<std::vector<AccessTokenScope>> scopes = {})
    {
        auto secret = make_access_token(random);
        AccessToken token;
        token.user_id = alice;
        token.name = "laptop";
        token.hash = secret_hash(secret);
        token.scopes = std::move(scopes);
        EXPECT_TRUE(run_to_end(access_tokens.add(std::move(token), 100)));
        noticed();
        return secret;
    }
    static Task<Response> answered(TokenEndpoint& endpoint, const Request& request, ByteSource& body)
    {
        co_return co_await endpoint.handle(request, body);
    }
    Response send(const Request& request, std::string body = {})
    {
        StringSource source{std::move(body)};
        return *run_to_end(answered(endpoint, request, source));
    }
    Response get(std::string_view query, bool as_alice = true)
    {
        FakeRequest request{Method::get, "/service/token?" + std::string{query}};
        if (as_alice) request.with_basic("alice", "Secret123");
        return send(request);
    }
    Response post(std::string body)
    {
        FakeRequest request{Method::post, "/service/token"};
        request.with("Content-Type", "application/x-www-form-urlencoded");
        return send(request, std::move(body));
    }
    static boost::json::object json(const Response& response)
    {
        return boost::json::parse(std::get<std::string>(response.body)).as_object();
    }
    static std::string text(const boost::json::object& object, std::string_view name)
    {
        const auto* found = object.if_contains(name);
        return found != nullptr && found->is_string() ? std::string{found->get_string()} : std::string{};
    }
    TokenClaims claims_in(const Response& response, std::string_view member = "token")
    {
        const auto claims = run_to_end(signer.verify(text(json(response), member), clock.now()));
        EXPECT_TRUE(claims);
        return claims ? *claims : TokenClaims{};
    }
    std::string refresh_token() { return text(json(get("service=entrepot&offline_token=true")), "refresh_token"); }

    static std::string encoded;
    std::int64_t alice = 0;
    MemoryAccounts accounts;
    MemoryKeys key_catalog;
    MemoryRefreshTokens refresh_tokens;
    MemoryAccessTokens access_tokens;
    FakeClock clock;
    AccessPolicy policy{ProjectCreation::admins, clock};
    MemoryAccess access{accounts, access_tokens};
    AccessDirectory directory{access, policy};
    SystemRandom random;
    TokenSettings settings;
    KeyRing keys{key_catalog, *MasterKey::parse(std::string(64, '1')), settings, clock, random};
    TokenSigner signer{keys, settings};
    Authenticator authenticator{{accounts, access_tokens, keys, policy, directory, clock, random}, settings};
    MemoryTrail trail;
    LoginAudit logins{trail, clock};
    TokenEndpoint endpoint{{authenticator, keys, refresh_tokens, policy, clock, random, logins}, settings};
};
std::string Endpoint::encoded;

TEST_F(Endpoint, gives_exactly_what_was_asked_for_and_is_allowed)
{
    const auto response = get(
        "service=entrepot&scope=repository:team/app:pull,push&scope=repository:open/x:pull,push%20registry:catalog:*"
    );
    ASSERT_EQ(response.status, 200U);
    const auto claims = claims_in(response);
    EXPECT_EQ(claims.subject, "alice");
    EXPECT_EQ(claims.audience, "entrepot");
    EXPECT_EQ(claims.scopes.actions_on("team/app"), bit(Action::pull) | bit(Action::push));
    EXPECT_EQ(claims.scopes.actions_on("open/x"), bit(Action::pull));
    EXPECT_TRUE(claims.scopes.catalog);
    EXPECT_EQ(claims.expires_at - claims.issued_at, 1'800);
    EXPECT_FALSE(claims.id.empty());
}

TEST_F(Endpoint, answers_with_the_members_that_clients_read)
{
    const auto response = get("service=entrepot");
    const auto object = json(response);
    EXPECT_EQ(text(object, "token"), text(object, "access_token"));
    EXPECT_EQ(object.at("expires_in").as_int64(), 1'800);
    EXPECT_EQ(text(object, "issued_at"), rfc3339(clock.now()));
    EXPECT_FALSE(object.contains("refresh_token"));
    EXPECT_NE(response.headers.find("Cache-Control: no-store"), std::string::npos);
}

TEST_F(Endpoint, gives_anonymous_a_token_for_what_is_public)
{
    const auto response =
        get("service=entrepot&scope=repository:open/x:pull,push&scope=repository:team/app:pull", false);
    ASSERT_EQ(response.status, 200U);
    const auto claims = claims_in(response);
    EXPECT_EQ(claims.subject, "");
    EXPECT_EQ(claims.scopes.actions_on("open/x"), bit(Action::pull));
    EXPECT_EQ(claims.scopes.entries.size(), 1U);
}

TEST_F(Endpoint, answers_from_memory_once_the_password_is_remembered)
{
    FakeRequest request{Method::get, "/service/token?service=entrepot&scope=repository:team/app:pull"};
    request.with_basic("alice", "Secret123");
    EXPECT_FALSE(endpoint.peek(request));
    ASSERT_EQ(send(request).status, 200U);
    const auto response = endpoint.peek(request);
    ASSERT_TRUE(response);
    EXPECT_EQ(claims_in(*response).scopes.actions_on("team/app"), bit(Action::pull));
    EXPECT_TRUE(endpoint.peek(FakeRequest{Method::get, "/service/token"}));
    EXPECT_FALSE(endpoint.peek(FakeRequest{Method::get, "/service/token?service=other"}));
    EXPECT_FALSE(endpoint.peek(FakeRequest{Method::post, "/service/token"}));
}

TEST_F(Endpoint, two_tokens_have_two_ids)
{
    EXPECT_NE(claims_in(get("")).id, claims_in(get("")).id);
}

TEST_F(Endpoint, challenges_wrong_credentials)
{
    FakeRequest request{Method::get, "/service/token?service=entrepot"};
    request.with_basic("alice", "Wrong1234");
    const auto response = send(request);
    EXPECT_EQ(response.status, 401U);
    EXPECT_NE(response.headers.find("WWW-Authenticate: Basic realm="), std::string::npos);
    EXPECT_NE(std::get<std::string>(response.body).find("UNAUTHORIZED"), std::string::npos);
}

TEST_F(Endpoint, an_access_token_cannot_make_a_wider_one)
{
    const auto narrow = text(json(get("service=entrepot")), "token");
    FakeRequest request{Method::get, "/service/token?service=entrepot&scope=repository:team/app:push"};
    request.with("Authorization", "Bearer " + narrow);
    EXPECT_FALSE(endpoint.peek(request));
    EXPECT_EQ(send(request).status, 401U);
}

TEST_F(Endpoint, refuses_other_services_scopes_outside_the_grammar_and_methods)
{
    EXPECT_EQ(get("service=other").status, 400U);
    EXPECT_EQ(get("service=entrepot&scope=nonsense").status, 400U);
    EXPECT_EQ(get("scope=%zz").status, 400U);
    const auto deleted = send(FakeRequest{Method::del, "/service/token"});
    EXPECT_EQ(deleted.status, 405U);
    EXPECT_NE(deleted.headers.find("Allow: GET, POST"), std::string::npos);
}

TEST_F(Endpoint, gives_a_refresh_token_to_users_that_ask_and_stores_only_its_hash)
{
    const auto secret = refresh_token();
    EXPECT_TRUE(secret.starts_with(refresh_prefix));
    ASSERT_EQ(refresh_tokens.stored.size(), 1U);
    const auto& stored = refresh_tokens.stored.begin()->second;
    EXPECT_EQ(stored.hash.find(secret), std::string::npos);
    EXPECT_EQ(stored.user_id, alice);
    EXPECT_FALSE(json(get("offline_token=true", false)).contains("refresh_token"));
}

TEST_F(Endpoint, post_takes_a_password)
{
    const auto response = post("grant_type=password&service=entrepot&client_id=test&scope=repository%3Ateam%2Fapp%"
                               "3Apull%20repository:no/pe:push"
                               "&username=alice&password=Secret123&access_type=offline");
    ASSERT_EQ(response.status, 200U);
    EXPECT_EQ(text(json(response), "scope"), "repository:team/app:pull");
    EXPECT_EQ(text(json(response), "token_type"), "Bearer");
    EXPECT_TRUE(text(json(response), "refresh_token").starts_with(refresh_prefix));
    EXPECT_EQ(claims_in(response, "access_token").scopes.actions_on("team/app"), bit(Action::pull));
}

TEST_F(Endpoint, post_takes_a_refresh_token_under_any_client_id)
{
    const auto response = post(
        "grant_type=refresh_token&service=entrepot&client_id=another&scope=repository:team/app:pull&refresh_token=" +
        refresh_token()
    );
    ASSERT_EQ(response.status, 200U);
    EXPECT_EQ(claims_in(response, "access_token").subject, "alice");
    EXPECT_FALSE(json(response).contains("refresh_token"));
}

TEST_F(Endpoint, an_access_token_is_no_refresh_token)
{
    const auto access = text(json(get("service=entrepot")), "token");
    const auto response = post("grant_type=refresh_token&service=entrepot&client_id=test&refresh_token=" + access);
    EXPECT_EQ(response.status, 400U);
    EXPECT_EQ(text(json(response), "error"), "invalid_grant");
}

TEST_F(Endpoint, a_refresh_token_ends_with_its_time_with_its_user_and_with_the_password)
{
    const auto expect_refused = [this](const std::string& secret) {
        const auto response = post("grant_type=refresh_token&service=entrepot&client_id=test&refresh_token=" + secret);
        EXPECT_EQ(response.status, 400U);
        EXPECT_EQ(text(json(response), "error"), "invalid_grant");
    };
    expect_refused(std::string{refresh_prefix} + "unknown");
    const auto late = refresh_token();
    clock.advance(settings.refresh_lifetime);
    expect_refused(late);
    const auto secret = refresh_token();
    ASSERT_TRUE(run_to_end(accounts.set_password(alice, *hash_password("Changed123", random), {})));
    noticed();
    expect_refused(secret);
    accounts.erase(alice);
    noticed();
    expect_refused(secret);
}

TEST_F(Endpoint, an_access_token_makes_tokens_that_name_it_and_are_as_narrow)
{
    AccessTokenScope scope;
    scope.limit.kind = ObjectKind::project;
    scope.limit.id = 1;
    scope.limit.permissions.add(*find_permission(ObjectKind::project, "repository", "pull"));
    const auto secret = add_access_token(std::vector{scope});
    FakeRequest request{
        Method::get, "/service/token?service=entrepot&offline_token=true&scope=repository:team/app:pull,push,delete"
    };
    request.with_basic("alice", secret);
    const auto response = send(request);
    ASSERT_EQ(response.status, 200U);
    const auto claims = claims_in(response);
    EXPECT_EQ(claims.access_token_id, 1);
    EXPECT_EQ(claims.scopes.actions_on("team/app"), bit(Action::pull));
    EXPECT_FALSE(json(response).contains("refresh_token"));
    EXPECT_TRUE(endpoint.peek(FakeRequest{Method::get, "/service/token?service=entrepot"}.with_basic("alice", secret)));
}

TEST_F(Endpoint, an_access_token_that_was_revoked_makes_no_tokens)
{
    const auto secret = add_access_token();
    FakeRequest request{Method::get, "/service/token?service=entrepot"};
    request.with_basic("alice", secret);
    ASSERT_EQ(send(request).status, 200U);
    ASSERT_TRUE(run_to_end(access_tokens.remove(alice, 1, {})));
    noticed();
    EXPECT_FALSE(endpoint.peek(request));
    EXPECT_EQ(send(request).status, 401U);
}

TEST_F(Endpoint, says_when_to_come_back_after_too_many_failures)
{
    FakeRequest request{Method::get, "/service/token?service=entrepot"};
    request.with_basic("alice", "Wrong1234");
    for (int i = 0; i < 11; ++i) {
        EXPECT_EQ(send(request).status, 401U);
        clock.advance(std::chrono::seconds{1});
    }
    const auto refused = send(request);
    EXPECT_EQ(refused.status, 429U);
    EXPECT_NE(refused.headers.find("Retry-After: 1\r\n"), std::string::npos);
    clock.advance(std::chrono::seconds{1});
    EXPECT_EQ(send(request).status, 401U);
    EXPECT_NE(send(request).headers.find("Retry-After: 4\r\n"), std::string::npos);
}

TEST_F(Endpoint, post_words_its_errors_as_rfc_6749)
{
    const auto error_of = [this](std::string body, unsigned status) {
        const auto response = post(std::move(body));
        EXPECT_EQ(response.status, status);
        EXPECT_NE(response.headers.find("Cache-Control: no-store"), std::string::npos);
        EXPECT_FALSE(text(json(response), "error_description").empty());
        return text(json(response), "error");
    };
    EXPECT_EQ(error_of("", 400), "invalid_request");
    EXPECT_EQ(error_of("grant_type=password&grant_type=password", 400), "invalid_request");
    EXPECT_EQ(error_of("grant_type=%zz", 400), "invalid_request");
    EXPECT_EQ(error_of("grant_type=password&service=other", 400), "invalid_request");
    EXPECT_EQ(error_of("grant_type=authorization_code", 400), "unsupported_grant_type");
    EXPECT_EQ(error_of("grant_type=password&username=alice&password=Wrong1234", 400), "invalid_grant");
    // A parameter without a value counts as omitted (RFC 6749 section 3.2).
    EXPECT_EQ(error_of("grant_type=password&username=&password=", 400), "invalid_request");
    EXPECT_EQ(error_of("grant_type=refresh_token&refresh_token=", 400), "invalid_request");
    EXPECT_EQ(error_of("grant_type=password&username=a&password=b&scope=nonsense", 400), "invalid_scope");
    EXPECT_EQ(error_of("grant_type=password&password=" + std::string(longest_token_form, 'a'), 413), "invalid_request");
    accounts.away = true;
    EXPECT_EQ(error_of("grant_type=password&username=alice&password=Secret123", 503), "temporarily_unavailable");
}

TEST_F(Endpoint, post_takes_nothing_but_forms)
{
    FakeRequest request{Method::post, "/service/token"};
    request.with("Content-Type", "application/json");
    EXPECT_EQ(text(json(send(request, "{}")), "error"), "invalid_request");
}

TEST_F(Endpoint, rotates_the_key_when_it_is_due_and_both_tokens_are_good)
{
    const auto before = text(json(get("")), "token");
    clock.advance(std::chrono::days{30} - std::chrono::seconds{10});
    const auto late = text(json(get("")), "token");
    clock.advance(std::chrono::seconds{10});
    const auto after = text(json(get("")), "token");
    EXPECT_EQ(SignedToken::parse(before)->key_id(), SignedToken::parse(late)->key_id());
    EXPECT_NE(SignedToken::parse(late)->key_id(), SignedToken::parse(after)->key_id());
    EXPECT_TRUE(run_to_end(signer.verify(late, clock.now())));
    EXPECT_TRUE(run_to_end(signer.verify(after, clock.now())));
}

TEST_F(Endpoint, guesses_are_slowed_down)
{
    for (int i = 0; i < 10; ++i) {
        FakeRequest wrong{Method::get, "/service/token"};
        wrong.with_basic("alice", "Wrong" + std::to_string(i));
        EXPECT_EQ(send(wrong).status, 401U);
    }
    FakeRequest more{Method::get, "/service/token"};
    more.with_basic("alice", "Wrong10");
    const auto response = send(more);
    EXPECT_EQ(response.status, 429U);
    EXPECT_NE(response.headers.find("Retry-After: 1"), std::string::npos);
    FakeRequest elsewhere{Method::get, "/service/token"};
    elsewhere.with_basic("alice", "Secret123").from("198.51.100.9");
    EXPECT_EQ(send(elsewhere).status, 200U);
}

TEST_F(Endpoint, jwks_names_the_key_that_signs)
{
    const auto response = endpoint.jwks(FakeRequest{Method::get, "/service/token/jwks"});
    const auto document = json(response);
    const auto& listed = document.at("keys").as_array();
    ASSERT_EQ(listed.size(), 1U);
    EXPECT_EQ(listed[0].at("kid").as_string(), keys.signer()->id());
    EXPECT_EQ(endpoint.jwks(FakeRequest{Method::post, "/service/token/jwks"}).status, 405U);
}

}  // namespace
}  // namespace entrepot

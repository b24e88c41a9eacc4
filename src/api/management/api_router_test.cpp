#include "api/management/api_router.hpp"

#include "api/management/api_values.hpp"
#include "api/token/password.hpp"
#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_request.hpp"
#include "tests/support/memory_accounts.hpp"

#include <gtest/gtest.h>

#include <map>

namespace entrepot {
namespace {

class NoSettings final : public SettingsCatalog {
public:
    Values stored;

    Task<Values> all() override { co_return stored; }
    Task<> change(Changes, Actor) override { co_return Result<>{}; }
};

class OneAnswer final : public IdempotencyCatalog {
public:
    std::optional<Entry> kept;

    Task<std::optional<Entry>> begin(std::int64_t, std::string, std::string request, Micros, Limits) override
    {
        if (kept) co_return kept;
        kept = Entry{.request = std::move(request), .status = 0, .answer = {}};
        co_return std::nullopt;
    }
    Task<> finish(std::int64_t, std::string, unsigned status, std::string answer) override
    {
        kept->status = status;
        kept->answer = std::move(answer);
        co_return Result<>{};
    }
    Task<> abandon(std::int64_t, std::string) override
    {
        kept.reset();
        co_return Result<>{};
    }
    Task<> remove_before(Micros) override { co_return Result<>{}; }
};

// A router with one resource, whose state is a text.
class RouterTest : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        SystemRandom system;
        encoded = *hash_password("Secret123", system);
    }

    RouterTest()
    {
        Account account;
        account.name = "alice";
        account.password_hash = encoded;
        account.credential_version = 1;
        PrincipalAccess principal;
        principal.id = run_to_end(accounts.create(account))->id;
        principal.credential_version = 1;
        AccessChanges all;
        all.version = 1;
        all.complete = true;
        all.principals.push_back(std::move(principal));
        policy.apply(std::move(all));
        EXPECT_TRUE(run_to_end(keys.open()));
        const auto open = ApiAudience::anyone;
        router.get("things", [this](ApiCall call) { return list(std::move(call)); }, open);
        router.post("things", [this](ApiCall call) { return create(std::move(call)); }, open);
        router.get("things/{name}", [this](ApiCall call) { return read(std::move(call)); }, open);
        router.get("things/current", [this](ApiCall call) { return current(std::move(call)); }, open);
        router.put("things/{name}", [this](ApiCall call) { return write(std::move(call)); }, open);
        router.put("things/{name}/password", [this](ApiCall call) { return write(std::move(call)); }, open);
        router.put("configurations", [this](ApiCall call) { return write(std::move(call)); }, open);
        router.get("secrets", [this](ApiCall call) { return list(std::move(call)); });
    }

    Task<Response> list(ApiCall call) { co_return list_response(call.request, std::string{"[]"}, {}, 0); }
    Task<Response> read(ApiCall call)
    {
        asked_for = call.path[0];
        Response response;
        response.body = state;
        co_return response;
    }
    Task<Response> current(ApiCall)
    {
        asked_for = "the current one";
        co_return Response{};
    }
    Task<Response> write(ApiCall call)
    {
        CO_TRY(state, co_await read_all(call.body, 100));
        co_return Response{};
    }
    Task<Response> create(ApiCall call)
    {
        CO_TRY(state, co_await read_all(call.body, 100));
        co_return created_response("/api/v2.0/things/" + std::to_string(++created));
    }

    static Task<Response> answered(ApiRouter& router, const Request& request, ByteSource& body)
    {
        co_return co_await router.handle(request, body);
    }
    Response send(const Request& request, std::string body = {})
    {
        StringSource source{std::move(body)};
        return *run_to_end(answered(router, request, source));
    }
    Response send(Method method, std::string_view path) { return send(FakeRequest{method, path}); }
    static std::string header(const Response& response, std::string_view name)
    {
        const auto start = response.headers.find(std::string{name} + ": ");
        if (start == std::string::npos) return {};
        const auto value = start + name.size() + 2;
        return response.headers.substr(value, response.headers.find("\r\n", value) - value);
    }

    static std::string encoded;
    std::string state = "one";
    std::string asked_for;
    int created = 0;
    FakeClock clock;
    SystemRandom random;
    MemoryAccounts accounts;
    MemoryKeys key_catalog;
    AccessPolicy policy{ProjectCreation::admins, clock};
    TokenSettings token_settings;
    KeyRing keys{key_catalog, *MasterKey::parse(std::string(64, '1')), token_settings, clock, random};
    MemoryAccessTokens access_tokens;
    MemoryAccess access{accounts, access_tokens};
    AccessDirectory directory{access, policy};
    Authenticator authenticator{{accounts, access_tokens, keys, policy, directory, clock, random}, token_settings};
    MemorySessions session_catalog;
    Sessions sessions{session_catalog, authenticator, clock, random, [] { return std::chrono::minutes{60}; }};
    Gate gate{authenticator, sessions, policy, "entrepot", ""};
    NoSettings setting_catalog;
    Settings settings{setting_catalog, policy, clock};
    OneAnswer answers;
    Idempotency idempotency{answers, *MasterKey::parse(std::string(64, '1')), random, clock};
    ApiRouter router{gate, &settings, &idempotency};
};
std::string RouterTest::encoded;

TEST_F(RouterTest, prefers_literal_parts_and_decodes_others_once)
{
    send(Method::get, "/api/v2.0/things/current");
    EXPECT_EQ(asked_for, "the current one");
    send(Method::get, "/api/v2.0/things/a%2Fb%252Fc/");
    EXPECT_EQ(asked_for, "a/b%2Fc");
}

TEST_F(RouterTest, knows_no_paths_by_detours)
{
    for (const auto* path :
         {"/api/v2.0/things/../things/x/y",
          "/api/v2.0//things",
          "/api/v2.0/things%2Fcurrent",
          "/api/v2.0/Things",
          "/api/v2.0/things//password",
          "/api/v1.0/things",
          "/api/v2.0"}) {
        EXPECT_EQ(send(Method::get, path).status, 404U) << path;
    }
    EXPECT_EQ(send(Method::get, "/api/v2.0/things/%zz").status, 400U);
}

TEST_F(RouterTest, names_the_methods_of_a_path)
{
    const auto answer = send(Method::del, "/api/v2.0/things/x");
    EXPECT_EQ(answer.status, 405U);
    EXPECT_EQ(header(answer, "Allow"), "GET, PUT");
}

TEST_F(RouterTest, lets_only_known_callers_through_where_that_is_asked)
{
    const auto answer = send(Method::get, "/api/v2.0/secrets");
    EXPECT_EQ(answer.status, 401U);
    EXPECT_TRUE(header(answer, "WWW-Authenticate").starts_with("Basic "));
    EXPECT_EQ(send(FakeRequest{Method::get, "/api/v2.0/secrets"}.with_basic("alice", "Secret123")).status, 200U);
    EXPECT_EQ(send(FakeRequest{Method::get, "/api/v2.0/secrets"}.with_basic("alice", "wrong")).status, 401U);
}

TEST_F(RouterTest, tags_single_objects_and_answers_304_to_who_has_them)
{
    const auto tag = header(send(Method::get, "/api/v2.0/things/x"), "ETag");
    ASSERT_FALSE(tag.empty());
    EXPECT_EQ(header(send(Method::get, "/api/v2.0/things"), "ETag"), "");
    const auto again = send(FakeRequest{Method::get, "/api/v2.0/things/x"}.with("If-None-Match", "\"z\", " + tag));
    EXPECT_EQ(again.status, 304U);
    EXPECT_EQ(again.body_length(), 0U);
    EXPECT_EQ(header(again, "ETag"), tag);
    state = "two";
    EXPECT_EQ(send(FakeRequest{Method::get, "/api/v2.0/things/x"}.with("If-None-Match", tag)).status, 200U);
}

TEST_F(RouterTest, changes_nothing_when_the_object_is_not_what_if_match_names)
{
    const auto tag = header(send(Method::get, "/api/v2.0/things/x"), "ETag");
    const auto put = [&](std::string_view path, std::string_view wanted, std::string body) {
        FakeRequest request{Method::put, path};
        request.with("If-Match", wanted);
        return send(request, std::move(body)).status;
    };
    EXPECT_EQ(put("/api/v2.0/things/x", tag, "two"), 200U);
    EXPECT_EQ(state, "two");
    EXPECT_EQ(put("/api/v2.0/things/x", tag, "three"), 412U);
    EXPECT_EQ(put("/api/v2.0/things/x", "W/" + tag, "three"), 412U);
    EXPECT_EQ(put("/api/v2.0/things/x", "nonsense", "three"), 412U);
    EXPECT_EQ(put("/api/v2.0/things/x/password", "*", "three"), 412U) << "there is nothing to compare with";
    EXPECT_EQ(state, "two");
    EXPECT_EQ(put("/api/v2.0/things/x", "*", "four"), 200U);
    EXPECT_EQ(state, "four");
}

TEST_F(RouterTest, carries_a_post_with_an_idempotency_key_out_once)
{
    const auto post = [&](std::string body, std::string_view key = "k") {
        FakeRequest request{Method::post, "/api/v2.0/things"};
        request.with_basic("alice", "Secret123").with("Idempotency-Key", key);
        return send(request, std::move(body));
    };
    const auto first = post("body");
    EXPECT_EQ(first.status, 201U);
    EXPECT_EQ(state, "body");
    const auto second = post("body");
    EXPECT_EQ(second.status, 201U);
    EXPECT_EQ(header(second, "Location"), header(first, "Location"));
    EXPECT_EQ(created, 1);
    EXPECT_EQ(post("another body").status, 422U);
    EXPECT_EQ(post("body", "k k").status, 400U);
    EXPECT_EQ(created, 1);
}

TEST_F(RouterTest, keeps_no_answers_for_nobody)
{
    FakeRequest request{Method::post, "/api/v2.0/things"};
    request.with("Idempotency-Key", "k");
    EXPECT_EQ(send(request).status, 201U);
    EXPECT_EQ(send(request).status, 201U);
    EXPECT_EQ(created, 2);
    EXPECT_FALSE(answers.kept);
}

TEST_F(RouterTest, refuses_changes_while_the_registry_is_read_only_but_not_the_change_of_that)
{
    setting_catalog.stored = {{"read_only", "true"}};
    ASSERT_TRUE(run_to_end(settings.refresh()));
    EXPECT_EQ(send(Method::put, "/api/v2.0/things/x").status, 403U);
    EXPECT_EQ(send(Method::post, "/api/v2.0/things").status, 403U);
    EXPECT_EQ(state, "one");
    EXPECT_EQ(send(Method::get, "/api/v2.0/things/x").status, 200U);
    EXPECT_EQ(send(Method::put, "/api/v2.0/configurations").status, 200U);
}

TEST_F(RouterTest, names_its_routes_for_the_contract)
{
    const auto routes = router.routes();
    EXPECT_EQ(routes.size(), 8U);
    EXPECT_EQ(routes.front(), "GET secrets");
}

}  // namespace
}  // namespace entrepot

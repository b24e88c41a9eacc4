#include "drivers/upstream/registry_login.hpp"

#include "drivers/upstream/scripted_registry.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

// Wants a token for each repository; the n-th that it gives out is "t<n>". Blobs are all there.
class TokenRegistry {
public:
    explicit TokenRegistry(std::string host = "127.0.0.1") : host_{std::move(host)} {}

    ScriptedRegistry& peer() { return peer_; }
    std::atomic<int> expires_in = 300;
    std::atomic<int> oldest_good = 0;  // tokens before it are refused

private:
    std::string reply(const std::string& request)
    {
        if (request.starts_with("GET /token?")) {
            const auto number = std::to_string(given_++);
            return answer_of(
                "200 OK", R"({"token":"t)" + number + R"(","expires_in":)" + std::to_string(expires_in) + "}"
            );
        }
        const auto shown = field_of(request, "Authorization");
        const bool good = shown.starts_with("Bearer t") && std::stoi(shown.substr(8)) >= oldest_good;
        if (good) return answer_of("200 OK");
        return answer_of(
            "401 Unauthorized",
            {},
            "WWW-Authenticate: Bearer realm=\"" + peer_.url("/token", host_) + "\",service=\"s\"\r\n"
        );
    }

    const std::string host_;
    std::atomic<int> given_ = 0;
    ScriptedRegistry peer_{[this](const std::string& request) { return reply(request); }};
};

Result<bool> holds(RegistrySite& site, std::string_view repository = "shop/web")
{
    return run_to_end(site.holds(repository_of(repository), digest_of("blob")));
}

Task<> hold_many(RegistrySite& site)
{
    using namespace asio::experimental::awaitable_operators;
    const auto ask = [&site] { return site.holds(repository_of(), digest_of("blob")); };
    auto all = ask() && ask() && ask() && ask() && ask() && ask();
    const auto [a, b, c, d, e, f] = co_await std::move(all);
    EXPECT_TRUE(a && b && c && d && e && f);
    co_return Result<>{};
}

TEST(RegistryLogin, keeps_a_token_for_each_repository)
{
    TokenRegistry registry;
    const auto site = open_site(with_account(endpoint_at(registry.peer().url())));
    EXPECT_TRUE(holds(*site, "shop/web").value());
    EXPECT_TRUE(holds(*site, "shop/web").value());
    EXPECT_TRUE(holds(*site, "shop/api").value());
    EXPECT_EQ(
        registry.peer().count("GET /token?service=s&scope=repository%3Ashop%2Fweb%3Apull%2Cpush&account=user "), 1U
    );
    EXPECT_EQ(
        registry.peer().count("GET /token?service=s&scope=repository%3Ashop%2Fapi%3Apull%2Cpush&account=user "), 1U
    );
    // Only the first request went without one.
    EXPECT_EQ(registry.peer().count("HEAD "), 4U);
}

TEST(RegistryLogin, asks_once_for_all_who_wait_for_the_same_token)
{
    TokenRegistry registry;
    const auto site = open_site(with_account(endpoint_at(registry.peer().url())));
    ASSERT_TRUE(holds(*site, "shop/other"));
    ASSERT_TRUE(run_to_end(hold_many(*site)));
    EXPECT_EQ(registry.peer().count("GET /token?service=s&scope=repository%3Ashop%2Fweb"), 1U);
}

TEST(RegistryLogin, renews_tokens_before_they_end)
{
    TokenRegistry registry;
    registry.expires_in = 1;
    const auto site = open_site(with_account(endpoint_at(registry.peer().url())));
    EXPECT_TRUE(holds(*site).value());
    EXPECT_TRUE(holds(*site).value());
    EXPECT_EQ(registry.peer().count("GET /token?"), 2U);
}

TEST(RegistryLogin, logs_in_once_more_when_a_token_is_refused_and_then_gives_up)
{
    TokenRegistry registry;
    const auto site = open_site(with_account(endpoint_at(registry.peer().url())));
    EXPECT_TRUE(holds(*site).value());
    registry.oldest_good = 1;
    EXPECT_TRUE(holds(*site).value());
    EXPECT_EQ(registry.peer().count("GET /token?"), 2U);
    registry.oldest_good = 100;
    const auto before = registry.peer().asked().size();
    EXPECT_EQ(holds(*site).error().code(), Errc::denied);
    EXPECT_EQ(registry.peer().asked().size() - before, 3U);  // refused, a new token, refused again
}

TEST(RegistryLogin, does_not_send_refused_credentials_again)
{
    ScriptedRegistry basic{[](const std::string&) {
        return answer_of("401 Unauthorized", {}, "WWW-Authenticate: Basic realm=\"x\"\r\n");
    }};
    const auto site = open_site(with_account(endpoint_at(basic.url())));
    EXPECT_EQ(holds(*site).error().code(), Errc::denied);
    EXPECT_EQ(basic.asked().size(), 2U);
    const auto again = holds(*site);
    EXPECT_EQ(again.error().code(), Errc::denied);
    EXPECT_GT(again.error().retry_after().count(), 0);
    EXPECT_EQ(basic.asked().size(), 2U);

    ScriptedRegistry tokens{[&tokens](const std::string& request) {
        if (request.starts_with("GET /token")) return answer_of("401 Unauthorized");
        return answer_of("401 Unauthorized", {}, "WWW-Authenticate: Bearer realm=\"" + tokens.url("/token") + "\"\r\n");
    }};
    const auto by_token = open_site(with_account(endpoint_at(tokens.url())));
    for (int count = 0; count < 3; ++count) EXPECT_EQ(holds(*by_token).error().code(), Errc::denied);
    EXPECT_EQ(tokens.count("GET /token"), 1U);
}

TEST(RegistryLogin, sends_credentials_to_no_other_host_than_allowed)
{
    TokenRegistry registry{"localhost"};
    auto endpoint = with_account(endpoint_at(registry.peer().url()));
    const auto refused = holds(*open_site(endpoint));
    EXPECT_EQ(refused.error().code(), Errc::denied);
    EXPECT_TRUE(refused.error().message().contains("token_host")) << refused.error().message();
    EXPECT_EQ(registry.peer().count("GET /token"), 0U);
    endpoint.token_host = "localhost";
    EXPECT_TRUE(holds(*open_site(endpoint)).value());
    // Who has no credentials has none to lose.
    EXPECT_TRUE(holds(*open_site(endpoint_at(registry.peer().url()))).value());
    EXPECT_EQ(field_of(registry.peer().asked().at(0), "Authorization"), "");
}

TEST(RegistryLogin, sends_an_identity_token_as_a_form)
{
    ScriptedRegistry registry{[&registry](const std::string& request) {
        if (request.starts_with("POST /token")) return answer_of("200 OK", R"({"access_token":"t"})");
        if (field_of(request, "Authorization") == "Bearer t") return answer_of("200 OK");
        return answer_of(
            "401 Unauthorized", {}, "WWW-Authenticate: Bearer realm=\"" + registry.url("/token") + "\"\r\n"
        );
    }};
    auto endpoint = with_account(endpoint_at(registry.url()));
    endpoint.credential_type = "oauth";
    EXPECT_TRUE(holds(*open_site(endpoint)).value());
    const auto form = registry.asked().at(1);
    EXPECT_TRUE(form.contains("grant_type=refresh_token")) << form;
    EXPECT_TRUE(form.contains("refresh_token=secret")) << form;
    EXPECT_EQ(field_of(form, "Authorization"), "");
}

TEST(RegistryLogin, does_not_go_below_tls)
{
    RegistryLoginOptions options{.registry = parse_http_url("https://registry.example.org").value()};
    auto client = HttpClient::create({}).value();
    const SystemClock clock;
    RegistryLogin login{client, options, clock};
    ClientAnswerHead answer;
    answer.fields = {{"WWW-Authenticate", "Bearer realm=\"http://registry.example.org/token\""}};
    EXPECT_EQ(login.challenged("repository:a:pull", answer, {}).error().code(), Errc::denied);
    answer.fields = {{"WWW-Authenticate", "Negotiate"}};
    EXPECT_EQ(login.challenged("repository:a:pull", answer, {}).error().code(), Errc::denied);
}

TEST(TokenAnswer, is_read_without_trust)
{
    const std::chrono::steady_clock::time_point now{std::chrono::hours{1}};
    const auto usual = parse_token_answer(R"({"access_token":"abc","expires_in":300})", now).value();
    EXPECT_EQ(usual.authorization, "Bearer abc");
    EXPECT_EQ(usual.until, now + std::chrono::seconds{270});
    EXPECT_EQ(parse_token_answer(R"({"token":"abc"})", now)->until, now + std::chrono::seconds{48});
    EXPECT_GT(parse_token_answer(R"({"token":"abc","expires_in":-5})", now)->until, now - std::chrono::seconds{1});
    EXPECT_LE(parse_token_answer(R"({"token":"abc","expires_in":1e300})", now)->until, now + std::chrono::hours{12});
    for (const auto* broken :
         {"", "[]", "<html>", "{}", R"({"token":7})", R"({"token":""})", "{\"token\":\"a\\r\\nb\"}"})
        EXPECT_EQ(parse_token_answer(broken, now).error().code(), Errc::unavailable) << broken;
}

}  // namespace
}  // namespace entrepot
